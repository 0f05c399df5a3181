/**
 * Finding, loading and reporting native libraries, and memory outside of the Java heap. The packages below this one hold
 * the bindings: for each library what jextract generated from its C headers ({@code generated}), and on top of it calls
 * that check every status.
 *
 * <p>All restricted methods of the Foreign Function &amp; Memory API are called in this module, so a program needs one flag:
 * {@code --enable-native-access=io.kingfisher.nativebindings}.
 *
 * <p>Threads: the oneDNN of {@code org.bytedeco:dnnl} for Linux is built for OpenMP and linked to GNU's runtime
 * ({@code libgomp.so.1}, which lies beside it in the jar). The OpenBLAS of {@code org.bytedeco:openblas} has a pool of its own
 * on plain POSIX threads and knows nothing of OpenMP. {@link io.kingfisher.nativebindings.NativeThreads} sets the sizes of
 * both, and {@link io.kingfisher.nativebindings.OpenMpTeam} runs Java code on OpenMP's threads. Of the platforms, only linux-x86_64 is tested.
 */
package io.kingfisher.nativebindings;
