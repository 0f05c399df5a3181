package io.kingfisher.runtime.cpu;

import java.lang.foreign.MemorySegment;

/** A = Q R. */
final class QrStep extends MatrixStep {
    private final int m;
    private final int n;
    private final int k;
    private final int lwork;
    private long columns;
    private MemorySegment a;
    private MemorySegment tau;
    private MemorySegment work;

    QrStep(Lapack lapack, int m, int n) {
        super(lapack);
        this.m = m;
        this.n = n;
        this.k = Math.min(m, n);
        this.lwork = Math.max(lapack.geqrfLengths(m, n)[0], lapack.orgqrLengths(m, k)[0]);
    }

    @Override
    String routine() {
        return "geqrf, orgqr";
    }

    @Override
    int calls() {
        return 2;
    }

    @Override
    long scratchBytes() {
        return aligned(bytes((long) m * n)) + aligned(bytes(k)) + bytes(lwork);
    }

    @Override
    void place(long scratch) {
        columns = scratch;
        a = MemorySegment.ofAddress(scratch);
        long at = scratch + aligned(bytes((long) m * n));
        tau = MemorySegment.ofAddress(at);
        work = MemorySegment.ofAddress(at + aligned(bytes(k)));
    }

    @Override
    void run(int b) {
        long q = at(1, b), r = at(2, b);
        transpose(at(0, b), columns, m, n);
        boolean finite = finite(columns, (long) m * n);
        int info = finite ? lapack.geqrf(m, n, a, tau, work, lwork) : 1;
        if (info == 0) {
            for (int i = 0; i < k; i++) {
                for (int j = 0; j < n; j++) {
                    set(r, (long) i * n + j, j < i ? 0 : get(columns, (long) j * m + i));
                }
            }
            info = lapack.orgqr(m, k, a, tau, work, lwork);
        }
        if (info == 0) {
            transpose(columns, q, k, m);
        } else {
            fail(q, (long) m * k);
            fail(r, (long) k * n);
        }
        info(at(3, b), info);
    }
}
