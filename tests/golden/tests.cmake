# Every output format of a known document: byte for byte as expected, and read back by other programs.
if(TARGET vl_ocr)
    add_executable(golden_make_outputs ${CMAKE_CURRENT_SOURCE_DIR}/golden/make_outputs.c)
    set_target_properties(golden_make_outputs PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(golden_make_outputs PRIVATE vl_ocr)
    add_test(NAME golden COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/golden/test_golden.py
             $<TARGET_FILE:golden_make_outputs>)
    set_tests_properties(golden PROPERTIES TIMEOUT 120)
endif()
