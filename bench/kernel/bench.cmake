add_executable(bench_kernel_quant ${CMAKE_CURRENT_LIST_DIR}/quant.c)
set_target_properties(bench_kernel_quant PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
target_compile_options(bench_kernel_quant PRIVATE -O3)
target_link_libraries(bench_kernel_quant PRIVATE vl_kernel)
