package io.github.stageproof.qr;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.springframework.boot.json.JsonWriter;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** What the service says about itself. */
@RestController
final class StatusController {

    private static final String JSON = "application/json";
    private static final String PROMETHEUS = "text/plain; version=0.0.4";
    private static final JsonWriter<Settings> VERSION = JsonWriter.of(json -> {
        json.add("stack", "java");
        json.add("version", Settings::version);
        json.add("commit", Settings::commit);
        json.add("built", Settings::built);
        json.add("runtime", "Java " + System.getProperty("java.version"));
    });

    private final Settings settings;
    private final Readiness readiness;
    private final PrometheusMeterRegistry registry;
    private final long start = System.nanoTime();

    StatusController(Settings settings, Readiness readiness, PrometheusMeterRegistry registry) {
        this.settings = settings;
        this.readiness = readiness;
        this.registry = registry;
    }

    @GetMapping(Routes.HEALTH)
    ResponseEntity<byte[]> health() {
        var uptime = Duration.ofNanos(System.nanoTime() - start);
        boolean failing = settings.unhealthyAfter().filter(limit -> uptime.compareTo(limit) >= 0).isPresent();
        return status(!failing, failing ? "failing" : "ok");
    }

    @GetMapping(Routes.READY)
    ResponseEntity<byte[]> ready() {
        Readiness.Phase phase = readiness.phase();
        return status(phase == Readiness.Phase.READY, phase.word());
    }

    @GetMapping(Routes.VERSION)
    ResponseEntity<byte[]> version() {
        return text(HttpStatus.OK, JSON, VERSION.writeToString(settings));
    }

    @GetMapping(Routes.METRICS)
    ResponseEntity<byte[]> metrics() {
        return text(HttpStatus.OK, PROMETHEUS, registry.scrape());
    }

    private static ResponseEntity<byte[]> status(boolean good, String word) {
        return text(good ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE, JSON,
                JsonWriter.standard().writeToString(Map.of("status", word)));
    }

    private static ResponseEntity<byte[]> text(HttpStatus status, String type, String text) {
        return ResponseEntity.status(status).header(HttpHeaders.CONTENT_TYPE, type)
                .body(text.getBytes(StandardCharsets.UTF_8));
    }
}
