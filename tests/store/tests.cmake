# Tests of the database, on SQLite and on a PostgreSQL server that each of them starts:
# tests/store/<what>.c becomes store.<what>.
file(GLOB store_sources CONFIGURE_DEPENDS store/*.c)
foreach(source ${store_sources})
    get_filename_component(what ${source} NAME_WE)
    add_executable(test_store_${what} ${source})
    set_target_properties(test_store_${what} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_include_directories(test_store_${what} PRIVATE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(test_store_${what} PRIVATE vl_store PkgConfig::CMOCKA)
    target_compile_definitions(test_store_${what} PRIVATE TEST_BINARY_DIR="${CMAKE_BINARY_DIR}"
                               TEST_NAME="${what}")
    add_test(NAME store.${what} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/store/with-postgres.sh
             $<TARGET_FILE:test_store_${what}>)
    set_tests_properties(store.${what} PROPERTIES TIMEOUT 300)
endforeach()
