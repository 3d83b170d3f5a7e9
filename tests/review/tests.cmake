# `vislang dataset review` over real sockets; its page is in tests/e2e.
if(TARGET vislang)
    add_test(NAME review COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/review/test_review.py)
    set_tests_properties(review PROPERTIES TIMEOUT 300 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                         ENVIRONMENT "VISLANG_PROGRAM=$<TARGET_FILE:vislang>")
endif()
