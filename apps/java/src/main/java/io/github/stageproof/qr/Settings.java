package io.github.stageproof.qr;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** What the environment says, checked. */
record Settings(
        int port,
        String logLevel,
        Duration drain,
        Duration shutdown,
        String version,
        String commit,
        String built,
        Optional<Duration> unhealthyAfter,
        Duration delay) {

    private static final List<String> LOG_LEVELS = List.of("debug", "info", "warning", "error");
    private static final int MAX_SECONDS = 3600;

    /** @throws BadSetting for the first variable that is wrong */
    static Settings from(Map<String, String> environment) {
        return new Settings(
                port(environment),
                logLevel(environment),
                seconds(environment, "DRAIN_SECONDS", 1),
                seconds(environment, "SHUTDOWN_SECONDS", 8),
                environment.getOrDefault("APP_VERSION", "0.0.0"),
                environment.getOrDefault("APP_COMMIT", "unknown"),
                environment.getOrDefault("APP_BUILT", "unknown"),
                secondsOrOff(environment, "CHAOS_UNHEALTHY_AFTER"),
                secondsOrOff(environment, "CHAOS_DELAY").orElse(Duration.ZERO));
    }

    static int port(Map<String, String> environment) {
        return number(environment, "PORT", 1, 65_535, 8080);
    }

    private static String logLevel(Map<String, String> environment) {
        String level = environment.getOrDefault("LOG_LEVEL", "info");
        if (!LOG_LEVELS.contains(level)) {
            throw new BadSetting("LOG_LEVEL", level, "one of " + String.join(", ", LOG_LEVELS));
        }
        return level;
    }

    private static Duration seconds(Map<String, String> environment, String variable, int otherwise) {
        return Duration.ofSeconds(number(environment, variable, 0, MAX_SECONDS, otherwise));
    }

    private static Optional<Duration> secondsOrOff(Map<String, String> environment, String variable) {
        if (environment.getOrDefault(variable, "").isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(seconds(environment, variable, 0));
    }

    private static int number(Map<String, String> environment, String variable, int min, int max, int otherwise) {
        String value = environment.get(variable);
        OptionalInt number = value == null ? OptionalInt.of(otherwise) : WholeNumber.parse(value, min, max);
        return number.orElseThrow(
                () -> new BadSetting(variable, value, "a whole number from %d to %d".formatted(min, max)));
    }
}
