package io.kingfisher.runtime.cuda.math;

import static io.kingfisher.runtime.cuda.math.EmulatedBlas.require;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.nativebindings.lapacke.Lapacke;
import io.kingfisher.nativebindings.lapacke.generated.lapacke_h;
import io.kingfisher.runtime.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * cuSOLVER as NVIDIA documents it, by LAPACK, whose routines and parameters it took over: matrices by columns. Numbers that
 * are not finite are refused, as the real library says nothing of them.
 */
final class EmulatedSolver implements Solver {
    private static final int COLUMNS = lapacke_h.LAPACK_COL_MAJOR();
    private static final Sizes SIZES = new Sizes(640, 64);

    /** Whether this is a cuSOLVER with XsyevBatched. */
    boolean batchedEigen = true;

    private final Streams streams;

    EmulatedSolver(Streams streams) {
        this.streams = streams;
    }

    /** A matrix of device memory as LAPACK reads it. */
    private static MemorySegment load(Arena arena, DType t, long address, long leading, long columns) {
        return arena.allocateFrom(JAVA_DOUBLE, HostNumbers.read(t, address, leading * columns));
    }

    private static void store(DType t, MemorySegment from, long address) {
        HostNumbers.write(t, address, from.toArray(JAVA_DOUBLE));
    }

    private static void spoil(Work work) {
        require(work.device() % 16 == 0 && work.deviceBytes() >= SIZES.device(), "device workspace");
        require(work.host().byteSize() >= SIZES.host(), "host workspace");
        NativeMemory.segment(work.device(), work.deviceBytes()).fill((byte) 0xff);
        work.host().fill((byte) 0xff);
    }

    @Override
    public void prepare(long stream) {}

    @Override
    public Sizes potrfSizes(DType dtype, int uplo, long n, long leading) {
        return SIZES;
    }

    @Override
    public void potrf(long stream, DType t, int uplo, long n, long a, long leading, Work work, long info) {
        require(leading >= n, "leading dimension");
        streams.enqueue(stream, () -> {
            spoil(work);
            HostNumbers.write(info, potrf(t, uplo, (int) n, a, (int) leading));
        });
    }

    /** Only one triangle is read and written. */
    private static int potrf(DType t, int uplo, int n, long a, int leading) {
        try (Arena arena = Arena.ofConfined()) {
            double[] before = HostNumbers.read(t, a, (long) leading * n);
            double[] clean = before.clone();
            boolean upper = uplo == 1;
            for (int j = 0; j < n; j++) {
                for (int i = 0; i < n; i++) {
                    clean[i + j * leading] = (upper ? i <= j : i >= j) ? before[i + j * leading] : 0;
                }
            }
            MemorySegment matrix = arena.allocateFrom(JAVA_DOUBLE, clean);
            int info = Lapacke.dpotrf_work(COLUMNS, upper ? 'U' : 'L', n, matrix, leading);
            double[] after = matrix.toArray(JAVA_DOUBLE);
            for (int j = 0; j < n; j++) {
                for (int i = 0; i < n; i++) {
                    if (upper ? i > j : i < j) {
                        after[i + j * leading] = before[i + j * leading];
                    }
                }
            }
            HostNumbers.write(t, a, after);
            return info;
        }
    }

    @Override
    public void potrfBatched(long stream, DType t, int uplo, int n, long array, int leading, long infos, int batch) {
        streams.enqueue(stream, () -> {
            for (int b = 0; b < batch; b++) {
                long a = NativeMemory.ALL.get(java.lang.foreign.ValueLayout.JAVA_LONG, array + 8L * b);
                HostNumbers.write(infos + 4L * b, potrf(t, uplo, n, a, leading));
            }
        });
    }

    @Override
    public Sizes syevdSizes(DType dtype, int uplo, long n, long leading) {
        return SIZES;
    }

    @Override
    public void syevd(long stream, DType t, int uplo, long n, long a, long leading, long w, Work work, long info) {
        streams.enqueue(stream, () -> {
            spoil(work);
            HostNumbers.write(info, syevd(t, uplo, n, a, leading, w));
        });
    }

