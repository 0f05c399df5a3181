// Libraries with the names and parameters of NVIDIA's, for tests of how they are called: on the processor, in float and double,
// at once. Written from the documentation; what the real ones would refuse is refused with status 7 and a line on stderr.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <vector>

#define REQUIRE(condition)                                                                  \
    if (!(condition)) {                                                                     \
        fprintf(stderr, "%s refuses, line %d: %s\n", __func__, __LINE__, #condition);       \
        return 7;                                                                           \
    }
#define API extern "C" int
typedef int64_t i64;
typedef void* ptr;

static const int F32 = 0, F64 = 1;
static double get(int type, const void* p, i64 i) { return type == F64 ? ((const double*)p)[i] : ((const float*)p)[i]; }
static void put(int type, void* p, i64 i, double x) {
    if (type == F64) ((double*)p)[i] = x; else ((float*)p)[i] = (float)x;
}

static int property(int type, int* value, int major) { *value = type == 0 ? major : type == 1 ? 0 : 2; return 0; }
API cublasGetProperty(int t, int* v) { return property(t, v, 13); }
API cublasLtGetProperty(int t, int* v) { return property(t, v, 13); }
API cusolverGetProperty(int t, int* v) { return property(t, v, 12); }
API cudnnGetProperty(int t, int* v) { return property(t, v, 9); }
extern "C" size_t cudnnGetCudartVersion() { return 13000; }
extern "C" size_t cudnnGetVersion() { return 90002; }
extern "C" const char* cublasGetStatusName(int) { return "REFUSED"; }
extern "C" const char* cublasGetStatusString(int) { return "see stderr"; }
extern "C" const char* cublasLtGetStatusName(int) { return "REFUSED"; }
extern "C" const char* cublasLtGetStatusString(int) { return "see stderr"; }
extern "C" const char* cudnnGetErrorString(int) { return "REFUSED"; }
extern "C" void cudnnGetLastErrorString(char* message, size_t) { *message = 0; }

// cuBLAS: column-major.
struct Handle { ptr stream = nullptr; ptr workspace = nullptr; size_t bytes = 0; };
API cublasCreate_v2(ptr* h) { *h = new Handle(); return 0; }
API cublasDestroy_v2(ptr h) { delete (Handle*)h; return 0; }
API cublasSetStream_v2(ptr h, ptr s) { Handle* x = (Handle*)h; x->stream = s; x->workspace = nullptr; return 0; }
API cublasSetWorkspace_v2(ptr h, ptr w, size_t n) { REQUIRE(w && n >= 4 << 20); ((Handle*)h)->workspace = w; return 0; }
API cublasSetPointerMode_v2(ptr, int mode) { REQUIRE(mode == 0); return 0; }
API cublasSetAtomicsMode(ptr, int mode) { REQUIRE(mode == 0); return 0; }
API cublasSetMathMode(ptr, int mode) { REQUIRE(mode == 0); return 0; }

static bool bit(const void* p, i64 i) { return ((const uint8_t*)p)[i / 8] >> i % 8 & 1; }
static void bit(void* p, i64 i, bool value) {
    uint8_t* byte = (uint8_t*)p + i / 8;
    *byte = (*byte & ~(1 << i % 8)) | value << i % 8;
}
// The bits of an epilogue: 2 ReLU, 4 bias, 8 ReLU's gradient, 16 bias gradient of D, 32 GELU, 64 its gradient, 128 AUX,
// 256 and 512 bias gradients of A and B.
static void product(int type, int ta, int tb, i64 m, i64 n, i64 k, const void* a, i64 lda, i64 sa, const void* b, i64 ldb,
                    i64 sb, void* c, i64 ldc, i64 sc, i64 batch, int epilogue, void* bias, void* aux = nullptr,
                    i64 ldaux = 0) {
    const double root = sqrt(2 / M_PI);
    std::vector<double> sums(epilogue & 512 ? n : m);
    for (i64 p = 0; p < batch; p++)
        for (i64 j = 0; j < n; j++)
            for (i64 i = 0; i < m; i++) {
                double sum = 0;
                for (i64 l = 0; l < k; l++) {
                    double x = get(type, a, p * sa + (ta ? l + i * lda : i + l * lda));
                    double y = get(type, b, p * sb + (tb ? j + l * ldb : l + j * ldb));
                    sum += x * y;
                    if (epilogue & 256 && j == 0) sums[i] += x;
                    if (epilogue & 512 && i == 0) sums[j] += y;
                }
                i64 place = i + j * ldaux;
                if (epilogue & 4) sum += get(type, bias, i);
                if (epilogue & 2) {
                    if (epilogue & 128) bit(aux, place, sum > 0);
                    sum = sum > 0 ? sum : 0;
                }
                if (epilogue & 32) {
                    if (epilogue & 128) put(type, aux, place, sum);
                    sum = 0.5 * sum * (1 + tanh(root * (sum + 0.044715 * sum * sum * sum)));
                }
                if (epilogue & 8) sum = bit(aux, place) ? sum : 0;
                if (epilogue & 64) {
                    double x = get(type, aux, place), t = tanh(root * (x + 0.044715 * x * x * x));
                    sum *= 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * root * (1 + 3 * 0.044715 * x * x);
                }
                if (epilogue & 16) sums[i] += sum;
                put(type, c, p * sc + i + j * ldc, sum);
            }
    if (epilogue & (16 | 256 | 512))
        for (i64 i = 0; i < (i64)sums.size(); i++) put(type, bias, i, sums[i]);
}
API cublasGemmStridedBatchedEx_64(ptr h, int ta, int tb, i64 m, i64 n, i64 k, const void* alpha, const void* a, int at,
                                  i64 lda, i64 sa, const void* b, int bt, i64 ldb, i64 sb, const void* beta, void* c, int ct,
                                  i64 ldc, i64 sc, i64 batch, int compute, int) {
    REQUIRE(((Handle*)h)->workspace && at == bt && bt == ct && ct <= F64);
    REQUIRE(get(ct, alpha, 0) == 1 && get(ct, beta, 0) == 0 && compute == (ct == F64 ? 70 : 68));
    product(ct, ta, tb, m, n, k, a, lda, sa, b, ldb, sb, c, ldc, sc, batch, 0, nullptr);
    return 0;
}
static int trsm(int type, int side, int uplo, int trans, int m, int n, const void* a, int lda, void* b, int ldb) {
    int size = side == 0 ? m : n;
    REQUIRE(lda >= size && ldb >= m);
    bool backward = (side == 0) == ((uplo == 1) != (trans == 1));
    for (int line = 0; line < (side == 0 ? n : m); line++)
        for (int step = 0; step < size; step++) {
            int i = backward ? size - 1 - step : step;
            auto at = [&](int x) { return side == 0 ? x + (i64)line * ldb : line + (i64)x * ldb; };
            double rest = get(type, b, at(i));
            for (int done = 0; done < step; done++) {
                int l = backward ? size - 1 - done : done;
                int row = (side == 0) != (trans == 1) ? i : l, column = (side == 0) != (trans == 1) ? l : i;
                rest -= get(type, a, row + (i64)column * lda) * get(type, b, at(l));
            }
            put(type, b, at(i), rest / get(type, a, i + (i64)i * lda));
        }
    return 0;
}
#define TRSM(letter, type)                                                                                                 \
    API cublas##letter##trsm_v2(ptr h, int side, int uplo, int trans, int diag, int m, int n, const void* alpha,          \
                                const void* a, int lda, void* b, int ldb) {                                                \
        REQUIRE(((Handle*)h)->workspace && diag == 0 && get(type, alpha, 0) == 1);                                         \
        return trsm(type, side, uplo, trans, m, n, a, lda, b, ldb);                                                        \
    }                                                                                                                      \
    API cublas##letter##trsmBatched(ptr h, int side, int uplo, int trans, int diag, int m, int n, const void* alpha,      \
                                    void* const* a, int lda, void* const* b, int ldb, int batch) {                         \
        REQUIRE(((Handle*)h)->workspace && diag == 0 && get(type, alpha, 0) == 1);                                         \
        for (int p = 0; p < batch; p++)                                                                                    \
            if (trsm(type, side, uplo, trans, m, n, a[p], lda, b[p], ldb)) return 7;                                       \
        return 0;                                                                                                          \
    }                                                                                                                      \
    API cublas##letter##syrk_v2(ptr h, int uplo, int trans, int n, int k, const void* alpha, const void* a, int lda,      \
                                const void* beta, void* c, int ldc) {                                                      \
        REQUIRE(((Handle*)h)->workspace && get(type, alpha, 0) == 1 && get(type, beta, 0) == 0);                           \
        for (int j = 0; j < n; j++)                                                                                        \
            for (int i = 0; i < n; i++) {                                                                                  \
                if (uplo == 1 ? i > j : i < j) continue;                                                                   \
                double sum = 0;                                                                                            \
                for (int l = 0; l < k; l++)                                                                                \
                    sum += trans ? get(type, a, l + (i64)i * lda) * get(type, a, l + (i64)j * lda)                         \
                                 : get(type, a, i + (i64)l * lda) * get(type, a, j + (i64)l * lda);                        \
                put(type, c, i + (i64)j * ldc, sum);                                                                       \
            }                                                                                                              \
        return 0;                                                                                                          \
    }
