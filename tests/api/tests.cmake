# The running service, driven over raw sockets: api.serve, api.pictures, api.engines, api.tls, api.identity. They need the program and python3.
find_package(Python3 COMPONENTS Interpreter)
if(TARGET vislang AND Python3_FOUND)
    add_test(NAME api.serve
             COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/api/test_serve.py
                     $<TARGET_FILE:vislang> $<TARGET_FILE:make_tiny_seer>
             WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    add_test(NAME api.pictures
             COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/api/test_pictures.py
                     $<TARGET_FILE:vislang> $<TARGET_FILE:make_tiny_seer>
             WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    add_test(NAME api.engines
             COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/api/test_engines.py
                     $<TARGET_FILE:vislang>
             WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    add_test(NAME api.tls
             COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/api/test_tls.py
                     $<TARGET_FILE:vislang>
             WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    add_test(NAME api.identity
             COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/api/test_identity.py $<TARGET_FILE:vislang>
             WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(api.serve api.pictures api.engines api.tls api.identity PROPERTIES TIMEOUT 600
                         ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1;OMP_THREAD_LIMIT=1")
endif()
