package io.github.stageproof.qr;

import java.util.OptionalInt;

/** Whole numbers written with the digits 0 to 9 only: no sign, no space, no other script. */
final class WholeNumber {

    private WholeNumber() {
    }

    /** The number, or nothing where the text is not a whole number from {@code min} to {@code max}. */
    static OptionalInt parse(String text, int min, int max) {
        if (text.isEmpty() || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
            return OptionalInt.empty();
        }
        try {
            int number = Integer.parseInt(text);
            return number < min || number > max ? OptionalInt.empty() : OptionalInt.of(number);
        } catch (NumberFormatException e) {
            return OptionalInt.empty();
        }
    }
}
