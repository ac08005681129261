package io.github.stageproof.qr;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * The parameters of a query string, decoded strictly.
 *
 * <p>The servlet API cannot be used for this: it replaces bytes that are not UTF-8 instead of reporting them.
 */
final class Query {

    private record Pair(String name, String value) {
    }

    private final List<Pair> pairs = new ArrayList<>();

    /** @param query the part after the question mark as it was sent, null where there is none */
    Query(String query) {
        if (query == null) {
            return;
        }
        for (String pair : query.split("&")) {
            int equals = pair.indexOf('=');
            pairs.add(equals < 0
                    ? new Pair(pair, "")
                    : new Pair(pair.substring(0, equals), pair.substring(equals + 1)));
        }
    }

    /** @throws InvalidParameter where the parameter is given more than once or is not UTF-8 */
    Optional<String> get(String name) {
        List<Pair> found = pairs.stream().filter(pair -> isNamed(pair, name)).toList();
        if (found.size() > 1) {
            throw new InvalidParameter(name, "is given more than once");
        }
        try {
            return found.isEmpty() ? Optional.empty() : Optional.of(decode(found.getFirst().value()));
        } catch (CharacterCodingException | IllegalArgumentException e) {
            throw new InvalidParameter(name, "is not percent-encoded UTF-8");
        }
    }

    private static boolean isNamed(Pair pair, String name) {
        try {
            return decode(pair.name()).equals(name);
        } catch (CharacterCodingException | IllegalArgumentException e) {
            return false;
        }
    }

    private static String decode(String encoded) throws CharacterCodingException {
        var bytes = new ByteArrayOutputStream(encoded.length());
        for (int i = 0; i < encoded.length(); i++) {
            char c = encoded.charAt(i);
            if (c != '%') {
                bytes.writeBytes((c == '+' ? " " : String.valueOf(c)).getBytes(StandardCharsets.UTF_8));
            } else if (i + 2 < encoded.length()) {
                bytes.write(HexFormat.fromHexDigits(encoded, i + 1, i + 3));
                i += 2;
            } else {
                throw new IllegalArgumentException("a percent sign without two digits");
            }
        }
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes.toByteArray())).toString();
    }
}
