#!/usr/bin/env bash
# Installs what is missing, builds, and runs the whole suite: format, floors, and every test in
# the release build (gcc) and under AddressSanitizer and UBSan (clang).
#   scripts/check.sh [--quick]     --quick leaves the sanitizer build out
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=$(nproc)

scripts/deps.sh
echo "check: format"
find src include tests tools bench -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror
echo "check: floors"
scripts/check-floors.sh
echo "check: release build (gcc)"
CC=gcc scripts/build.sh build
ctest --test-dir build --output-on-failure -j "$jobs"
if [ "${1-}" != --quick ]; then
    echo "check: sanitizer build (clang)"
    CC=clang scripts/build.sh build-asan -DVISLANG_SANITIZE=ON
    export ASAN_OPTIONS=detect_stack_use_after_return=1:allocator_may_return_null=1
    export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
    export UBSAN_OPTIONS=print_stacktrace=1
    ctest --test-dir build-asan --output-on-failure -j "$jobs"
fi
