# --wrap: the products of a training step are counted on their way to oneDNN.
add_executable(bench_seer ${CMAKE_CURRENT_LIST_DIR}/seer.c)
set_target_properties(bench_seer PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
target_include_directories(bench_seer PRIVATE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(bench_seer PRIVATE vl_train vl_model vl_nn vl_kernel vl_media vl_text vl_tensor)
target_link_options(bench_seer PRIVATE -Wl,--wrap=vl_gemm_run)
