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

# Products with quantised weights: isa/quant_<file>.c, compiled as <variant> with these flags.
# Their sums of floats are in the order that the source says.
function(vl_quant variant file)
    add_library(vl_quant_${variant} OBJECT src/kernel/isa/quant_${file}.c)
    target_include_directories(vl_quant_${variant} PRIVATE include src)
    target_compile_options(vl_quant_${variant} PRIVATE -O3 -fno-math-errno -fno-trapping-math
                           ${ARGN})
    target_sources(vl_kernel PRIVATE $<TARGET_OBJECTS:vl_quant_${variant}>)
endfunction()

target_link_libraries(vl_kernel PUBLIC vl_tensor)
vl_quant(ref ref)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set(avx512_flags -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx2 -mfma -mf16c)
    vl_quant(avx2 avx2 -mavx2 -mfma -mf16c)
    vl_quant(avx512 avx512 ${avx512_flags})
    vl_quant(avx512_vnni avx512 ${avx512_flags} -mavx512vnni)
    vl_quant(amx amx ${avx512_flags} -mavx512vnni -mamx-tile -mamx-int8)
    set_property(SOURCE src/kernel/isa/int8_vnni.c APPEND PROPERTY COMPILE_OPTIONS
                 ${avx512_flags} -mavx512vnni)
    target_sources(vl_kernel PRIVATE src/kernel/isa/int8_vnni.c)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    vl_quant(neon neon)
    vl_quant(neon_dot neon -march=armv8.2-a+dotprod)
endif()
