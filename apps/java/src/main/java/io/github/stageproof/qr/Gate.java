package io.github.stageproof.qr;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpFilter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;
import org.springframework.web.util.ContentCachingResponseWrapper;
import org.springframework.web.util.UriUtils;

/** Every request passes here: refuses what no path answers, completes the headers, and records the answer. */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE)
final class Gate extends HttpFilter {

    static final int MAX_BODY_BYTES = 65_536;

    private static final long serialVersionUID = 1L;
    private static final Logger LOG = LoggerFactory.getLogger(Gate.class);
    private static final Set<String> METHODS = Set.of("GET", "HEAD");

    private final transient RequestRecorder recorder;

    Gate(RequestRecorder recorder) {
        this.recorder = recorder;
    }

    @Override
    protected void doFilter(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws IOException {
        long start = System.nanoTime();
        String path = UriUtils.decode(request.getRequestURI(), StandardCharsets.UTF_8);
        // Holds the body back: its length is known before it is sent, and a request is counted before the next can ask.
        var answer = new ContentCachingResponseWrapper(response);
        try {
            answer(request, path, answer, chain);
        } catch (IOException e) {
            // The body is not HTTP, or its sender has gone.
            response.setStatus(HttpServletResponse.SC_BAD_REQUEST);
            return;
        }
        complete(answer);
        recorder.record(request.getMethod(), path, answer.getStatus(), Duration.ofNanos(System.nanoTime() - start));
        answer.copyBodyToResponse();
        // Sent now: the server would first wait for the rest of a body that it has refused.
        response.flushBuffer();
    }

    static void complete(HttpServletResponse response) {
        response.setHeader("X-Content-Type-Options", "nosniff");
        if (!response.containsHeader(HttpHeaders.CACHE_CONTROL)) {
            response.setHeader(HttpHeaders.CACHE_CONTROL, "no-store");
        }
    }

    private static void answer(
            HttpServletRequest request, String path, ContentCachingResponseWrapper response, FilterChain chain)
            throws IOException {
        Optional<Problem> refusal = refusal(request, path);
        if (refusal.isPresent()) {
            refusal.get().write(response);
            return;
        }
        try {
            chain.doFilter(request, response);
        } catch (ServletException | RuntimeException e) {
            LOG.error("unforeseen", e);
            response.reset();
            Problem.internal().write(response);
        }
    }

    private static Optional<Problem> refusal(HttpServletRequest request, String path) throws IOException {
        return isTooLarge(request)
                ? Optional.of(Problem.contentTooLarge(MAX_BODY_BYTES))
                : refusal(request.getMethod(), path);
    }

    static Optional<Problem> refusal(String method, String path) {
        if (!Routes.ALL.contains(path)) {
            return Optional.of(Problem.notFound());
        }
        return METHODS.contains(method) ? Optional.empty() : Optional.of(Problem.methodNotAllowed());
    }

    private static boolean isTooLarge(HttpServletRequest request) throws IOException {
        if (request.getHeader(HttpHeaders.TRANSFER_ENCODING) == null) {
            return request.getContentLengthLong() > MAX_BODY_BYTES;
        }
        // No length was announced: read on until it is clear.
        return request.getInputStream().readNBytes(MAX_BODY_BYTES + 1).length > MAX_BODY_BYTES;
    }
}
