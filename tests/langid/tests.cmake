# The comparison of bench/langid on a few lines that were written for it: skipped where CLD2 or
# libexttextcat was not there to build it.
find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND AND VISLANG_BENCH AND TARGET vislang)
    add_test(NAME langid.bench COMMAND ${Python3_EXECUTABLE} -B
             ${CMAKE_CURRENT_LIST_DIR}/test_bench.py ${CMAKE_BINARY_DIR})
    set_tests_properties(langid.bench PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120
                         ENVIRONMENT "VISLANG_DATA=${CMAKE_SOURCE_DIR}")
endif()
