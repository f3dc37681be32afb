#!/usr/bin/env bash
# What `make test` runs, in order of cost: format, lint, types, the toolchains that tests need, then every test once.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH"
export CI="${CI:-true}"

step() { printf '\n== %s\n' "$1"; }

step 'format'
oxfmt --check .
step 'lint'
oxlint --type-aware .
step 'types'
tsc --noEmit -p tsconfig.json
step 'toolchains'
tools/install-toolchains.sh
step 'tests'
vitest run
