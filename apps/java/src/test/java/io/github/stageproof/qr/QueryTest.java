package io.github.stageproof.qr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QueryTest {

    @ParameterizedTest
    @CsvSource({
        "text=a, a",
        "text=a+b%20c, a b c",
        "text=%C3%A9%f0%9f%98%80, é😀",
        "%74ext=a, a",
        "x=1&text=a=b&y, a=b",
        "text=, ''",
        "text, ''",
        "other=%ff&text=a;b, a;b",
    })
    void aParameterIsDecoded(String query, String expected) {
        assertEquals(Optional.of(expected), new Query(query).get("text"));
    }

    @Test
    void aMissingParameterIsNothing() {
        assertEquals(Optional.empty(), new Query("other=1").get("text"));
        assertEquals(Optional.empty(), new Query("").get("text"));
        assertEquals(Optional.empty(), new Query(null).get("text"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"text=%ff", "text=%C3", "text=%C0%80", "text=%ED%A0%80", "text=%zz", "text=%", "text=%4"})
    void whatIsNotUtf8IsAnError(String query) {
        var error = assertThrows(InvalidParameter.class, () -> new Query(query).get("text"));
        assertEquals("text", error.field());
    }

    @Test
    void aParameterGivenTwiceIsAnError() {
        assertThrows(InvalidParameter.class, () -> new Query("text=a&te%78t=a").get("text"));
    }
}
