#!/usr/bin/env bash
# Builds the program: scripts/build.sh [build folder] [cmake options…]
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-build}
[ $# -gt 0 ] && shift
cmake -S . -B "$folder" -G Ninja "$@" >"$folder.log" 2>&1 || { cat "$folder.log" >&2; exit 1; }
ninja -C "$folder" --quiet
