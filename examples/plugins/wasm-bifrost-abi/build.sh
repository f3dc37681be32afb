#!/bin/sh
# Builds the three guests: build.sh [FOLDER]. Needs clang and lld, rustc with wasm32-unknown-unknown, and AssemblyScript.
set -eu
cd "$(dirname "$0")"
OUT="${1:-.}"
clang --target=wasm32 -std=c11 -Wall -Wextra -Werror -Wno-unused-function -O2 -nostdlib -fno-builtin -mbulk-memory \
  -Wl,--no-entry -Wl,-z,stack-size=65536 -o "$OUT/guest-c.wasm" guest.c
"${RUSTC:-rustc}" --edition 2021 --target wasm32-unknown-unknown -C opt-level=s -C panic=abort -C lto -C strip=debuginfo \
  -o "$OUT/guest-rust.wasm" guest.rs
node ../../../node_modules/assemblyscript/bin/asc.js assembly/index.ts -O3 --runtime stub --use abort= -o "$OUT/guest-assemblyscript.wasm"
