if(TARGET vislang)
    add_test(NAME e2e COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/e2e/run.sh)
    set_tests_properties(e2e PROPERTIES TIMEOUT 600 RUN_SERIAL ON
                         ENVIRONMENT
                         "VISLANG_PROGRAM=$<TARGET_FILE:vislang>;MAKE_TINY_SEER=$<TARGET_FILE:make_tiny_seer>")
endif()
