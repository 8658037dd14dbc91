#!/usr/bin/env bash
# Searches the convolutions, the transposed ones or the recurrent layers of libtorch (oneDNN) for writes beyond a buffer and for wrong values, as processors of several
# kinds compute them.
#   eng/native-search/run.sh convolution|transposed|recurrent [raw|library] [SECONDS] [ISA...]     default: library 180 AVX2 SSE41 AVX512_CORE DEFAULT, each so long
# raw: torch's layers themselves. library: the layers that all networks of this library use; they have to be clean.
# Memory is checked at every free (guard.c; Linux, glibc, a C compiler): an overrun ends the process, the case is known, and the search goes on behind it.
# Variables: NATIVE_SEARCH_ONLY="1x1 stride 2" looks only at cases with these words; NATIVE_SEARCH_AS_IS=1 leaves oneDNN in the belief that a
# virtual machine which hides its caches has none (Transforms/Native/HiddenCaches.cs). The exit code is 1 when anything was found.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
kind="${1:-}" mode="${2:-library}" seconds="${3:-180}"
if [[ $kind != convolution && $kind != transposed && $kind != recurrent ]]; then
  sed -n '2,9s/^# \{0,1\}//p' run.sh && exit 2
fi
shift $(($# < 3 ? $# : 3))
sets=("$@")
if ((${#sets[@]} == 0)); then
  sets=(AVX2 SSE41 AVX512_CORE DEFAULT)
fi
dotnet build -c Release -v quiet --nologo || exit

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cc -O2 -shared -fPIC -o "$work/guard.so" guard.c || exit
found=0
ulimit -c 0

# search ISA FIRST SECONDS
search() {
  ONEDNN_MAX_CPU_ISA="$1" LD_PRELOAD="$work/guard.so" DOTNET_DbgEnableMiniDump=0 OMP_WAIT_POLICY=passive \
    nice bin/Release/net10.0/MLExtensions.NativeSearch "$kind" "$mode" "$2" "$3" "$work/state" > "$work/out" 2> "$work/error"
}

for set in "${sets[@]}"; do
  end=$((SECONDS + seconds)) next=0
  while ((SECONDS < end)); do
    { search "$set" "$next" $((end - SECONDS)) && crashed=0 || crashed=1; } 2> /dev/null
    sed -n "s/^wrong: /$set: wrong: /p" "$work/out"
    found=$((found + $(grep -c '^wrong: ' "$work/out")))
    if ((crashed)); then
      read -r number words < "$work/state"
      # Once more on its own: only then it is this case that broke what broke.
      { search "$set" "$number" 0 && alone="not on its own" || alone="on its own too"; } 2> /dev/null
      echo "$set: crash ($alone): $words: $(grep -m 1 -v NNPACK "$work/error")"
      found=$((found + 1))
      next=$((number + 1))
    else
      read -r _ next rest < <(tail -n 1 "$work/out")
      [[ $rest == more ]] || break
    fi
  done
  echo "$set: $next cases"
done
echo "$found findings"
((found == 0))
