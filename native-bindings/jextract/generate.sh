#!/bin/sh
# Writes the generated packages anew from the vendors' C headers.
#
#   generate.sh ONEDNN_INCLUDE OPENBLAS_INCLUDE
#
# ONEDNN_INCLUDE holds oneapi/dnnl/dnnl.h, OPENBLAS_INCLUDE holds cblas.h and lapacke.h: the include/ folders inside the
# org.bytedeco:dnnl and org.bytedeco:openblas jars (classifier linux-x86_64). jextract is taken from the PATH
# (https://github.com/openjdk/jextract, for JDK 23 or newer). The versions in use are those of native-bindings/pom.xml.
set -eu
[ $# -eq 2 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
command -v jextract >/dev/null || { echo "generate.sh: there is no jextract on the PATH (https://github.com/openjdk/jextract)" >&2; exit 1; }
dnnl=$(cd "$1" && pwd)
openblas=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
java=$here/../src/main/java
package=io.kingfisher.nativebindings
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# generate NAME LIBRARY INCLUDE_FOLDER HEADER: one package, its symbols found by our own discovery and linked on first use.
generate() {
  folder=$java/io/kingfisher/nativebindings/$1/generated
  # jextract knows comments in argument files only on lines of their own, and wants no blank lines
  grep '^--' "$here/$1.includes" >"$scratch/$1.args"
  jextract --output "$scratch/out" -t "$package.$1.generated" --header-class-name "$1_h" -I "$3" "@$scratch/$1.args" "$3/$4"
  for file in "$scratch/out/io/kingfisher/nativebindings/$1/generated"/*.java; do
    # The lookup jextract writes spans two lines (loader, then the C library); trailing blanks upset git.
    sed -e '/static final SymbolLookup SYMBOL_LOOKUP = SymbolLookup.loaderLookup()/{
N
s/= .*/= io.kingfisher.nativebindings.Libraries.symbols("'"$2"'");/
}' -e 's/^public class /@SuppressWarnings("restricted")\
public class /' -e 's/[[:blank:]]*$//' "$file" >"$file.new"
    mv "$file.new" "$file"
  done
  grep -q 'Libraries.symbols("'"$2"'")' "$scratch/out/io/kingfisher/nativebindings/$1/generated"/*.java || {
    echo "generate.sh: jextract's output no longer has the lookup that this script replaces" >&2
    exit 1
  }
  rm -rf "$folder"
  mkdir -p "$(dirname "$folder")"
  mv "$scratch/out/io/kingfisher/nativebindings/$1/generated" "$folder"
}

generate dnnl dnnl "$dnnl" oneapi/dnnl/dnnl.h
generate cblas openblas "$openblas" cblas.h
generate lapacke openblas "$openblas" lapacke.h
