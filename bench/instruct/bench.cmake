add_executable(bench_instruct ${CMAKE_CURRENT_LIST_DIR}/instruct.c)
target_include_directories(bench_instruct PRIVATE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(bench_instruct PRIVATE vl_dataset)
set_target_properties(bench_instruct PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
