package io.github.stageproof.qr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.google.zxing.common.BitMatrix;
import com.google.zxing.qrcode.decoder.Decoder;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QrCodeTest {

    private static final int WHITE = 0xffffffff;
    private static final int BLACK = 0xff000000;
    private static final Pattern RUN = Pattern.compile("M(\\d+) (\\d+)h(\\d+)v1H\\d+z");

    @ParameterizedTest
    @ValueSource(strings = {"a", "0123456789", "HELLO WORLD", "https://example.org/", "Grüße, 世界 😀", "\0"})
    void theCodeSaysTheText(String text) throws Exception {
        QrCode code = QrCode.of(text);
        var result = new Decoder().decode(modules(code));
        assertEquals(text, result.getText());
        assertEquals("M", result.getECLevel());
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "é"})
    void theLongestTextFits(String character) throws Exception {
        String text = character.repeat(1024 / character.getBytes(StandardCharsets.UTF_8).length);
        assertEquals(text, new Decoder().decode(modules(QrCode.of(text))).getText());
    }

    @Test
    void theQuietZoneIsFourModulesOfWhite() {
        QrCode code = QrCode.of("a");
        assertEquals(21 + 8, code.size());
        for (int i = 0; i < code.size(); i++) {
            for (int edge = 0; edge < 4; edge++) {
                assertFalse(code.isDark(i, edge) || code.isDark(edge, i));
                assertFalse(code.isDark(i, code.size() - 1 - edge) || code.isDark(code.size() - 1 - edge, i));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 20})
    void thePngShowsEachModuleAsASquare(int scale) throws Exception {
        QrCode code = QrCode.of("hello");
        var image = ImageIO.read(new ByteArrayInputStream(code.png(scale)));
        assertEquals(code.size() * scale, image.getWidth());
        assertEquals(code.size() * scale, image.getHeight());
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                assertEquals(code.isDark(x / scale, y / scale) ? BLACK : WHITE, image.getRGB(x, y));
            }
        }
    }

    @Test
    void theSvgDrawsTheSameModules() {
        QrCode code = QrCode.of("hello");
        String svg = new String(code.svg(8), StandardCharsets.UTF_8);
        assertEquals(1, Pattern.compile("width=\"%1$d\" height=\"%1$d\"".formatted(code.size() * 8)).matcher(svg)
                .results().count());
        var drawn = new BitMatrix(code.size());
        RUN.matcher(svg).results().forEach(run -> drawn.setRegion(number(run, 1), number(run, 2), number(run, 3), 1));
        for (int y = 0; y < code.size(); y++) {
            for (int x = 0; x < code.size(); x++) {
                assertEquals(code.isDark(x, y), drawn.get(x, y));
            }
        }
    }

    private static int number(MatchResult match, int group) {
        return Integer.parseInt(match.group(group));
    }

    private static BitMatrix modules(QrCode code) {
        int size = code.size() - 2 * QrCode.QUIET_ZONE;
        var modules = new BitMatrix(size);
        for (int y = 0; y < size; y++) {
            for (int x = 0; x < size; x++) {
                if (code.isDark(x + QrCode.QUIET_ZONE, y + QrCode.QUIET_ZONE)) {
                    modules.set(x, y);
                }
            }
        }
        return modules;
    }
}
