package io.kingfisher.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** The generator against the known answers published with Random123, and its bounded draws against their statistics. */
class PhiloxTest {
    @Test
    void givesThePublishedAnswers() {
        assertArrayEquals(new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, new Philox(0).words(0, 0, 0, 0));
        assertArrayEquals(
                new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, new Philox(-1).words(-1, -1, -1, -1));
        assertArrayEquals(
                new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
                new Philox(0x299f31d0a4093822L).words(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344));
    }

    @Test
    void aStreamIsTheWordsOfItsBlocks() {
        var random = new Philox(42).at(7, 8, 9);
        var words = new int[8];
        for (int i = 0; i < 8; i++) {
            words[i] = random.nextInt();
        }
        var other = new Philox(42);
        int[] first = other.words(0, 7, 8, 9);
        int[] second = other.words(1, 7, 8, 9);
        for (int i = 0; i < 4; i++) {
            assertEquals(first[i], words[i]);
            assertEquals(second[i], words[4 + i]);
        }
    }

    @Test
    void boundedNumbersAreEquallyLikely() {
        for (int bound : new int[] {1, 2, 3, 7, 10, 1000}) {
            var random = new Philox(1).at(bound, 0, 0);
            var counts = new int[bound];
            int draws = 1000 * bound;
            for (int i = 0; i < draws; i++) {
                counts[random.nextInt(bound)]++;
            }
            double chiSquared = 0;
            for (int count : counts) {
                chiSquared += (count - 1000.0) * (count - 1000.0) / 1000.0;
            }
            // Mean bound - 1 and variance 2 (bound - 1): five deviations.
            assertTrue(chiSquared <= bound - 1 + 5 * Math.sqrt(2.0 * bound), bound + ": " + chiSquared);
        }
    }

    @Test
    void boundsNearTheLargestStayInside() {
        var random = new Philox(3).at(0, 0, 0);
        double sum = 0;
        int bound = (1 << 30) + 12345;
        for (int i = 0; i < 100_000; i++) {
            int value = random.nextInt(bound);
            assertTrue(value >= 0 && value < bound);
            sum += value;
        }
        assertEquals(0.5, sum / 100_000 / bound, 5 * 0.2887 / Math.sqrt(100_000));
    }

    @Test
    void floatsAreUniform() {
        var random = new Philox(5).at(0, 0, 0);
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < 100_000; i++) {
            float value = random.nextFloat();
            assertTrue(value >= 0 && value < 1);
            sum += value;
            squares += value * value;
        }
        assertEquals(0.5, sum / 100_000, 0.005);
        assertEquals(1.0 / 3, squares / 100_000, 0.005);
    }
}
