#!/usr/bin/env bash
# What `make test` runs, in order of cost: format, lint, types, then every test once. The toolchains that tests need come from the
# network meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH"
export CI="${CI:-true}"

step() { printf '\n== %s\n' "$1"; }

toolchains="$(mktemp)"
trap 'rm -f "$toolchains"' EXIT
tools/install-toolchains.sh >"$toolchains" 2>&1 &
installing=$!

step 'format'
oxfmt --check .
step 'lint'
oxlint --type-aware .
step 'types'
tsc --noEmit -p tsconfig.json
step 'toolchains'
wait "$installing" || { cat "$toolchains"; exit 1; }
cat "$toolchains"
step 'tests'
vitest run
