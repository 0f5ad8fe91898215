#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzzer of a build folder for some seconds: tools/fuzz.sh BUILD SECONDS
set -euo pipefail
build=$1
seconds=$2
here=$(dirname "$0")
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1  # or undefined behaviour is only printed
for fuzzer in "$build"/*_fuzz; do
  name=$(basename "$fuzzer")
  corpus=$here/../fuzz/corpus/${name%_fuzz}
  grown=$build/corpus/$name
  mkdir -p "$grown"
  options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1)
  dictionary=$here/../fuzz/${name%_fuzz}.dict
  [[ ! -f $dictionary ]] || options+=(-dict="$dictionary")
  echo "== $name for $seconds s"
  if [[ $name == hdf5_fuzz ]]; then
    # libhdf5 crashes on hostile files, which is why they are read in a confined process. The fuzzer goes on
    # in another process after each, and only a fault whose stack ends in our code fails the run.
    found=$build/found/$name
    rm -rf "$found"
    mkdir -p "$found"
    "$fuzzer" "${options[@]}" -fork=1 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1 \
      -artifact_prefix="$found/" "$grown" "$corpus"
    "$here/fuzz_blame.py" "$fuzzer" "$found" libhdf5
    continue
  fi
  "$fuzzer" "${options[@]}" "$grown" "$corpus"
done
