add_executable(bench_search ${CMAKE_CURRENT_LIST_DIR}/search.c)
set_target_properties(bench_search PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
target_link_libraries(bench_search PRIVATE vl_model)
