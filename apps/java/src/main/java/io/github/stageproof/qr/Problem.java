package io.github.stageproof.qr;

import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.springframework.boot.json.JsonWriter;

/** An error as RFC 9457 describes it. */
record Problem(int status, String type, String title, String detail, String field) {

    private static final String MEDIA_TYPE = "application/problem+json";
    private static final JsonWriter<Problem> JSON = JsonWriter.of(json -> {
        json.add("type", problem -> "urn:stageproof:problem:" + problem.type());
        json.add("title", Problem::title);
        json.add("status", Problem::status);
        json.add("detail", Problem::detail);
        json.add("field", Problem::field).whenNotNull();
    });

    static Problem invalidParameter(InvalidParameter e) {
        return new Problem(400, "invalid-parameter", "Invalid parameter", e.getMessage(), e.field());
    }

    static Problem notFound() {
        return new Problem(404, "not-found", "Not found", "there is nothing at this path", null);
    }

    static Problem methodNotAllowed() {
        return new Problem(405, "method-not-allowed", "Method not allowed", "this path answers GET and HEAD", null);
    }

    static Problem contentTooLarge(int limit) {
        return new Problem(413, "content-too-large", "Content too large",
                "the body of a request may have %d bytes".formatted(limit), "body");
    }

    static Problem internal() {
        return new Problem(500, "internal", "Internal error", "the service could not answer", null);
    }

    void write(HttpServletResponse response) throws IOException {
        byte[] body = JSON.writeToString(this).getBytes(StandardCharsets.UTF_8);
        response.setStatus(status);
        if (status == HttpServletResponse.SC_METHOD_NOT_ALLOWED) {
            response.setHeader("Allow", "GET, HEAD");
        }
        response.setContentType(MEDIA_TYPE);
        response.setContentLength(body.length);
        response.getOutputStream().write(body);
    }
}
