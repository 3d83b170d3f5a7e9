# The layers' ways back: against finite differences, which need a second build of the kernels and
# layers in double precision, and against tensors that PyTorch computed (grad/references/).
if(TARGET vl_nn)
    file(GLOB nn_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/nn/*.c)
    add_library(vl_nn64 STATIC ${nn_sources} ${CMAKE_SOURCE_DIR}/src/kernel/dispatch.c
                ${CMAKE_SOURCE_DIR}/src/kernel/gemm.c ${CMAKE_SOURCE_DIR}/src/kernel/conv.c
                ${CMAKE_SOURCE_DIR}/src/kernel/unroll.c ${CMAKE_SOURCE_DIR}/src/kernel/isa/rows.c)
    target_include_directories(vl_nn64 PUBLIC ${CMAKE_SOURCE_DIR}/include
                               PRIVATE ${CMAKE_SOURCE_DIR}/src)
    target_compile_definitions(vl_nn64 PUBLIC VL_REAL_DOUBLE PRIVATE VL_ISA=ref)
    target_link_libraries(vl_nn64 PUBLIC vl_base m)

    set(grad_dir ${CMAKE_CURRENT_SOURCE_DIR}/grad)
    add_executable(grad_layers ${grad_dir}/grad.c ${grad_dir}/layers.c)
    set_target_properties(grad_layers PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(grad_layers PRIVATE vl_nn64 PkgConfig::CMOCKA)
    add_test(NAME grad.layers COMMAND grad_layers)
    set_tests_properties(grad.layers PROPERTIES TIMEOUT 300)

    # Each variant of the kernels by itself; a processor without one says SKIPPED.
    add_executable(grad_reference ${grad_dir}/reference.c ${grad_dir}/layers.c)
    set_target_properties(grad_reference PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(grad_reference PRIVATE vl_nn)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
        set(variants ref neon)
    else()
        set(variants ref avx2 avx512 bf16)
    endif()
    foreach(variant ${variants})
        add_test(NAME grad.reference.${variant}
                 COMMAND grad_reference ${variant} ${grad_dir}/references/layers.bin)
        set_tests_properties(grad.reference.${variant} PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
        if(NOT variant STREQUAL "bf16") # which is a way to multiply, with any rows
            set_property(TEST grad.reference.${variant} PROPERTY ENVIRONMENT VISLANG_CPU=${variant})
        endif()
    endforeach()
endif()
