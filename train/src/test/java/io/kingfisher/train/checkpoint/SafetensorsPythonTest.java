package io.kingfisher.train.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files exchanged with a reader and writer of the format in plain Python, which shares no code with ours. */
class SafetensorsPythonTest {
    @TempDir
    private Path folder;

    @BeforeAll
    static void needsPython() throws IOException, InterruptedException {
        boolean found;
        try {
            found = new ProcessBuilder("python3", "-c", "").start().waitFor() == 0;
        } catch (IOException e) {
            found = false;
        }
        assumeTrue(found, "python3 is not on the PATH");
    }

    private static String python(String script, Path file) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of("python3", "-c", script, file.toString()));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertEquals(true, process.waitFor(30, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue());
        return output;
    }

    @Test
    void pythonReadsWhatWeWrite() throws Exception {
        Path path = folder.resolve("ours.safetensors");
        Safetensors.write(
                path,
                Map.of("who", "w\u00e9"),
                List.of(
                        SafetensorsTest.floats("layer.weight", new long[] {2, 2}, 0.5f, -1, 3, 4),
                        new SafeTensor("count", "I64", new long[] {}, MemorySegment.ofArray(new long[] {-5})),
                        new SafeTensor("mask", "U8", new long[] {3}, MemorySegment.ofArray(new byte[] {1, 0, 2}))));
        String read = python("""
                import json, struct, sys
                raw = open(sys.argv[1], 'rb').read()
                n, = struct.unpack('<Q', raw[:8])
                header = json.loads(raw[8:8 + n].decode('utf-8'))
                print(ascii(header.pop('__metadata__')))
                codes = {'F32': 'f', 'I64': 'q', 'U8': 'B'}
                end = 0
                for name, t in sorted(header.items()):
                    begin, stop = t['data_offsets']
                    data = raw[8 + n + begin:8 + n + stop]
                    code = codes[t['dtype']]
                    values = struct.unpack('<%d%s' % (len(data) // struct.calcsize(code), code), data)
                    print(name, t['dtype'], t['shape'], list(values))
                    end = max(end, stop)
                assert 8 + n + end == len(raw)
                """, path);
        assertEquals("""
                {'who': 'w\\xe9'}
                count I64 [] [-5]
                layer.weight F32 [2, 2] [0.5, -1.0, 3.0, 4.0]
                mask U8 [3] [1, 0, 2]
                """, read);
    }

    @Test
    void weReadWhatPythonWrites() throws Exception {
        Path path = folder.resolve("theirs.safetensors");
        python("""
                import json, struct, sys
                a = struct.pack('<6d', *[i / 7 for i in range(6)])
                b = struct.pack('<3f', 1.5, float('inf'), -0.0)
                c = struct.pack('<2h', 15360, -1)
                header = {
                    'b': {'dtype': 'F32', 'shape': [3, 1], 'data_offsets': [48, 60]},
                    'a': {'dtype': 'F64', 'shape': [2, 3], 'data_offsets': [0, 48]},
                    'c': {'dtype': 'F16', 'shape': [2], 'data_offsets': [60, 64]},
                    'none': {'dtype': 'BF16', 'shape': [4, 0], 'data_offsets': [60, 60]},
                    '__metadata__': {'format': 'pt'},
                }
                head = json.dumps(header, indent=1).encode()
                head += b' ' * (-len(head) % 8)
                open(sys.argv[1], 'wb').write(struct.pack('<Q', len(head)) + head + a + b + c)
                """, path);
        try (Arena arena = Arena.ofConfined()) {
            Safetensors file = Safetensors.read(path, arena);
            assertEquals(Map.of("format", "pt"), file.metadata());
            SafeTensor a = file.find("a").orElseThrow();
            assertArrayEquals(new long[] {2, 3}, a.shapeArray());
            assertArrayEquals(
                    new double[] {0, 1.0 / 7, 2.0 / 7, 3.0 / 7, 4.0 / 7, 5.0 / 7},
                    a.data().toArray(ValueLayout.JAVA_DOUBLE));
            SafeTensor b = file.find("b").orElseThrow();
            assertArrayEquals(
                    new float[] {1.5f, Float.POSITIVE_INFINITY, -0.0f}, b.data().toArray(ValueLayout.JAVA_FLOAT));
            SafeTensor c = file.find("c").orElseThrow();
            assertEquals(1.0f, Float.float16ToFloat(c.data().get(ValueLayout.JAVA_SHORT, 0)));
            assertEquals(0, file.find("none").orElseThrow().elements());
        }
    }
}
