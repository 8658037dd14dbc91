#!/usr/bin/env bash
# Searches the recurrent layers of libtorch (oneDNN) for writes beyond a buffer and for wrong values, as processors of several kinds compute them.
#   eng/recurrent-search/run.sh [raw|library] [SECONDS] [ISA...]     for each instruction set; default: library 60 AVX2 SSE41 AVX512_CORE DEFAULT
# raw: torch's layers themselves. library: the layers that all networks of this library use; they have to be clean.
# Memory is checked by the C library at every free (Linux, glibc): an overrun ends the process, the case is known, and the search goes on behind it.
# The exit code is 1 when anything was found.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
mode="${1:-library}" seconds="${2:-60}"
shift $(($# < 2 ? $# : 2))
sets=("$@")
if ((${#sets[@]} == 0)); then
  sets=(AVX2 SSE41 AVX512_CORE DEFAULT)
fi
dotnet build -c Release -v quiet --nologo || exit

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
found=0
ulimit -c 0

# search ISA FIRST SECONDS
search() {
  ONEDNN_MAX_CPU_ISA="$1" LD_PRELOAD=libc_malloc_debug.so.0 MALLOC_CHECK_=3 MALLOC_PERTURB_=165 DOTNET_DbgEnableMiniDump=0 OMP_WAIT_POLICY=passive \
    nice bin/Release/net10.0/MLExtensions.RecurrentSearch "$mode" "$2" "$3" "$work/state" > "$work/out" 2> "$work/error"
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
      { search "$set" "$number" 1 && alone="not on its own" || alone="on its own too"; } 2> /dev/null
      echo "$set: crash ($alone): $words: $(grep -m 1 -v NNPACK "$work/error")"
      found=$((found + 1))
      next=$((number + 1))
    else
      read -r _ next < <(tail -n 1 "$work/out")
      break
    fi
  done
  echo "$set: $next cases"
done
echo "$found findings"
((found == 0))
