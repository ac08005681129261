package io.github.stageproof.qr;

import com.google.zxing.WriterException;
import com.google.zxing.qrcode.decoder.ErrorCorrectionLevel;
import com.google.zxing.qrcode.encoder.ByteMatrix;
import com.google.zxing.qrcode.encoder.Encoder;
import java.nio.charset.StandardCharsets;

/** The modules of a QR code with its quiet zone, and its two pictures. */
final class QrCode {

    static final int QUIET_ZONE = 4;

    private final ByteMatrix matrix;

    private QrCode(ByteMatrix matrix) {
        this.matrix = matrix;
    }

    /** @param text at most 1024 bytes of UTF-8, which always fits */
    static QrCode of(String text) {
        // Bytes as Latin-1 characters: plain UTF-8, as scanners expect it, and no ECI header, which some reject.
        var bytes = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
        try {
            return new QrCode(Encoder.encode(bytes, ErrorCorrectionLevel.M).getMatrix());
        } catch (WriterException e) {
            throw new IllegalArgumentException("the text does not fit a QR code", e);
        }
    }

    /** Modules on a side, with the quiet zone. */
    int size() {
        return matrix.getWidth() + 2 * QUIET_ZONE;
    }

    /** Whether the module is dark; the quiet zone is not. */
    boolean isDark(int x, int y) {
        int column = x - QUIET_ZONE;
        int row = y - QUIET_ZONE;
        return column >= 0 && row >= 0 && column < matrix.getWidth() && row < matrix.getHeight()
                && matrix.get(column, row) == 1;
    }

    byte[] svg(int scale) {
        var path = new StringBuilder();
        for (int y = 0; y < size(); y++) {
            for (int x = 0; x < size(); x++) {
                int start = x;
                while (isDark(x, y)) {
                    x++;
                }
                if (x > start) {
                    path.append('M').append(start).append(' ').append(y).append('h').append(x - start)
                            .append("v1H").append(start).append('z');
                }
            }
        }
        return """
                <?xml version="1.0" encoding="UTF-8"?>
                <svg xmlns="http://www.w3.org/2000/svg" width="%1$d" height="%1$d" viewBox="0 0 %2$d %2$d">
                <rect width="%2$d" height="%2$d" fill="#fff"/>
                <path fill="#000" shape-rendering="crispEdges" d="%3$s"/>
                </svg>
                """.formatted(size() * scale, size(), path).getBytes(StandardCharsets.UTF_8);
    }

    byte[] png(int scale) {
        return Png.of(this::isDark, size(), scale);
    }
}
