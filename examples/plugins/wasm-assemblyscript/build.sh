#!/bin/sh
# Builds the plugin: build.sh [OUTPUT]. Needs AssemblyScript (`npm ci` in the repository installs it).
set -eu
cd "$(dirname "$0")"
exec node ../../../node_modules/assemblyscript/bin/asc.js assembly/index.ts -O3 --noAssert --exportStart _initialize -o "${1:-plugin.wasm}"
