# The tools that lay out training data. They need Debian's python3-numpy and python3-pil, which
# another interpreter in the path does not see.
find_program(SYSTEM_PYTHON3 python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(SYSTEM_PYTHON3)
    add_test(NAME tools.seer_data
             COMMAND ${SYSTEM_PYTHON3} -B ${CMAKE_CURRENT_SOURCE_DIR}/tools/test_seer_data.py)
    set_tests_properties(tools.seer_data PROPERTIES TIMEOUT 120 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                         ENVIRONMENT "MAKE_PAGES_PROGRAM=$<TARGET_FILE:make_pages>")
    add_test(NAME tools.align_data
             COMMAND ${SYSTEM_PYTHON3} -B ${CMAKE_CURRENT_SOURCE_DIR}/tools/test_align_data.py)
    set_tests_properties(tools.align_data PROPERTIES TIMEOUT 120 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    add_test(NAME tools.langid_data
             COMMAND ${SYSTEM_PYTHON3} -B ${CMAKE_CURRENT_SOURCE_DIR}/tools/test_langid_data.py)
    set_tests_properties(tools.langid_data PROPERTIES TIMEOUT 120 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
endif()
