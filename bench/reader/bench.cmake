# Lines a second of the reader: bench_reader [MODEL.gguf]
if(TARGET vl_model)
    add_executable(bench_reader ${CMAKE_CURRENT_LIST_DIR}/read.c)
    set_target_properties(bench_reader PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
    target_link_libraries(bench_reader PRIVATE vl_model)
endif()
