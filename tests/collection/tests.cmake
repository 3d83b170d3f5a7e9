# Harvesting over the network into a collection, and being killed while doing so.
if(TARGET vl_harvest)
    add_executable(harvest_engine ${CMAKE_CURRENT_SOURCE_DIR}/collection/engine.c)
    set_target_properties(harvest_engine PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_include_directories(harvest_engine PRIVATE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(harvest_engine PRIVATE vl_harvest)
    add_test(NAME harvest.collection
             COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/collection/test_engine.py $<TARGET_FILE:harvest_engine>)
    set_tests_properties(harvest.collection PROPERTIES TIMEOUT 600)
endif()
