package io.github.stageproof.qr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsTest {

    @Test
    void anEmptyEnvironmentGivesTheDefaults() {
        assertEquals(
                new Settings(8080, "info", Duration.ofSeconds(1), Duration.ofSeconds(8), "0.0.0", "unknown", "unknown",
                        Optional.empty(), Duration.ZERO),
                Settings.from(Map.of()));
    }

    @Test
    void everyVariableIsRead() {
        var environment = Map.of("PORT", "65535", "LOG_LEVEL", "warning", "DRAIN_SECONDS", "0",
                "SHUTDOWN_SECONDS", "3600", "APP_VERSION", "1.2.3", "APP_COMMIT", "abc", "APP_BUILT", "today",
                "CHAOS_UNHEALTHY_AFTER", "0", "CHAOS_DELAY", "5");
        assertEquals(
                new Settings(65_535, "warning", Duration.ZERO, Duration.ofHours(1), "1.2.3", "abc", "today",
                        Optional.of(Duration.ZERO), Duration.ofSeconds(5)),
                Settings.from(environment));
    }

    @Test
    void anEmptyChaosVariableIsOff() {
        Settings settings = Settings.from(Map.of("CHAOS_UNHEALTHY_AFTER", "", "CHAOS_DELAY", ""));
        assertEquals(Optional.empty(), settings.unhealthyAfter());
        assertEquals(Duration.ZERO, settings.delay());
    }

    @ParameterizedTest
    @CsvSource({
        "PORT, abc, a whole number from 1 to 65535",
        "PORT, '', a whole number from 1 to 65535",
        "PORT, 0, a whole number from 1 to 65535",
        "PORT, 65536, a whole number from 1 to 65535",
        "PORT, 99999999999999999999, a whole number from 1 to 65535",
        "PORT, ' 80', a whole number from 1 to 65535",
        "PORT, +80, a whole number from 1 to 65535",
        "PORT, ٨٠٨٠, a whole number from 1 to 65535",
        "LOG_LEVEL, INFO, 'one of debug, info, warning, error'",
        "DRAIN_SECONDS, -1, a whole number from 0 to 3600",
        "SHUTDOWN_SECONDS, 3601, a whole number from 0 to 3600",
        "CHAOS_UNHEALTHY_AFTER, 1.5, a whole number from 0 to 3600",
        "CHAOS_DELAY, 1s, a whole number from 0 to 3600",
    })
    void aBadValueIsNamed(String variable, String value, String expected) {
        var error = assertThrows(BadSetting.class, () -> Settings.from(Map.of(variable, value)));
        assertEquals("%s: \"%s\" is not %s".formatted(variable, value, expected), error.getMessage());
    }

    @Test
    void theMessageStaysOnOneLine() {
        var error = assertThrows(BadSetting.class, () -> Settings.from(Map.of("PORT", "1\n2")));
        assertEquals(1, error.getMessage().lines().count());
    }
}
