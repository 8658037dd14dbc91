# For .ci/run and eng/test-everywhere, which source it: runs the test projects and counts what they report.

# The instruction sets that the suite is green under: what libtorch, oneDNN and MKL may use.
settings=(native avx2 sse41)
readonly settings

# environment_of SETTING: the variables that hold the libraries to it.
environment_of() {
  case "$1" in
    native) ;;
    avx2) echo ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2 ;;
    sse41) echo ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 MKL_ENABLE_INSTRUCTIONS=SSE4_2 ;;
    *) return 1 ;;
  esac
}

# counter FILE NAME: a number of the test report's <Counters .../>.
counter() {
  sed -n 's/.*<Counters[^>]* '"$2"'="\([0-9]*\)".*/\1/p' "$1" | head -n 1
}

# run_suite SETTING SECONDS FOLDER ARGUMENT...: runs what is built, at most so long; reports go to the folder, arguments to the test projects.
# Sets suite_passed, suite_failed, suite_skipped and suite_seconds. A test during which its process died or the time ran out counts as failed, and is named.
run_suite() {
  local setting="$1" limit="$2" folder="$3" status=0 start=$SECONDS report total=0
  shift 3
  mkdir -p "$folder/running"
  echo "\$ $(environment_of "$setting") dotnet test -c Release $*"
  # shellcheck disable=SC2046 # a word a variable
  env $(environment_of "$setting") MLEXTENSIONS_RUNNING_TEST_FOLDER="$folder/running" timeout --kill-after=30 "$limit" \
    dotnet test -c Release --no-build --no-progress --report-trx --results-directory "$folder" --ignore-exit-code 8 "$@" || status=$? # 8: a filter may select nothing of one of the projects
  suite_seconds=$((SECONDS - start)) suite_passed=0 suite_failed=0
  for report in "$folder"/*.trx; do
    if [[ -f $report ]]; then
      total=$((total + $(counter "$report" total)))
      suite_passed=$((suite_passed + $(counter "$report" passed)))
      suite_failed=$((suite_failed + $(counter "$report" failed) + $(counter "$report" error) + $(counter "$report" timeout) + $(counter "$report" aborted)))
    fi
  done
  suite_skipped=$((total - suite_passed - suite_failed))
  if ((status == 124 || status == 137)); then
    echo "The tests took longer than $limit seconds and were ended."
  fi
  for report in "$folder"/running/*; do
    if [[ -f $report ]]; then
      echo "Not finished: $(cat "$report")"
      suite_failed=$((suite_failed + 1))
    fi
  done
  if ((suite_failed == 0 && (status != 0 || total == 0))); then
    echo "The test run ended with code $status after $total tests, without reporting a failed one."
    suite_failed=1
  fi
}

# failed_tests FOLDER: names of the tests that its reports say failed.
failed_tests() {
  list_tests "$1" | awk -F '\t' '$2 != "Passed" && $2 != "NotExecuted" { print $3 }' | sort
}

# slowest_tests FOLDER COUNT: the slowest tests of its reports, with their seconds.
slowest_tests() {
  list_tests "$1" | sort -rn | head -n "$2" | awk -F '\t' '{ printf "%7.2f s  %s\n", $1, $3 }'
}

# list_tests FOLDER: a line a test: seconds, outcome, name.
list_tests() {
  awk '
    function value(name,   text) {
      text = $0
      if (!sub(".* " name "=\"", "", text)) return ""
      sub("\".*", "", text)
      gsub("&quot;", "\"", text); gsub("&lt;", "<", text); gsub("&gt;", ">", text); gsub("&amp;", "\\&", text)
      return text
    }
    /<UnitTestResult / { split(value("duration"), time, ":"); seconds[value("testId")] = time[1] * 3600 + time[2] * 60 + time[3]; outcome[value("testId")] = value("outcome") }
    /<UnitTest / { id = value("id"); test = value("name") }
    /<TestMethod / { class = value("className"); sub(".*\\.", "", class); if (id in seconds) printf "%.3f\t%s\t%s.%s\n", seconds[id], outcome[id], class, test }
  ' "$1"/*.trx
}
