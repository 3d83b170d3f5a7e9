# Sources of documents, each against a server on this machine that answers as it does:
# harvest.<source> is tests/harvest/test_<source>.py, which drives its adapter with `pages`.
find_package(Python3 COMPONENTS Interpreter)
if(TARGET vislang AND Python3_FOUND)
    add_executable(harvest_pages ${CMAKE_CURRENT_SOURCE_DIR}/harvest/pages.c)
    set_target_properties(harvest_pages PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_include_directories(harvest_pages PRIVATE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(harvest_pages PRIVATE vl_harvest)
    file(GLOB harvest_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/harvest/test_*.py)
    foreach(source ${harvest_tests})
        get_filename_component(name ${source} NAME_WE)
        string(REPLACE "test_" "" name ${name})
        add_test(NAME harvest.${name}
                 COMMAND ${Python3_EXECUTABLE} ${source} $<TARGET_FILE:harvest_pages>)
        set_tests_properties(harvest.${name} PROPERTIES TIMEOUT 300
                             ENVIRONMENT
            "PYTHONDONTWRITEBYTECODE=1;HARVEST_PROGRAM=$<TARGET_FILE:vislang>")
    endforeach()
    if(TARGET vislang)
        add_test(NAME harvest.whole COMMAND ${Python3_EXECUTABLE}
                 ${CMAKE_CURRENT_SOURCE_DIR}/harvest/whole_harvest.py $<TARGET_FILE:vislang>)
        set_tests_properties(harvest.whole PROPERTIES TIMEOUT 300 ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")
    endif()
endif()
