#!/bin/sh
# Builds the plugin: build.sh [OUTPUT]. Needs clang, lld and wasi-libc (Debian's packages of these names, libclang-rt-14-dev-wasm32).
set -eu
cd "$(dirname "$0")"
clang --target=wasm32-wasi -mexec-model=reactor -std=c11 -Wall -Wextra -Werror -O2 \
  -Wl,--strip-debug -o "${1:-plugin.wasm}" plugin.c
