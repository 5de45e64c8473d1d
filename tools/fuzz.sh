#!/usr/bin/env bash
# Runs every fuzz target under libFuzzer and the sanitizers, a minute each, as many at once as there
# are cores; fails if one finds anything, and says where the input is. What the runs learn stays in
# build/fuzz/corpus and is where the next ones begin, besides tests/corpus.
#
#   tools/fuzz.sh [SECONDS [TARGET…]]     e.g. tools/fuzz.sh 600 job_job_fuzz
#
# A limit on memory is part of each check: no reader may take a gigabyte, or half of one at once,
# for an input of some kilobytes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fuzz() {  # PROGRAM
  local name corpus log=build/fuzz/logs/$1.log status=0
  name=$(basename "$1")
  corpus=${name%_fuzz}
  mkdir -p "build/fuzz/corpus/$corpus"
  "build/fuzz/bin/$name" -max_total_time="$seconds" -timeout=30 -rss_limit_mb=1024 \
    -malloc_limit_mb=512 -max_len=8192 -print_final_stats=1 -artifact_prefix="build/fuzz/artifacts/$name-" \
    "build/fuzz/corpus/$corpus" "tests/corpus/$corpus" > "$log" 2>&1 || status=$?
  if [ $status != 0 ]; then
    echo "$name: FAILED, see $log"
    grep -E 'ERROR|SUMMARY|check failed|CHECK|Test unit written' "$log" || tail -5 "$log"
    return 1
  fi
  echo "$name: $(sed -n 's/^stat::average_exec_per_sec: *//p' "$log") inputs a second"
}

main() {
  export seconds=${1:-60}
  shift $(($# > 0 ? 1 : 0))
  cmake --preset fuzz > build/configure-fuzz.log || { cat build/configure-fuzz.log >&2; return 1; }
  cmake --build --preset fuzz -- -j "$(nproc)"
  mkdir -p build/fuzz/logs build/fuzz/artifacts
  [ $# -gt 0 ] || set -- $(cd build/fuzz/bin && ls -- *_fuzz)
  export -f fuzz
  printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} bash -c 'fuzz {}'
}

mkdir -p build
main "$@"
