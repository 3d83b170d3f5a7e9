# The kernels on rows (isa/rows.c) are compiled once for each instruction set. The order of sums
# may be changed in them (vectors need it); NaN and infinity keep their meaning.
set(row_flags -O3 -fno-math-errno -fno-trapping-math -fno-signed-zeros -fassociative-math
              -freciprocal-math)
function(vl_rows isa)
    add_library(vl_rows_${isa} OBJECT src/kernel/isa/rows.c)
    target_include_directories(vl_rows_${isa} PRIVATE include src)
    target_compile_definitions(vl_rows_${isa} PRIVATE VL_ISA=${isa})
    target_compile_options(vl_rows_${isa} PRIVATE ${row_flags} ${ARGN})
    target_sources(vl_kernel PRIVATE $<TARGET_OBJECTS:vl_rows_${isa}>)
endfunction()

vl_rows(ref -fno-tree-vectorize)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    vl_rows(avx2 -mavx2 -mfma -mf16c)
    vl_rows(avx512 -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx2 -mfma
            -mprefer-vector-width=512)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    vl_rows(neon)
endif()
