# The running service, driven over raw sockets: api.<name> is tests/api/test_<name>.py. They need
# the program and python3.
find_package(Python3 COMPONENTS Interpreter)
if(TARGET vislang AND Python3_FOUND)
    foreach(name
            serve
            pictures
            engines
            tls
            identity
            owasp
            operations
            privacy
            cache
            jobs
            weights
            alignment)
        set(more)
        set(beside)
        if(name MATCHES "serve|pictures|jobs")
            set(more $<TARGET_FILE:make_tiny_seer>)
        endif()
        if(name MATCHES "serve|alignment")
            list(APPEND more $<TARGET_FILE:make_tiny_space>)
        endif()
        if(name MATCHES "identity|operations|cache|jobs|weights") # PostgreSQL and Redis, to be stopped and started
            set(beside ${CMAKE_CURRENT_SOURCE_DIR}/store/with-postgres.sh
                       ${CMAKE_CURRENT_SOURCE_DIR}/redis/with-redis.sh)
        endif()
        add_test(NAME api.${name}
                 COMMAND ${beside} ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/api/test_${name}.py
                         $<TARGET_FILE:vislang> ${more}
                 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
        set_tests_properties(api.${name} PROPERTIES TIMEOUT 600
                             ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1;OMP_THREAD_LIMIT=1")
    endforeach()
endif()
