package io.github.stageproof.qr;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** The page and the QR codes. */
@RestController
final class QrController {

    private static final int MAX_TEXT_BYTES = 1024;
    private static final int MAX_SCALE = 20;
    private static final String DEFAULT_SCALE = "8";
    private static final MediaType HTML = new MediaType(MediaType.TEXT_HTML, StandardCharsets.UTF_8);
    private static final MediaType SVG = MediaType.valueOf("image/svg+xml");

    private final byte[] page;
    private final Duration delay;

    QrController(Settings settings) throws IOException {
        try (InputStream file = QrController.class.getResourceAsStream("/index.html")) {
            page = file.readAllBytes();
        }
        delay = settings.delay();
    }

    @GetMapping(Routes.PAGE)
    ResponseEntity<byte[]> page() {
        return ResponseEntity.ok().contentType(HTML).body(page);
    }

    @GetMapping(Routes.QR)
    ResponseEntity<byte[]> qr(HttpServletRequest request) throws InterruptedException {
        Thread.sleep(delay);
        var query = new Query(request.getQueryString());
        String text = text(query);
        MediaType format = format(query);
        int scale = scale(query);
        QrCode code = QrCode.of(text);
        return ResponseEntity.ok().contentType(format).header("Cache-Control", "public, max-age=86400")
                .body(format.equals(SVG) ? code.svg(scale) : code.png(scale));
    }

    private static String text(Query query) {
        String text = query.get("text").orElseThrow(() -> new InvalidParameter("text", "is missing"));
        int bytes = text.getBytes(StandardCharsets.UTF_8).length;
        if (bytes < 1 || bytes > MAX_TEXT_BYTES) {
            throw new InvalidParameter("text", "must have 1 to %d bytes of UTF-8".formatted(MAX_TEXT_BYTES));
        }
        return text;
    }

    private static MediaType format(Query query) {
        return switch (query.get("format").orElse("svg")) {
            case "svg" -> SVG;
            case "png" -> MediaType.IMAGE_PNG;
            default -> throw new InvalidParameter("format", "must be svg or png");
        };
    }

    private static int scale(Query query) {
        return WholeNumber.parse(query.get("scale").orElse(DEFAULT_SCALE), 1, MAX_SCALE).orElseThrow(
                () -> new InvalidParameter("scale", "must be a whole number from 1 to %d".formatted(MAX_SCALE)));
    }
}
