#!/bin/sh
# Builds the plugin: build.sh [OUTPUT]. Needs rustc with the target wasm32-unknown-unknown (Debian: rustc, libstd-rust-dev-wasm32).
set -eu
cd "$(dirname "$0")"
"${RUSTC:-rustc}" --edition 2021 --target wasm32-unknown-unknown -C opt-level=s -C panic=abort -C lto -C strip=debuginfo \
  -o "${1:-plugin.wasm}" plugin.rs
