#!/bin/sh
# Writes the generated packages anew from the vendors' C headers.
#
#   generate.sh cpu ONEDNN_INCLUDE OPENBLAS_INCLUDE
#   generate.sh cuda CUDA_INCLUDE CUDNN_INCLUDE NCCL_INCLUDE
#
# ONEDNN_INCLUDE holds oneapi/dnnl/dnnl.h, OPENBLAS_INCLUDE holds cblas.h and lapacke.h: the include/ folders inside the
# org.bytedeco:dnnl and org.bytedeco:openblas jars (classifier linux-x86_64). CUDA_INCLUDE is the toolkit's include folder,
# with cuBLAS, cuSOLVER, NVRTC and NVTX, CUDNN_INCLUDE holds cudnn.h, NCCL_INCLUDE holds nccl.h. jextract is taken from the
# PATH (https://github.com/openjdk/jextract, for JDK 23 or newer). The versions in use are those of native-bindings/pom.xml,
# CUDA 13.0, cuDNN 9.13 and NCCL 2.30.
set -eu
case "${1-} $#" in
  "cpu 3" | "cuda 4") ;;
  *) sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
command -v jextract >/dev/null || { echo "generate.sh: there is no jextract on the PATH (https://github.com/openjdk/jextract)" >&2; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
java=$here/../src/main/java
package=io.kingfisher.nativebindings
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# generate NAME LIBRARY HEADER INCLUDE_FOLDER...: one package, its symbols found by our own discovery and linked on first use.
generate() {
  name=$1
  library=$2
  header=$3
  shift 3
  folder=$java/io/kingfisher/nativebindings/$name/generated
  # jextract knows comments in argument files only on lines of their own, and wants no blank lines
  grep '^--' "$here/$name.includes" >"$scratch/$name.args"
  for include; do
    printf '%s\n' -I "$include" >>"$scratch/$name.args"
  done
  jextract --output "$scratch/out" -t "$package.$name.generated" --header-class-name "${name}_h" "@$scratch/$name.args" "$header"
  for file in "$scratch/out/io/kingfisher/nativebindings/$name/generated"/*.java; do
    # The lookup jextract writes spans two lines (loader, then the C library); trailing blanks upset git.
    sed -e '/static final SymbolLookup SYMBOL_LOOKUP = SymbolLookup.loaderLookup()/{
N
s/= .*/= io.kingfisher.nativebindings.Libraries.symbols("'"$library"'");/
}' -e 's/^public class /@SuppressWarnings("restricted")\
public class /' -e 's/[[:blank:]]*$//' "$file" >"$file.new"
    mv "$file.new" "$file"
  done
  grep -q 'Libraries.symbols("'"$library"'")' "$scratch/out/io/kingfisher/nativebindings/$name/generated"/*.java || {
    echo "generate.sh: jextract's output no longer has the lookup that this script replaces" >&2
    exit 1
  }
  rm -rf "$folder"
  mkdir -p "$(dirname "$folder")"
  mv "$scratch/out/io/kingfisher/nativebindings/$name/generated" "$folder"
}

case $1 in
  cpu)
    dnnl=$(cd "$2" && pwd)
    openblas=$(cd "$3" && pwd)
    generate dnnl dnnl "$dnnl/oneapi/dnnl/dnnl.h" "$dnnl"
    generate cblas openblas "$openblas/cblas.h" "$openblas"
    generate lapacke openblas "$openblas/lapacke.h" "$openblas"
    ;;
  cuda)
    cuda=$(cd "$2" && pwd)
    cudnn=$(cd "$3" && pwd)
    nccl=$(cd "$4" && pwd)
    generate cuda cuda "$here/cuda.h" "$cuda"
    generate cublas cublas "$cuda/cublas_v2.h" "$cuda"
    generate cublaslt cublaslt "$cuda/cublasLt.h" "$cuda"
    generate cusolver cusolver "$cuda/cusolverDn.h" "$cuda"
    generate nvrtc nvrtc "$cuda/nvrtc.h" "$cuda"
    generate cudnn cudnn "$cudnn/cudnn.h" "$cudnn" "$cuda"
    # f() takes in C whatever it is given, which jextract binds as variadic; meant is that it takes nothing.
    sed 's/();/(void);/' "$nccl/nccl.h" >"$scratch/nccl.h"
    generate nccl nccl "$scratch/nccl.h" "$cuda"
    generate nvtx nvtx "$here/nvtx.h" "$cuda"
    ;;
esac