TRSM(S, F32)
TRSM(D, F64)

// cuBLASLt.
struct Desc { int compute, scale, ta = 0, tb = 0, epilogue = 1; ptr bias = nullptr, aux = nullptr; i64 ldaux = 0; };
struct Layout { int type; i64 rows, columns, ld; int batch = 1; i64 stride = 0; };
struct Result { uint64_t algo[8]; size_t workspace; int state; float waves; int reserved[4]; };
API cublasLtCreate(ptr* h) { *h = new int(0); return 0; }
API cublasLtDestroy(ptr h) { delete (int*)h; return 0; }
API cublasLtMatmulDescCreate(ptr* d, int compute, int scale) { *d = new Desc{compute, scale}; return 0; }
API cublasLtMatmulDescDestroy(ptr d) { delete (Desc*)d; return 0; }
API cublasLtMatmulDescSetAttribute(ptr d, int name, const void* value, size_t bytes) {
    Desc* x = (Desc*)d;
    REQUIRE(bytes == (name == 8 || name == 11 || name == 12 ? 8 : 4));
    if (name == 3) x->ta = *(int*)value;
    else if (name == 4) x->tb = *(int*)value;
    else if (name == 7) x->epilogue = *(int*)value;
    else if (name == 8) x->bias = *(ptr*)value;
    else if (name == 11) x->aux = *(ptr*)value;
    else if (name == 12) x->ldaux = *(i64*)value;
    else REQUIRE(!"a known attribute");
    return 0;
}
API cublasLtMatrixLayoutCreate(ptr* l, int type, uint64_t rows, uint64_t columns, i64 ld) {
    REQUIRE(ld >= (i64)rows);
    *l = new Layout{type, (i64)rows, (i64)columns, ld};
    return 0;
}
API cublasLtMatrixLayoutDestroy(ptr l) { delete (Layout*)l; return 0; }
API cublasLtMatrixLayoutSetAttribute(ptr l, int name, const void* value, size_t bytes) {
    REQUIRE(bytes == (name == 5 ? 4 : 8) && (name == 5 || name == 6));
    if (name == 5) ((Layout*)l)->batch = *(int*)value; else ((Layout*)l)->stride = *(i64*)value;
    return 0;
}
API cublasLtMatmulPreferenceCreate(ptr* p) { *p = new i64(0); return 0; }
API cublasLtMatmulPreferenceDestroy(ptr p) { delete (i64*)p; return 0; }
API cublasLtMatmulPreferenceSetAttribute(ptr p, int name, const void* value, size_t bytes) {
    REQUIRE(name == 1 ? bytes == 8 : name >= 5 && name <= 8 && bytes == 4);
    if (name == 1) *(i64*)p = *(i64*)value;
    return 0;
}
API cublasLtMatmulAlgoGetHeuristic(ptr, ptr d, ptr a, ptr b, ptr c, ptr e, ptr p, int asked, Result* found, int* count) {
    REQUIRE(d && a && b && c == e && asked >= 2 && *(i64*)p >= 512);
    Desc* x = (Desc*)d;
    int whole = x->epilogue & (2 | 8) ? 128 : 8;
    REQUIRE(!(x->epilogue & 128) == (x->ldaux == 0) && x->ldaux % whole == 0);
    memset(found, 0, 2 * sizeof(Result));
    found[0].state = 15;
    found[1].algo[0] = 42;
    found[1].workspace = 512;
    *count = 2;
    return 0;
}
API cublasLtMatmul(ptr, ptr desc, const void* alpha, const void* a, ptr al, const void* b, ptr bl, const void* beta,
                   const void* c, ptr cl, void* d, ptr dl, const uint64_t* algo, void* workspace, size_t bytes, ptr stream) {
    Desc* x = (Desc*)desc;
    Layout *A = (Layout*)al, *B = (Layout*)bl, *D = (Layout*)dl;
    REQUIRE(c == d && cl == dl && algo[0] == 42 && workspace && bytes == 512 && stream);
    REQUIRE(A->type == B->type && B->type == D->type && D->type <= F64 && A->batch == B->batch && B->batch == D->batch);
    REQUIRE(get(x->scale, alpha, 0) == 1 && get(x->scale, beta, 0) == 0 && x->scale == D->type);
    i64 k = x->ta ? A->rows : A->columns;
    REQUIRE((x->ta ? A->columns : A->rows) == D->rows && (x->tb ? B->rows : B->columns) == D->columns);
    REQUIRE((x->tb ? B->columns : B->rows) == k && !(x->epilogue & (4 | 16 | 256 | 512)) == (x->bias == nullptr));
    REQUIRE(!(x->epilogue & 128) == (x->aux == nullptr) && (x->aux == nullptr || x->ldaux >= D->rows));
    memset(workspace, 0xff, bytes);
    product(D->type, x->ta, x->tb, D->rows, D->columns, k, a, A->ld, A->stride, b, B->ld, B->stride, d, D->ld, D->stride,
            D->batch, x->epilogue, x->bias, x->aux, x->ldaux);
    return 0;
}