    private static int syevd(DType t, int uplo, long n, long a, long leading, long w) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment matrix = load(arena, t, a, leading, n), values = arena.allocate(JAVA_DOUBLE, n);
            double[] all = matrix.toArray(JAVA_DOUBLE);
            for (int j = 0; j < n; j++) {
                for (int i = 0; i < n; i++) {
                    boolean read = uplo == 1 ? i <= j : i >= j;
                    int place = (int) (i + j * leading);
                    require(!read || Double.isFinite(all[place]), "numbers that are not finite are not said");
                    matrix.setAtIndex(JAVA_DOUBLE, place, read ? all[place] : 0);
                }
            }
            int info = Lapacke.dsyevd(COLUMNS, 'V', uplo == 1 ? 'U' : 'L', (int) n, matrix, (int) leading, values);
            store(t, matrix, a);
            store(t, values, w);
            return info;
        }
    }

    @Override
    public boolean hasSyevBatched() {
        return batchedEigen;
    }

    @Override
    public Sizes syevBatchedSizes(DType dtype, int uplo, long n, long leading, long batch) {
        return SIZES;
    }

    @Override
    public void syevBatched(
            long stream, DType t, int uplo, long n, long a, long leading, long w, Work work, long infos, long batch) {
        streams.enqueue(stream, () -> {
            spoil(work);
            for (long b = 0; b < batch; b++) {
                long matrix = a + b * leading * n * t.bytes();
                HostNumbers.write(infos + 4 * b, syevd(t, uplo, n, matrix, leading, w + b * n * t.bytes()));
            }
        });
    }

    @Override
    public Sizes geqrfSizes(DType dtype, long m, long n, long leading) {
        return SIZES;
    }

    @Override
    public void geqrf(long stream, DType t, long m, long n, long a, long leading, long tau, Work work, long info) {
        streams.enqueue(stream, () -> {
            spoil(work);
            require(leading >= m, "leading dimension");
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment matrix = load(arena, t, a, leading, n);
                MemorySegment taus = arena.allocate(JAVA_DOUBLE, Math.min(m, n));
                HostNumbers.write(info, Lapacke.dgeqrf(COLUMNS, (int) m, (int) n, matrix, (int) leading, taus));
                store(t, matrix, a);
                store(t, taus, tau);
            }
        });
    }

    @Override
    public Sizes orgqrSizes(DType dtype, int m, int n, int k, int leading) {
        return new Sizes(SIZES.device(), 0);
    }

    @Override
    public void orgqr(long stream, DType t, int m, int n, int k, long a, int leading, long tau, Work work, long info) {
        streams.enqueue(stream, () -> {
            require(m >= n && n >= k && leading >= m, "shape");
            spoil(work);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment matrix = load(arena, t, a, leading, n);
                HostNumbers.write(info, Lapacke.dorgqr(COLUMNS, m, n, k, matrix, leading, load(arena, t, tau, k, 1)));
                store(t, matrix, a);
            }
        });
    }

    @Override
    public Sizes gesvdSizes(DType dtype, long m, long n, long leading, long leadingU, long leadingVt) {
        return SIZES;
    }

    @Override
    public void gesvd(
            long stream,
            DType t,
            long m,
            long n,
            long a,
            long leading,
            long s,
            long u,
            long leadingU,
            long vt,
            long leadingVt,
            Work work,
            long info) {
        streams.enqueue(stream, () -> {
            require(m >= n, "gesvd supports m >= n only");
            require(leading >= m && leadingU >= m && leadingVt >= n, "leading dimension");
            spoil(work);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment matrix = load(arena, t, a, leading, n), values = arena.allocate(JAVA_DOUBLE, n);
                MemorySegment left = arena.allocate(JAVA_DOUBLE, leadingU * n);
                MemorySegment right = arena.allocate(JAVA_DOUBLE, leadingVt * n);
                HostNumbers.write(
                        info,
                        Lapacke.dgesdd(
                                COLUMNS,
                                'S',
                                (int) m,
                                (int) n,
                                matrix,
                                (int) leading,
                                values,
                                left,
                                (int) leadingU,
                                right,
                                (int) leadingVt));
                // What gesvd leaves of A is not defined.
                NativeMemory.segment(a, leading * n * t.bytes()).fill((byte) 0xff);
                store(t, values, s);
                store(t, left, u);
                store(t, right, vt);
            }
        });
    }

    @Override
    public List<String> report() {
        return List.of("emulated cuSOLVER");
    }

    @Override
    public void close() {}
}
