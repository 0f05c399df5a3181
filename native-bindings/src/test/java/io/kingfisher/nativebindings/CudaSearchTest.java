package io.kingfisher.nativebindings;

import static io.kingfisher.nativebindings.CudaLibrary.CUBLAS;
import static io.kingfisher.nativebindings.CudaLibrary.CUBLASLT;
import static io.kingfisher.nativebindings.CudaLibrary.CUDA;
import static io.kingfisher.nativebindings.CudaLibrary.CUSOLVER;
import static io.kingfisher.nativebindings.CudaLibrary.NCCL;
import static io.kingfisher.nativebindings.CudaLibrary.NVTX;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Searches folders laid out as toolkits and pip's wheels are, with libraries made by the C compiler. */
class CudaSearchTest {
    @TempDir
    Path folder;

    private final Map<String, String> properties = new HashMap<>();
    private final Map<String, String> variables = new HashMap<>();

    @BeforeAll
    static void compiler() {
        FakeLibraries.assumeCompiler();
    }

    private CudaSearch search() {
        return new CudaSearch(new CudaPlaces.Environment(properties::get, variables, folder.resolve("local"), false));
    }

    private LoadedLibrary load(CudaLibrary library) {
        return search().open(library).report();
    }

    private Path in(String path) {
        return folder.resolve(path);
    }

    /** Every kind of place has cuBLAS of another version; they are taken away one after the other. */
    @Test
    void theOrderOfPlaces() throws IOException {
        FakeLibraries.cublas(in("named/libcublas.so.12"), 12, 4);
        FakeLibraries.cublas(in("wheels/nvidia/cublas/lib/libcublas.so.12"), 12, 5);
        FakeLibraries.cublas(in("home/lib64/libcublas.so.12"), 12, 6);
        FakeLibraries.cublas(in("local/cuda/lib64/libcublas.so.12"), 12, 7);
        FakeLibraries.cublas(in("local/cuda-12.10/targets/x86_64-linux/lib/libcublas.so.12"), 12, 10);
        FakeLibraries.cublas(in("local/cuda-12.9/lib64/libcublas.so.12"), 12, 9);
        FakeLibraries.cublas(in("venv/lib/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12"), 12, 11);
        FakeLibraries.cublas(in("conda/lib/libcublas.so.12"), 12, 12);
        FakeLibraries.cublas(in("site/nvidia/cublas/lib/libcublas.so.12"), 12, 13);
        variables.putAll(Map.of(
                "KINGFISHER_CUBLAS_PATH", in("named").toString(),
                "KINGFISHER_WHEELS", in("wheels").toString(),
                "CUDA_HOME", in("home").toString(),
                "VIRTUAL_ENV", in("venv").toString(),
                "CONDA_PREFIX", in("conda").toString(),
                "PATH", python("printf '%s\\n' '" + in("site") + "'")));

        var found = load(CUBLAS);
        assertEquals("12.4.7", found.version());
        assertEquals("the environment variable KINGFISHER_CUBLAS_PATH", found.origin());
        variables.remove("KINGFISHER_CUBLAS_PATH");
        assertEquals("12.5.7", load(CUBLAS).version());
        variables.remove("KINGFISHER_WHEELS");
        found = load(CUBLAS);
        assertEquals("12.6.7", found.version());
        assertEquals("the environment variable CUDA_HOME (" + in("home") + ")", found.origin());
        assertEquals(in("home/lib64/libcublas.so.12").toRealPath(), found.path());
        variables.remove("CUDA_HOME");
        assertEquals("12.7.7", load(CUBLAS).version());
        Files.delete(in("local/cuda/lib64/libcublas.so.12"));
        found = load(CUBLAS);
        assertEquals("12.10.7", found.version());
        assertEquals(
                List.of("the toolkit (" + in("local/cuda") + "): it has no libcublas.so.13 or libcublas.so.12"),
                found.rejected());
        Files.delete(in("local/cuda-12.10/targets/x86_64-linux/lib/libcublas.so.12"));
        assertEquals("12.9.7", load(CUBLAS).version());
        Files.delete(in("local/cuda-12.9/lib64/libcublas.so.12"));
        assertEquals("12.11.7", load(CUBLAS).version());
        variables.remove("VIRTUAL_ENV");
        assertEquals("12.12.7", load(CUBLAS).version());
        variables.remove("CONDA_PREFIX");
        found = load(CUBLAS);
        assertEquals("12.13.7", found.version());
        assertEquals("python3 on the PATH (" + in("site") + ")", found.origin());
    }

    /** A PATH with nothing but a python3 that runs a shell's command. */
    private String python(String command) throws IOException {
        var python = in("bin/python3");
        Files.createDirectories(python.getParent());
        Files.writeString(python, "#!/bin/sh\n" + command + "\n");
        Files.setPosixFilePermissions(python, PosixFilePermissions.fromString("rwxr-xr-x"));
        return python.getParent().toString();
    }

