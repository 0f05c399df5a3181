#!/bin/sh
# gpu.sh [--image FILE] [--device D] [--seconds N] [doctor] [selftest] [bench] [torch]
#
# Checks and measures Kingfisher on a Linux machine with an NVIDIA GPU and its driver; neither Java nor Maven is needed there.
# FILE is the image that `./mvnw package -Pimage -pl train -am` leaves as train/target/kingfisher-*-gpu.tar.xz (the newest of
# these, unless given). All parts run unless some are named; each may take N seconds (1800). CUDA's libraries are looked for
# where `kingfisher doctor` says: a toolkit, pip's wheels beside python3, the system.
#
# Leaves in $OUT (gpu-results, unless set): doctor.txt selftest.txt bench.json bench.txt torch.json torch.txt compare.txt
# summary.txt. Exits with 0 where all parts passed, 1 where one failed, 2 for a wrong argument or a missing image, 3 where the
# GPU cannot be used at all (no driver, say). A machine without PyTorch is no failure.
set -u
here=$(cd "$(dirname "$0")" && pwd -P)
image=
device=cuda:0
seconds=1800
parts=
while [ $# -gt 0 ]; do
  case $1 in
    --image | --device | --seconds)
      [ $# -gt 1 ] || {
        echo "gpu.sh: $1 needs a value" >&2
        exit 2
      }
      case $1 in
        --image) image=$2 ;;
        --device) device=$2 ;;
        --seconds) seconds=$2 ;;
      esac
      shift
      ;;
    doctor | selftest | bench | torch) parts="$parts $1" ;;
    *)
      sed -n 's/^# \{0,1\}//p' "$0" | sed 1d >&2
      exit 2
      ;;
  esac
  shift
done
parts=${parts:-doctor selftest bench torch}
if [ -z "$image" ]; then
  # shellcheck disable=SC2012 # the names are ours
  image=$(ls -t "$here"/../train/target/kingfisher-*-gpu.tar.xz 2>/dev/null | head -n 1)
fi
if [ ! -r "$image" ]; then
  echo "gpu.sh: there is no image${image:+ $image}; make one with ./mvnw package -Pimage -pl train -am, or name it with --image" >&2
  exit 2
fi
out=${OUT:-gpu-results}
mkdir -p "$out" && out=$(cd "$out" && pwd -P) || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
tar xJf "$image" -C "$work" || exit 2
kingfisher=$(echo "$work"/*/bin/kingfisher)
# Faster starts, as an installed Java has them.
"$work"/*/runtime/bin/java -Xshare:dump >/dev/null 2>&1
# Compiled kernels go where they vanish, so that a first start is one.
KINGFISHER_CACHE=${KINGFISHER_CACHE:-$work/cache}
export KINGFISHER_CACHE
failed=0

summary() {
  echo "$*" | tee -a "$out/summary.txt"
}

# part NAME COMMAND... : runs it within the time, its output to the terminal and to NAME.txt.
part() {
  name=$1
  shift
  began=$(date +%s)
  { timeout -k 30 "$seconds" "$@" 2>&1 || echo $? >"$work/code"; } | tee "$out/$name.txt"
  code=$(cat "$work/code" 2>/dev/null || echo 0)
  rm -f "$work/code"
  summary "$name: exit $code after $(($(date +%s) - began)) s"
  return "$code"
}

: >"$out/summary.txt"
summary "$(date -u +%Y-%m-%dT%H:%M:%SZ) $(basename "$image") on $(uname -srm)"
if command -v nvidia-smi >/dev/null 2>&1; then
  nvidia-smi >>"$out/summary.txt" 2>&1
else
  summary "nvidia-smi is not on the PATH"
fi
# The image has no libraries for the processor: doctor succeeds where the GPU can be used and fails where it cannot.
if ! part doctor "$kingfisher" doctor; then
  summary "the GPU cannot be used: see doctor.txt"
  exit 3
fi
for each in $parts; do
  case $each in
    doctor) ;;
    selftest) part selftest "$kingfisher" selftest --device "$device" || failed=1 ;;
    bench) part bench "$kingfisher" bench --device "$device" --json "$out/bench.json" || failed=1 ;;
    torch)
      if python3 -c 'import torch' 2>/dev/null; then
        part torch python3 "$here/peers/torch_bench.py" --device "$device" --json "$out/torch.json" \
          --seconds "$((seconds * 9 / 10))" || failed=1
      else
        summary "torch: left out, python3 has no PyTorch"
      fi
      ;;
  esac
done
if [ -s "$out/bench.json" ] && command -v python3 >/dev/null 2>&1; then
  if [ -s "$out/torch.json" ]; then
    set -- "$out/torch.json"
  else
    set --
  fi
  part compare python3 "$here/peers/compare.py" "$out/bench.json" "$@" || failed=1
fi
exit "$failed"
