# Tests that need Redis: tests/redis/<what>.c becomes redis.<what>, beside servers of its own.
file(GLOB redis_sources CONFIGURE_DEPENDS redis/*.c)
foreach(source ${redis_sources})
    get_filename_component(what ${source} NAME_WE)
    add_executable(test_redis_${what} ${source})
    set_target_properties(test_redis_${what} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_include_directories(test_redis_${what} PRIVATE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(test_redis_${what} PRIVATE vl_serve PkgConfig::CMOCKA)
    add_test(NAME redis.${what} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/redis/with-redis.sh
             $<TARGET_FILE:test_redis_${what}>)
    set_tests_properties(redis.${what} PROPERTIES TIMEOUT 120)
endforeach()
# What starts servers for tests may run several times at once.
add_test(NAME redis.together COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/redis/together.sh
         ${CMAKE_CURRENT_SOURCE_DIR}/redis/with-redis.sh)
add_test(NAME store.together COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/redis/together.sh
         ${CMAKE_CURRENT_SOURCE_DIR}/store/with-postgres.sh)
set_tests_properties(redis.together store.together PROPERTIES TIMEOUT 180)
