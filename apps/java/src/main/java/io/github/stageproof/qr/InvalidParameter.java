package io.github.stageproof.qr;

/** A query parameter that cannot be answered; the detail is for the person who sent it. */
final class InvalidParameter extends RuntimeException {

    private final String field;

    InvalidParameter(String field, String detail) {
        super("'" + field + "' " + detail);
        this.field = field;
    }

    String field() {
        return field;
    }
}