// cuSOLVER: Cholesky's factorization computes; the others check what they are given and leave zeros.
API cusolverDnCreate(ptr* h) { *h = new Handle(); return 0; }
API cusolverDnDestroy(ptr h) { delete (Handle*)h; return 0; }
API cusolverDnSetStream(ptr h, ptr s) { ((Handle*)h)->stream = s; return 0; }
API cusolverDnSetDeterministicMode(ptr, int mode) { REQUIRE(mode == 1); return 0; }
API cusolverDnCreateParams(ptr* p) { *p = new int(0); return 0; }
API cusolverDnDestroyParams(ptr p) { delete (int*)p; return 0; }
static int sizes(size_t* device, size_t* host) { *device = 768; *host = 96; return 0; }
static int potrf(int type, int uplo, i64 n, void* a, i64 lda, int* info) {
    auto at = [&](i64 i, i64 j) { return uplo == 1 ? j + i * lda : i + j * lda; };
    *info = 0;
    for (i64 j = 0; j < n; j++)
        for (i64 i = j; i < n; i++) {
            double rest = get(type, a, at(i, j));
            for (i64 l = 0; l < j; l++) rest -= get(type, a, at(i, l)) * get(type, a, at(j, l));
            if (i == j && !(rest > 0)) { *info = (int)j + 1; return 0; }
            put(type, a, at(i, j), i == j ? sqrt(rest) : rest / get(type, a, at(j, j)));
        }
    return 0;
}
#define WORK REQUIRE(h && params && work && workBytes >= 768 && host && hostBytes >= 96 && info); \
    memset(work, 0xff, workBytes); memset(host, 0xff, hostBytes);
