package io.github.stageproof.qr;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Set;
import java.util.stream.DoubleStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/** Counts, times and logs the requests that were answered. */
@Component
final class RequestRecorder {

    private static final Logger LOG = LoggerFactory.getLogger(RequestRecorder.class);
    private static final Set<String> METHODS =
            Set.of("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH");
    private static final Set<String> UNLOGGED = Set.of(Routes.HEALTH, Routes.READY);
    private static final String OTHER = "other";
    private static final Duration[] BUCKETS =
            DoubleStream.of(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
                    .mapToObj(seconds -> Duration.ofMillis(Math.round(seconds * 1000)))
                    .toArray(Duration[]::new);

    private final MeterRegistry registry;

    RequestRecorder(MeterRegistry registry) {
        this.registry = registry;
    }

    /** @param path decoded, without the query */
    void record(String method, String path, int status, Duration duration) {
        // Labels come from short fixed lists, so that nobody can fill the memory with made-up ones.
        String methodLabel = METHODS.contains(method) ? method : OTHER;
        String pathLabel = Routes.ALL.contains(path) ? path : OTHER;
        Counter.builder("http.requests").description("Requests that were answered.")
                .tags("method", methodLabel, "path", pathLabel, "status", String.valueOf(status))
                .register(registry)
                .increment();
        Timer.builder("http.request.duration").description("How long requests took to answer.")
                .tags("method", methodLabel, "path", pathLabel)
                .serviceLevelObjectives(BUCKETS)
                .register(registry)
                .record(duration);
        if (!UNLOGGED.contains(path)) {
            LOG.atInfo()
                    .addKeyValue("method", method)
                    .addKeyValue("path", path)
                    .addKeyValue("status", status)
                    .addKeyValue("duration_ms", duration.toNanos() / 1_000 / 1_000.0)
                    .log("request");
        }
    }
}
