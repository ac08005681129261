package io.github.stageproof.qr;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Optional;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ErrorReportValve;
import org.springframework.http.HttpHeaders;

/** Answers what Tomcat refuses before any filter sees it, such as CONNECT and a path that cannot be decoded. */
final class ProblemValve extends ErrorReportValve {

    private final RequestRecorder recorder;

    ProblemValve(RequestRecorder recorder) {
        this.recorder = recorder;
    }

    @Override
    protected void report(Request request, Response response, Throwable throwable) {
        if (!response.isError() || response.getContentWritten() > 0 || !response.setErrorReported()) {
            return;
        }
        Gate.complete(response);
        problem(request, response).ifPresent(problem -> write(problem, request, response));
    }

    /** Nothing where the request is not even HTTP: that gets a bare answer. */
    private static Optional<Problem> problem(Request request, Response response) {
        if (isLongerThanNumbersGo(request.getHeader(HttpHeaders.CONTENT_LENGTH))) {
            return Optional.of(Problem.contentTooLarge(Gate.MAX_BODY_BYTES));
        }
        return switch (response.getStatus()) {
            case Response.SC_BAD_REQUEST, Response.SC_NOT_IMPLEMENTED -> Optional.ofNullable(request.getRequestURI())
                    .flatMap(path -> Gate.refusal(request.getMethod(), path));
            case Response.SC_HTTP_VERSION_NOT_SUPPORTED -> Optional.empty();
            default -> Optional.of(Problem.internal());
        };
    }

    /** Tomcat refuses such a length as no number at all. */
    private static boolean isLongerThanNumbersGo(String length) {
        return length != null && length.matches("\\d{19,}");
    }

    private void write(Problem problem, Request request, Response response) {
        try {
            problem.write(response);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        long start = request.getCoyoteRequest().getStartTimeNanos();
        recorder.record(request.getMethod(), request.getRequestURI(), problem.status(),
                Duration.ofNanos(System.nanoTime() - start));
    }
}
