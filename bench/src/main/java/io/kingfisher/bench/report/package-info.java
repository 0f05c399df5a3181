/** Measures this engine and libtorch side by side, in rounds that take turns, and writes docs/benchmarks.md. */
package io.kingfisher.bench.report;
