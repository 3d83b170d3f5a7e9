# Training runs as processes: killed, stopped, resumed, drawn; several together under mpirun.
if(TARGET vislang)
    foreach(what train ranks)
        add_test(NAME train.${what}
                 COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/train/test_${what}.py)
        set_tests_properties(train.${what} PROPERTIES TIMEOUT 900 SKIP_RETURN_CODE 77
                             WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                             ENVIRONMENT "VISLANG_PROGRAM=$<TARGET_FILE:vislang>")
    endforeach()
endif()
