# `vislang search` as a person meets it, with a picture model of random weights.
if(TARGET vislang AND TARGET make_tiny_seer)
    add_test(NAME cli.search
             COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/search/test_search.py
                     $<TARGET_FILE:vislang> $<TARGET_FILE:make_tiny_seer>)
    set_tests_properties(cli.search PROPERTIES TIMEOUT 300 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
endif()
