#!/usr/bin/env bash
# Installs the Debian packages of toolchains.txt that are missing. Without root or apt it says so and leaves it at that: the tests
# that need them then skip and name what they miss.
set -euo pipefail
cd "$(dirname "$0")"
missing=()
while read -r package _; do
  [[ -z "$package" || "$package" == \#* ]] && continue
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done < toolchains.txt
((${#missing[@]} == 0)) && exit 0
if ! command -v apt-get >/dev/null || [[ "$(id -u)" != 0 ]]; then
  echo "not installed, and this user cannot install them: ${missing[*]} (tests that need them are skipped)"
  exit 0
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >/dev/null
# dpkg's own lines, only if it fails.
log="$(mktemp)"
apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$log" 2>&1 || { cat "$log"; exit 1; }
rm -f "$log"
