#!/usr/bin/env bash
# The kernels as 64-bit Arm code: cross-compiled with Debian's compiler and run under qemu, once
# as a processor with the dot-product instructions and once as one without.
#   neon.sh SOURCE_FOLDER BUILD_FOLDER     exit status 77: compiler or qemu is not installed
set -euo pipefail
source=$1 build=$2/neon
compiler=aarch64-linux-gnu-gcc
for program in "$compiler" qemu-aarch64; do
    command -v "$program" >/dev/null || {
        echo "SKIPPED: $program is not installed (packages gcc-aarch64-linux-gnu," \
            "libc6-dev-arm64-cross, qemu-user): NOTHING WAS TESTED ON ARM"
        exit 77
    }
done
mkdir -p "$build"
cd "$source"

common=(-std=c17 -O3 -Wall -Wextra -Wshadow -Wconversion -Werror -fno-strict-aliasing
    -Wno-format-truncation -D_GNU_SOURCE -Iinclude -Isrc)
rows=(-fno-math-errno -fno-trapping-math -fno-signed-zeros -fassociative-math -freciprocal-math)
quant=(-fno-math-errno -fno-trapping-math)
objects=()
compile() { # NAME SOURCE FLAGS...
    local name=$1 file=$2
    shift 2
    "$compiler" "${common[@]}" "$@" -c "$file" -o "$build/$name.o"
    objects+=("$build/$name.o")
}
# The flags are those of src/kernel/room.cmake.
compile rows_ref src/kernel/isa/rows.c "${rows[@]}" -DVL_ISA=ref -fno-tree-vectorize
compile rows_neon src/kernel/isa/rows.c "${rows[@]}" -DVL_ISA=neon
compile quant_ref src/kernel/isa/quant_ref.c "${quant[@]}"
compile quant_neon src/kernel/isa/quant_neon.c "${quant[@]}"
compile quant_neon_dot src/kernel/isa/quant_neon.c "${quant[@]}" -march=armv8.2-a+dotprod
for file in src/kernel/dispatch.c src/kernel/quant.c src/tensor/dtype.c src/tensor/quant.c \
    src/base/status.c src/base/strings.c tests/kernel/alone.c; do
    compile "$(echo "$file" | tr / _)" "$file"
done
"$compiler" -static "${objects[@]}" -lm -o "$build/alone"

qemu-aarch64 -cpu max "$build/alone" neon-dot
qemu-aarch64 -cpu cortex-a72 "$build/alone" neon
