package io.kingfisher.train.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
    @Test
    void valuesComeBack() throws IOException {
        var map = new LinkedHashMap<String, Object>();
        map.put("z", 1L);
        map.put("a", new ArrayList<>(Arrays.asList(null, true, "te\"xt\n\u00e9\ud83d\ude00", 0.1, Long.MIN_VALUE)));
        map.put("empty", new LinkedHashMap<>());
        assertEquals(map, Json.parse(Json.write(map)));
        assertEquals(map, Json.parse(Json.writePretty(map)));
        assertEquals("{\"z\":1,\"a\":[null,true,", Json.write(map).substring(0, 22));
    }

    @Test
    void everyDoubleComesBack() throws IOException {
        for (double x : new double[] {0.1, -0.0, Double.MIN_VALUE, Double.MAX_VALUE, 1.0 / 3, 1e22}) {
            assertEquals(x, Json.real(Json.parse(Json.write(x))));
        }
        for (double x : new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
            assertEquals(x, Json.real(Json.parse(Json.write(x))));
        }
        assertEquals("\"NaN\"", Json.write(Float.NaN));
        assertEquals("[1,2]", Json.write(List.of((short) 1, 2)));
        assertThrows(IOException.class, () -> Json.real("1"));
        assertThrows(IOException.class, () -> Json.real(null));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "{\"a\":1,\"a\":2}",
                "1 2",
                "[1,]",
                "{'a':1}",
                "nul",
                "99999999999999999999",
                "\"\u0001\""
            })
    void refuses(String text) {
        assertThrows(IOException.class, () -> Json.parse(text));
    }

    @Test
    void refusesDepthWithoutOverflowingTheStack() {
        assertThrows(IOException.class, () -> Json.parse("[".repeat(100_000)));
        assertThrows(IOException.class, () -> Json.parseObject("[]"));
        assertThrows(IllegalArgumentException.class, () -> Json.write(new Object()));
    }
}
