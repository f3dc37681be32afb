#!/bin/sh
# Builds the plugin: build.sh [OUTPUT]. Needs clang and lld.
set -eu
cd "$(dirname "$0")"
clang --target=wasm32 -std=c11 -Wall -Wextra -Werror -O2 -nostdlib -fno-builtin -mbulk-memory \
  -Wl,--no-entry -Wl,-z,stack-size=65536 -o "${1:-plugin.wasm}" plugin.c
