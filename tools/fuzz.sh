#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzzer of a build folder for some seconds: tools/fuzz.sh BUILD SECONDS
set -euo pipefail
build=$1
seconds=$2
for fuzzer in "$build"/*_fuzz; do
  name=$(basename "$fuzzer")
  corpus=$(dirname "$0")/../fuzz/corpus/${name%_fuzz}
  grown=$build/corpus/$name
  mkdir -p "$grown"
  echo "== $name for $seconds s"
  "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 "$grown" "$corpus"
done
