package io.github.stageproof.qr;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.slf4j.event.KeyValuePair;
import org.springframework.boot.json.JsonWriter;
import org.springframework.boot.logging.structured.JsonWriterStructuredLogFormatter;

/** A log event as one line of JSON: time, level, message, and what the event adds. */
final class JsonLines extends JsonWriterStructuredLogFormatter<ILoggingEvent> {

    JsonLines() {
        super(JsonLines::members, null);
    }

    private static void members(JsonWriter.Members<ILoggingEvent> json) {
        json.add("time", event -> event.getInstant().toString());
        json.add("level", event -> word(event.getLevel()));
        json.add("message", ILoggingEvent::getFormattedMessage);
        json.from(event -> Objects.requireNonNullElse(event.getKeyValuePairs(), List.<KeyValuePair>of()))
                .usingPairs((pairs, writer) -> pairs.forEach(pair -> writer.accept(pair.key, pair.value)));
        json.add("logger", ILoggingEvent::getLoggerName);
        json.add("error", ILoggingEvent::getThrowableProxy).whenNotNull().as(ThrowableProxyUtil::asString);
    }

    private static String word(Level level) {
        return level == Level.WARN ? "warning" : level.toString().toLowerCase(Locale.ROOT);
    }
}
