#!/bin/sh
# Compiles loader.c for both architectures to the bytes that make-portable.ts puts into the executable. The results are in the
# repository, so that `make build` needs no C compiler; loader.test.ts compares them with what this script makes.
set -eu
cd "$(dirname "$0")"
out="${1:-.}"
for target in x86_64 aarch64; do
  object="$out/loader-$target.o"
  flags="-Os -ffreestanding -fno-builtin -fPIC -fno-stack-protector -fno-asynchronous-unwind-tables -fno-jump-tables"
  [ "$target" = x86_64 ] && flags="$flags -mno-red-zone -mgeneral-regs-only" || flags="$flags -mgeneral-regs-only -mno-outline-atomics"
  # shellcheck disable=SC2086 -- the flags are words
  clang --target="$target-linux-gnu" $flags -Wall -Wextra -Werror -c loader.c -o "$object"
  ld.lld -T loader.ld --oformat binary -o "$out/loader-$target.bin" "$object"
  rm "$object"
done