API cusolverDnXpotrf_bufferSize(ptr, ptr, int uplo, i64 n, int, const void*, i64 lda, int, size_t* d, size_t* s) {
    REQUIRE(uplo == 1 && lda >= n);
    return sizes(d, s);
}
API cusolverDnXpotrf(ptr h, ptr params, int uplo, i64 n, int type, void* a, i64 lda, int compute, void* work,
                     size_t workBytes, void* host, size_t hostBytes, int* info) {
    WORK
    REQUIRE(type == compute);
    return potrf(type, uplo, n, a, lda, info);
}
API cusolverDnSpotrfBatched(ptr, int uplo, int n, void** a, int lda, int* infos, int batch) {
    for (int b = 0; b < batch; b++) potrf(F32, uplo, n, a[b], lda, infos + b);
    return 0;
}
API cusolverDnDpotrfBatched(ptr, int uplo, int n, void** a, int lda, int* infos, int batch) {
    for (int b = 0; b < batch; b++) potrf(F64, uplo, n, a[b], lda, infos + b);
    return 0;
}
API cusolverDnXsyevd_bufferSize(ptr, ptr, int jobz, int uplo, i64 n, int, const void*, i64 lda, int, const void*, int,
                                size_t* d, size_t* s) {
    REQUIRE(jobz == 1 && uplo == 1 && lda >= n);
    return sizes(d, s);
}
API cusolverDnXsyevd(ptr h, ptr params, int jobz, int, i64 n, int type, void* a, i64, int typeW, void* w, int compute,
                     void* work, size_t workBytes, void* host, size_t hostBytes, int* info) {
    WORK
    REQUIRE(jobz == 1 && a && type == typeW && type == compute);
    for (i64 i = 0; i < n; i++) put(type, w, i, 0);
    *info = 0;
    return 0;
}
API cusolverDnXsyevBatched_bufferSize(ptr, ptr, int jobz, int uplo, i64 n, int, const void*, i64 lda, int, const void*, int,
                                      size_t* d, size_t* s, i64 batch) {
    REQUIRE(jobz == 1 && uplo == 1 && lda >= n && batch > 1);
    return sizes(d, s);
}
API cusolverDnXsyevBatched(ptr h, ptr params, int, int, i64 n, int type, void* a, i64, int typeW, void* w, int compute,
                           void* work, size_t workBytes, void* host, size_t hostBytes, int* info, i64 batch) {
    WORK
    REQUIRE(a && type == typeW && type == compute);
    for (i64 i = 0; i < n * batch; i++) put(type, w, i, 0);
    for (i64 b = 0; b < batch; b++) info[b] = 0;
    return 0;
}
API cusolverDnXgeqrf_bufferSize(ptr, ptr, i64 m, i64, int, const void*, i64 lda, int, const void*, int, size_t* d, size_t* s) {
    REQUIRE(lda >= m);
    return sizes(d, s);
}
API cusolverDnXgeqrf(ptr h, ptr params, i64 m, i64 n, int type, void* a, i64 lda, int typeTau, void* tau, int compute,
                     void* work, size_t workBytes, void* host, size_t hostBytes, int* info) {
    WORK
    REQUIRE(a && lda >= m && type == typeTau && type == compute);
    for (i64 i = 0; i < (m < n ? m : n); i++) put(type, tau, i, 0);
    *info = 0;
    return 0;
}
#define ORGQR(letter, type)                                                                                          \
    API cusolverDn##letter##orgqr_bufferSize(ptr, int m, int n, int k, const void*, int lda, const void*, int* l) { \
        REQUIRE(m >= n && n >= k && lda >= m);                                                                       \
        *l = 32;                                                                                                     \
        return 0;                                                                                                    \
    }                                                                                                                \
    API cusolverDn##letter##orgqr(ptr, int m, int n, int k, void* a, int lda, const void* tau, void* work,          \
                                  int l, int* info) {                                                                \
        REQUIRE(m >= n && n >= k && lda >= m && a && tau && work && l >= 32 && info);                                \
        *info = 0;                                                                                                   \
        return 0;                                                                                                    \
    }
