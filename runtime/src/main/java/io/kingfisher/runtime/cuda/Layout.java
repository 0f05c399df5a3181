package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.layout.View;
import java.util.List;

/** How a value lies in memory. */
enum Layout {
    /** In row-major order. */
    PLAIN,
    /** An image [N x C x H x W] in the order N H W C, as tensor cores read it; a weight [O x I x H x W] in O H W I. */
    CHANNELS_LAST;

    View view(Type type) {
        if (this == PLAIN) {
            return View.of(type);
        }
        long c = type.shape().dim(1), h = type.shape().dim(2), w = type.shape().dim(3);
        return new View(type.dtype(), type.shape(), List.of(h * w * c, 1L, w * c, c), 0);
    }

    /** Whether a type's elements are at the same places in both layouts. */
    boolean same(Layout other, Type type) {
        return this == other
                || type.shape().rank() == 4
                        && (type.shape().dim(1) == 1
                                || type.shape().dim(2) * type.shape().dim(3) == 1);
    }
}
