# The kernels on processors that are not here: 64-bit Arm under qemu, AMX tiles in plain C.
if(TARGET vl_kernel)
    add_test(NAME kernel.neon COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/kernel/neon.sh
             ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
    set_tests_properties(kernel.neon PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
endif()
if(TARGET vl_kernel AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set(amx ${CMAKE_SOURCE_DIR}/src/kernel/isa/quant_amx.c)
    set(objects)
    foreach(part rows_ref rows_avx2 rows_avx512 quant_ref quant_avx2 quant_avx512
                 quant_avx512_vnni)
        list(APPEND objects $<TARGET_OBJECTS:vl_${part}>)
    endforeach()
    add_executable(kernel_tiles ${CMAKE_CURRENT_SOURCE_DIR}/kernel/alone.c ${amx} ${objects}
                   ${CMAKE_SOURCE_DIR}/src/kernel/dispatch.c ${CMAKE_SOURCE_DIR}/src/kernel/quant.c
                   ${CMAKE_SOURCE_DIR}/src/tensor/dtype.c ${CMAKE_SOURCE_DIR}/src/tensor/quant.c
                   ${CMAKE_SOURCE_DIR}/src/base/status.c ${CMAKE_SOURCE_DIR}/src/base/strings.c)
    set_target_properties(kernel_tiles PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_include_directories(kernel_tiles PRIVATE ${CMAKE_SOURCE_DIR}/include)
    target_compile_definitions(kernel_tiles PRIVATE VL_TILES_EMULATED)
    target_link_libraries(kernel_tiles PRIVATE m Threads::Threads)
    set_source_files_properties(${amx} PROPERTIES COMPILE_OPTIONS
        "-include;${CMAKE_CURRENT_SOURCE_DIR}/kernel/tiles.h;-O3;-mavx512f;-mavx512bw;-mavx512vl;-mavx512dq;-mavx2;-mfma;-mf16c;-mavx512vnni")
    add_test(NAME kernel.tiles COMMAND kernel_tiles)
    set_tests_properties(kernel.tiles PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
endif()
# Convolutions and 8-bit products with oneDNN bound to each instruction set (unit.kernel_conv and
# unit.kernel_int8 take the best).
if(TARGET test_kernel_conv AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    foreach(variant ref avx2 avx512)
        foreach(what conv int8)
            add_test(NAME kernel.${what}.${variant} COMMAND test_kernel_${what} ${variant})
            set_tests_properties(kernel.${what}.${variant} PROPERTIES TIMEOUT 300
                                 SKIP_RETURN_CODE 77 ENVIRONMENT VISLANG_CPU=${variant})
        endforeach()
    endforeach()
endif()