ORGQR(S, F32)
ORGQR(D, F64)
API cusolverDnXgesvd_bufferSize(ptr, ptr, char u, char v, i64 m, i64 n, int, const void*, i64 lda, int, const void*, int,
                                const void*, i64 ldu, int, const void*, i64 ldvt, int, size_t* d, size_t* s) {
    REQUIRE(u == 'S' && v == 'S' && m >= n && lda >= m && ldu >= m && ldvt >= n);
    return sizes(d, s);
}
API cusolverDnXgesvd(ptr h, ptr params, char u, char v, i64 m, i64 n, int type, void* a, i64 lda, int ts, void* s, int tu,
                     void* U, i64 ldu, int tv, void* V, i64 ldvt, int compute, void* work, size_t workBytes, void* host,
                     size_t hostBytes, int* info) {
    WORK
    REQUIRE(u == 'S' && v == 'S' && m >= n && lda >= m && ldu >= m && ldvt >= n && a && U && V);
    REQUIRE(type == ts && ts == tu && tu == tv && tv == compute);
    for (i64 i = 0; i < n; i++) put(type, s, i, 0);
    for (i64 i = 0; i < ldu * n; i++) put(type, U, i, 0);
    for (i64 i = 0; i < ldvt * n; i++) put(type, V, i, 0);
    *info = 0;
    return 0;
}