    @Test
    void aPythonThatHangsOrFailsIsPassedOver() throws IOException {
        FakeLibraries.cublas(in("site/nvidia/cublas/lib/libcublas.so.12"), 12, 4);
        variables.put("PATH", python("sleep 60; printf '%s\\n' '" + in("site") + "'"));
        long start = System.nanoTime();
        assertThrows(NativeLibraryException.class, () -> load(CUBLAS));
        assertTrue(System.nanoTime() - start < 30e9, "Python was waited for");
        variables.put("PATH", python("echo /nowhere; exit 1"));
        assertThrows(NativeLibraryException.class, () -> load(CUBLAS));
    }

    /** Nobody but a profiler sees ranges. */
    @Test
    void pythonIsAskedForNvtxOnlyUnderAProfiler() throws IOException {
        FakeLibraries.compile(
                in("site/nvidia/cu13/lib/libnvtx3interop.so.1"), "int nvtxRangePushA(void) { return 0; }");
        variables.put("PATH", python("printf '%s\\n' '" + in("site") + "'"));
        assertTrue(search().report(NVTX).found().isEmpty());
        variables.put("NVTX_INJECTION64_PATH", "/opt/nsys/injection.so");
        assertEquals("3", load(NVTX).version());
    }

    /** The machine's own Python says where it keeps packages, without running what is installed there. */
    @Test
    void whatPythonAnswers() {
        for (var site : PythonSites.ask(System.getenv("PATH"))) {
            assertTrue(Path.of(site).isAbsolute() && site.endsWith("-packages"), site);
        }
        assertEquals(List.of(), PythonSites.ask(null));
        assertEquals(List.of(), PythonSites.ask("/nowhere:"));
    }

    @Test
    void anExplicitFileIsUsedOrRefused() throws IOException {
        variables.put("CUDA_HOME", in("home").toString());
        FakeLibraries.cublas(in("home/lib64/libcublas.so.12"), 12, 6);
        properties.put(
                "kingfisher.cublas.path", in("home/lib64/libcublas.so.12").toString());
        assertEquals("12.6.7", load(CUBLAS).version());
        properties.put("kingfisher.cublas.path", in("home").toString());
        assertEquals("12.6.7", load(CUBLAS).version());

        refuse("kingfisher.cublas.path", in("absent.so"), "there is no such file");
        refuse(
                "kingfisher.cublas.path",
                Files.createDirectory(in("empty")),
                "it has no libcublas.so.13 or libcublas.so.12");
        refuse("kingfisher.cublas.path", Files.writeString(in("text.so"), "text"), "it is not a shared library");
        refuse("kingfisher.cublas.path", FakeLibraries.cublas(in("old.so"), 12, 3), "its version is 12.3.7");
        var other = FakeLibraries.compile(in("other.so"), "int other(void) { return 0; }");
        refuse("kingfisher.cublas.path", other, "it has no function cublasGemmStridedBatchedEx_64");
    }

    private void refuse(String property, Path value, String why) {
        properties.put(property, value.toString());
        var e = assertThrows(NativeLibraryException.class, () -> load(CUBLAS));
        assertTrue(e.getMessage().startsWith("the system property " + property + " names " + value), e.getMessage());
        assertTrue(e.getMessage().contains(why), e.getMessage());
    }

    @Test
    void aDamagedLibraryIsPassedOverAndReported() throws IOException {
        variables.put("CUDA_HOME", in("home").toString());
        var damaged = FakeLibraries.cublas(in("home/lib64/libcublas.so.13"), 13, 0);
        try (var file = java.nio.channels.FileChannel.open(damaged, java.nio.file.StandardOpenOption.WRITE)) {
            file.truncate(file.size() / 2);
        }
        FakeLibraries.cublas(in("home/lib64/libcublas.so.12"), 12, 8);
        var found = load(CUBLAS);
        assertEquals("12.8.7", found.version());
        assertEquals(1, found.rejected().size());
        assertTrue(found.rejected().getFirst().startsWith(damaged + ": it is truncated"), found::toString);
    }

    @Test
    void aDriverTooOldForALibraryPassesItOver() {
        variables.put("CUDA_HOME", in("home").toString());
        FakeLibraries.cublas(in("home/lib64/libcublas.so.13"), 13, 0);
        FakeLibraries.cublas(in("home/lib64/libcublas.so.12"), 12, 8);
        properties.put(
                "kingfisher.cuda.path",
                FakeLibraries.driver(in("d12/libcuda.so.1"), 12080).toString());
        var found = load(CUBLAS);
        assertEquals("12.8.7", found.version());
        assertTrue(
                found.rejected().getFirst().contains("it is of CUDA 13, and the driver supports CUDA 12.8"),
                found::toString);
        properties.put(
                "kingfisher.cuda.path",
                FakeLibraries.driver(in("d13/libcuda.so.1"), 13000).toString());
        assertEquals("13.0.7", load(CUBLAS).version());
        assertEquals("13.0", load(CUDA).version());
        properties.put(
                "kingfisher.cuda.path",
                FakeLibraries.driver(in("d11/libcuda.so.1"), 11080).toString());
        var e = assertThrows(NativeLibraryException.class, () -> load(CUDA));
        assertTrue(
                e.getMessage().contains("its version is 11.8, and Kingfisher needs the CUDA driver 12.4"), e::toString);
    }

