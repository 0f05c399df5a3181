#!/bin/sh
# report.sh [--quick] [--models M,...] [--rounds N] [--help]
#
# Measures this engine beside libtorch and writes docs/benchmarks.md with its charts; with --quick into bench/target/quick.
# The whole takes about an hour on 2 cores, and wants the machine for itself. Builds bench/target/benchmarks.jar first, with
# MKL, unless BUILD=no.
set -eu
cd "$(dirname "$0")/.."
[ "${BUILD:-yes}" = no ] || ./mvnw -q -B -Dquick -Pmkl -Dmaven.test.skip=true -Ddist.skip=true package -pl bench -am
java=$(./.mvn/find-jdk java)/bin/java
exec "$java" --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED -cp "${BENCH_CLASSPATH:-bench/target/benchmarks.jar}" \
  io.kingfisher.bench.report.Report "$@"
