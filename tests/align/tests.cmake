# Languages beside each other, from the command line.
if(TARGET vislang)
    add_test(NAME align.eval COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/align/test_eval.py)
    set_tests_properties(align.eval PROPERTIES TIMEOUT 300 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                         ENVIRONMENT "VISLANG_PROGRAM=$<TARGET_FILE:vislang>")
    add_test(NAME align.embed COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/align/test_embed.py $<TARGET_FILE:vislang>)
    set_tests_properties(align.embed PROPERTIES TIMEOUT 300)
    add_test(NAME align.map COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/align/test_map.py $<TARGET_FILE:vislang>)
    set_tests_properties(align.map PROPERTIES TIMEOUT 300)
    add_test(NAME align.sentences COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/align/test_sentences.py $<TARGET_FILE:vislang>)
    set_tests_properties(align.sentences PROPERTIES TIMEOUT 300)
    add_test(NAME align.build COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/align/test_build.py $<TARGET_FILE:vislang>)
    set_tests_properties(align.build PROPERTIES TIMEOUT 300)
endif()