    /** The wheels of CUDA 12 hold each library in a folder of its own, without a path from one to the other. */
    @Test
    void dependenciesInTheWheelsBeside() throws IOException {
        var nvidia = "venv/lib/python3.11/site-packages/nvidia/";
        var link = FakeLibraries.compile(
                in(nvidia + "nvjitlink/lib/libnvJitLink.so.12"), "int fake_link(void) { return 1; }");
        var sparse = FakeLibraries.compile(
                in(nvidia + "cusparse/lib/libcusparse.so.12"),
                "int fake_link(void); int sparse(void) { return fake_link(); }",
                link.toString());
        FakeLibraries.cublas(in(nvidia + "cublas/lib/libcublas.so.12"), 12, 4);
        var source = """
                int sparse(void);
                int cusolverGetProperty(int type, int *value) { *value = type == 0 ? 11 : type == 1 ? 6 : sparse(); return 0; }
                int cusolverDnXsyevd(void) { return 0; }
                """;
        FakeLibraries.compile(in(nvidia + "cusolver/lib/libcusolver.so.11"), source, sparse.toString());
        variables.put("VIRTUAL_ENV", in("venv").toString());
        var found = load(CUSOLVER);
        assertEquals("11.6.1", found.version());
        assertEquals(
                List.of("libcublas.so.12", "libnvJitLink.so.12", "libcusparse.so.12"),
                found.dependencies().stream()
                        .map(file -> file.getFileName().toString())
                        .toList());
    }

    /** Since CUDA 13 the wheels share one folder. It goes before those of other versions. */
    @Test
    void theWheelsOfCuda13() {
        var nvidia = "wheels/nvidia/";
        FakeLibraries.cublas(in(nvidia + "cublas/lib/libcublas.so.12"), 12, 8);
        FakeLibraries.cublas(in(nvidia + "cu13/lib/libcublas.so.13"), 13, 0);
        FakeLibraries.properties(in(nvidia + "cu13/lib/libcublasLt.so.13"), "cublasLt", 13, 0, "cublasLtMatmul");
        properties.put("kingfisher.wheels", in("wheels").toString());
        var search = search();
        var cublas = search.open(CUBLAS).report();
        assertEquals("13.0.7", cublas.version());
        assertEquals(List.of(search.open(CUBLASLT).report().path()), cublas.dependencies());
    }

    @Test
    void theReportNamesEveryPlaceAndWhatToDo() {
        variables.put("CUDA_HOME", in("home").toString());
        FakeLibraries.cublas(in("home/lib64/libcublas.so.12"), 12, 8);
        var search = search();
        var report = search.report(NCCL);
        assertTrue(report.found().isEmpty());
        assertEquals(
                List.of("the environment variable CUDA_HOME (" + in("home") + "): it has no libnccl.so.2"),
                report.rejected());
        assertTrue(report.toString().startsWith("nccl not found: install NCCL 2.18 or newer"), report::toString);
        var found = search.report(CUBLAS);
        assertTrue(found.found().isPresent());
        assertTrue(found.toString().startsWith("cublas 12.8.7 ("), found::toString);
        assertFalse(search.loaded().isEmpty());
    }

    @Test
    void withoutADriverItSaysSo() {
        properties.put("kingfisher.cuda.path", in("nowhere").toString());
        var e = assertThrows(NativeLibraryException.class, () -> load(CUDA));
        assertTrue(
                e.getMessage().contains("which cannot be used as the CUDA driver: there is no such file"), e::toString);
        // Who names a driver expects a GPU.
        assertTrue(search().hasDriver());
        properties.clear();
        assertFalse(search().hasDriver());
        var none = assertThrows(NativeLibraryException.class, () -> load(CUDA));
        assertTrue(none.getMessage().startsWith("no NVIDIA driver: "), none::toString);
        assertTrue(none.getMessage().contains("install NVIDIA's driver, version 550 or newer"), none::toString);
        assertEquals(CudaLibrary.values().length, Libraries.cudaReport().size());
    }

    @Test
    void versionsInNamesAreCompared() {
        assertTrue(CudaPlaces.compareVersions("cuda-12.10", "cuda-12.9") > 0);
        assertTrue(CudaPlaces.compareVersions("cuda-13.0", "cuda-12.9") > 0);
        assertTrue(CudaPlaces.compareVersions("cuda-13", "cuda-13.0") < 0);
        assertEquals(0, CudaPlaces.compareVersions("cuda", "cuda"));
    }
}