// cuDNN's graph interface: descriptors keep their attributes; a plan carries out a forward convolution. Mode A proposes an
// engine with tensor cores, one that cannot be built, and one that can.
struct Attribute { int type; i64 count; std::vector<char> data; };
struct Object { int type; bool final = false; std::map<int, Attribute> attributes; int engine = 0; };
static i64 size(int type) { return type == 2 ? 1 : type == 0 || (type >= 3 && type <= 6 && type != 4) || type == 15 ? 8 : 4; }
template <class T> static const T* all(ptr o, int name) { return (const T*)((Object*)o)->attributes[name].data.data(); }
API cudnnCreate(ptr* h) { *h = new Handle(); return 0; }
API cudnnDestroy(ptr h) { delete (Handle*)h; return 0; }
API cudnnSetStream(ptr h, ptr s) { ((Handle*)h)->stream = s; return 0; }
API cudnnBackendCreateDescriptor(int type, ptr* d) { *d = new Object{type}; return 0; }
API cudnnBackendDestroyDescriptor(ptr d) { delete (Object*)d; return 0; }
API cudnnBackendSetAttribute(ptr d, int name, int type, i64 count, const void* values) {
    Object* o = (Object*)d;
    REQUIRE(!o->final && values && count > 0 && !o->attributes.count(name));
    const char* bytes = (const char*)values;
    o->attributes[name] = {type, count, std::vector<char>(bytes, bytes + size(type) * count)};
    if (type == 15)
        for (i64 i = 0; i < count; i++) REQUIRE(((Object**)values)[i]->final);
    return 0;
}
API cudnnBackendFinalize(ptr d) {
    Object* o = (Object*)d;
    REQUIRE(!o->final);
    if (o->type == 4 && *all<int>(d, 200) != 3) return 3000;
    if (o->type == 5) {
        REQUIRE(o->attributes.count(400));
        if ((*all<Object*>(d, 401))->engine == 8) return 3000;
    }
    o->final = true;
    return 0;
}
API cudnnBackendGetAttribute(ptr d, int name, int type, i64 asked, i64* count, void* values) {
    Object* o = (Object*)d;
    REQUIRE(o->final);
    if (name == 202) {
        REQUIRE(type == 15);
        *count = asked == 0 ? 3 : asked;
        for (i64 i = 0; i < asked; i++) {
            Object* config = ((Object**)values)[i];
            REQUIRE(config->type == 3);
            config->engine = 7 + (int)i;
            config->final = true;
            config->attributes[201] = o->attributes[201];
        }
    } else if (name == 300) {
        Object* engine = *(Object**)values;
        REQUIRE(engine->type == 2 && type == 15);
        engine->engine = o->engine;
        engine->final = true;
        *count = 1;
    } else if (name == 1303) {
        REQUIRE(type == 11);
        *count = o->engine == 7 ? 1 : 0;
        if (o->engine == 7) *(int*)values = 0;
    } else if (name == 1301) {
        *(i64*)values = o->engine;
        *count = 1;
    } else if (name == 402) {
        *(i64*)values = 1024;
        *count = 1;
    } else {
        REQUIRE(!"a known attribute");
    }
    return 0;
}
API cudnnBackendExecute(ptr h, ptr plan, ptr pack) {
    REQUIRE(((Handle*)h)->stream && ((Object*)plan)->final && ((Object*)pack)->final);
    ptr config = *all<ptr>(plan, 401), graph = *all<ptr>(config, 201), op = *all<ptr>(graph, 801);
    REQUIRE(((Object*)config)->engine == 9 && ((Object*)op)->type == 10);
    std::map<i64, float*> memory;
    for (int i = 0; i < ((Object*)pack)->attributes[1000].count; i++) memory[all<i64>(pack, 1000)[i]] = all<float*>(pack, 1001)[i];
    memset(*all<ptr>(pack, 1003), 0xff, 1024);
    ptr x = *all<ptr>(op, 704), w = *all<ptr>(op, 703), y = *all<ptr>(op, 705), conv = *all<ptr>(op, 702);
    const i64 *dx = all<i64>(x, 902), *sx = all<i64>(x, 903), *dw = all<i64>(w, 902), *sw = all<i64>(w, 903);
    const i64 *dy = all<i64>(y, 902), *sy = all<i64>(y, 903);
    const i64 *dilation = all<i64>(conv, 102), *stride = all<i64>(conv, 103), *padding = all<i64>(conv, 105);
    float *X = memory[*all<i64>(x, 906)], *W = memory[*all<i64>(w, 906)], *Y = memory[*all<i64>(y, 906)];
    i64 outs = dw[0] / (dx[1] / dw[1]);
    for (i64 n = 0; n < dy[0]; n++)
        for (i64 o = 0; o < dy[1]; o++)
            for (i64 p = 0; p < dy[2]; p++)
                for (i64 q = 0; q < dy[3]; q++) {
                    double sum = 0;
                    for (i64 c = 0; c < dw[1]; c++)
                        for (i64 r = 0; r < dw[2]; r++)
                            for (i64 s = 0; s < dw[3]; s++) {
                                i64 u = p * stride[0] + r * dilation[0] - padding[0], v = q * stride[1] + s * dilation[1] - padding[1];
                                if (u >= 0 && u < dx[2] && v >= 0 && v < dx[3])
                                    sum += (double)X[n * sx[0] + (o / outs * dw[1] + c) * sx[1] + u * sx[2] + v * sx[3]] *
                                           W[o * sw[0] + c * sw[1] + r * sw[2] + s * sw[3]];
                            }
                    Y[n * sy[0] + o * sy[1] + p * sy[2] + q * sy[3]] = (float)sum;
                }
    return 0;
}
