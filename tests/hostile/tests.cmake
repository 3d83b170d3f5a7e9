# Files made to break a decoder: hostile.corpus writes them into the build tree, hostile.run opens
# every one under the default limits, in two halves that may run side by side, and holds the
# decoders to their promises.
find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND AND TARGET vl_media AND TARGET vislang-decode)
    set(hostile ${CMAKE_CURRENT_LIST_DIR})
    add_executable(hostile_seeds ${hostile}/make_seeds.c)
    target_link_libraries(hostile_seeds PRIVATE PkgConfig::JPEG PkgConfig::TIFF PkgConfig::WEBP)
    add_executable(hostile_run ${hostile}/run.c)
    target_link_libraries(hostile_run PRIVATE vl_media)
    add_dependencies(hostile_run vislang-decode)
    set_target_properties(hostile_seeds hostile_run PROPERTIES RUNTIME_OUTPUT_DIRECTORY
                          ${CMAKE_BINARY_DIR}/tests)
    add_test(NAME hostile.corpus COMMAND ${Python3_EXECUTABLE} -B ${hostile}/make_corpus.py
             $<TARGET_FILE:hostile_seeds> ${CMAKE_BINARY_DIR}/hostile)
    set_tests_properties(hostile.corpus PROPERTIES FIXTURES_SETUP hostile TIMEOUT 120)
    foreach(shard 0 1)
        add_test(NAME hostile.run${shard}
                 COMMAND hostile_run ${CMAKE_BINARY_DIR}/hostile ${shard} 2)
        set_tests_properties(hostile.run${shard} PROPERTIES FIXTURES_REQUIRED hostile TIMEOUT 900)
    endforeach()
endif()
# The unit tests of documents run it as well.
if(TARGET test_media_document AND TARGET vislang-decode)
    add_dependencies(test_media_document vislang-decode)
    add_dependencies(test_media_image vislang-decode)
endif()
