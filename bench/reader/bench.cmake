# Lines a second of the reader: bench_reader [MODEL.gguf]
if(TARGET vl_model)
    add_executable(bench_reader ${CMAKE_CURRENT_LIST_DIR}/read.c)
    set_target_properties(bench_reader PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
    target_link_libraries(bench_reader PRIVATE vl_model)
endif()
# … beside Tesseract on the same lines: bench_reader_engines PACK PICTURE…
if(TARGET vl_ocr)
    add_executable(bench_reader_engines ${CMAKE_CURRENT_LIST_DIR}/engines.c)
    set_target_properties(bench_reader_engines PROPERTIES RUNTIME_OUTPUT_DIRECTORY
                          ${CMAKE_BINARY_DIR}/bench)
    target_include_directories(bench_reader_engines PRIVATE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(bench_reader_engines PRIVATE vl_ocr)
endif()
# What line pictures look like to a reader, file beside file: line_stats SCRIPT FILE.tar…
if(TARGET vl_model)
    add_executable(line_stats ${CMAKE_CURRENT_LIST_DIR}/lines.c)
    set_target_properties(line_stats PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
    target_link_libraries(line_stats PRIVATE vl_model PkgConfig::CJSON)
endif()
