# The program as a person meets it: each command, its exit codes, and what survives a kill.
if(TARGET vislang)
    add_test(NAME cli COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/cli/test_cli.py)
    add_test(NAME cli.pictures COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/cli/test_pictures.py)
    add_test(NAME cli.database COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/cli/test_database.py)
    set_tests_properties(cli.database PROPERTIES TIMEOUT 120 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                         ENVIRONMENT "VISLANG_PROGRAM=$<TARGET_FILE:vislang>")
    add_test(NAME cli.harvest COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/cli/test_harvest.py)
    set_tests_properties(cli.harvest PROPERTIES TIMEOUT 300 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                         ENVIRONMENT "VISLANG_PROGRAM=$<TARGET_FILE:vislang>")
    add_test(NAME cli.parts COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/cli/test_parts.py)
    set_tests_properties(cli.parts PROPERTIES TIMEOUT 120 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                         ENVIRONMENT "VISLANG_PROGRAM=$<TARGET_FILE:vislang>")
    add_test(NAME cli.dataset COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/cli/test_dataset.py)
    set_tests_properties(cli.dataset PROPERTIES TIMEOUT 300 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} ENVIRONMENT
                         "VISLANG_PROGRAM=$<TARGET_FILE:vislang>;VISLANG_SANITIZED=$<$<BOOL:${VISLANG_SANITIZE}>:1>")
    set_tests_properties(cli PROPERTIES TIMEOUT 900 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                         ENVIRONMENT "VISLANG_PROGRAM=$<TARGET_FILE:vislang>")
    set_tests_properties(cli.pictures PROPERTIES TIMEOUT 300 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
        ENVIRONMENT "VISLANG_PROGRAM=$<TARGET_FILE:vislang>;MAKE_TINY_SEER=$<TARGET_FILE:make_tiny_seer>")
endif()
