package io.github.stageproof.qr;

/** An environment variable that the service cannot start with; the message is for the person who set it. */
final class BadSetting extends RuntimeException {

    BadSetting(String variable, String value, String expected) {
        super("%s: \"%s\" is not %s".formatted(variable, value.replaceAll("\\p{Cntrl}", "?"), expected));
    }
}
