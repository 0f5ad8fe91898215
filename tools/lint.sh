#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Formatting and static checks that take seconds. Prints what to do about each finding.
set -euo pipefail
cd "$(dirname "$0")/.."

git ls-files '*.hpp' '*.cpp' | xargs clang-format-16 --dry-run --Werror || { echo "hint: make format" >&2; exit 1; }
git ls-files '*.sh' .ci/run | xargs shellcheck
.venv/bin/ruff check --quiet .
.venv/bin/ruff format --check --quiet . || { echo "hint: .venv/bin/ruff format ." >&2; exit 1; }
for file in $(git ls-files '*.json'); do
  python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$file" || { echo "error: $file is not JSON" >&2; exit 1; }
done
echo "lint: nothing to complain about"
