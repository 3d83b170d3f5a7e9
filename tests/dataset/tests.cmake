# Shards as training reads them: two rooms of one floor meet only here.
add_executable(test_dataset_shards ${CMAKE_CURRENT_SOURCE_DIR}/dataset/shards.c)
set_target_properties(test_dataset_shards PROPERTIES
                      RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_include_directories(test_dataset_shards PRIVATE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(test_dataset_shards PRIVATE vl_dataset vl_train PkgConfig::CMOCKA)
target_compile_definitions(test_dataset_shards PRIVATE TEST_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                           TEST_BINARY_DIR="${CMAKE_BINARY_DIR}")
add_test(NAME dataset.shards COMMAND test_dataset_shards WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(dataset.shards PROPERTIES TIMEOUT 300)
# A dataset as `vislang dataset build` leaves it, for who reads datasets; and its exports, by what
# Python has and by `vislang train` (peers.export: by the libraries they are for).
add_executable(write_dataset ${CMAKE_CURRENT_SOURCE_DIR}/dataset/write_dataset.c)
set_target_properties(write_dataset PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_include_directories(write_dataset PRIVATE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(write_dataset PRIVATE vl_dataset)
if(TARGET vislang)
    add_test(NAME dataset.export COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/dataset/test_export.py
             $<TARGET_FILE:vislang> $<TARGET_FILE:write_dataset>)
    set_tests_properties(dataset.export PROPERTIES TIMEOUT 300 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                         ENVIRONMENT "VISLANG_SANITIZED=$<$<BOOL:${VISLANG_SANITIZE}>:1>")
endif()
# … and by `vislang dataset check` and `stats`.
if(TARGET vislang)
    add_test(NAME dataset.check COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/dataset/test_check.py
             $<TARGET_FILE:vislang> $<TARGET_FILE:write_dataset>)
    set_tests_properties(dataset.check PROPERTIES TIMEOUT 300 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
endif()
# Datasets, from documents that the tests write.
if(TARGET vislang)
    add_test(NAME dataset.build COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/dataset/test_build.py)
    add_test(NAME dataset.build_queue COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/store/with-postgres.sh
             python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/dataset/test_build_queue.py)
    add_test(NAME dataset.train COMMAND python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/dataset/test_train.py)
    set_tests_properties(dataset.build dataset.build_queue dataset.train PROPERTIES TIMEOUT 900 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                         ENVIRONMENT "VISLANG_PROGRAM=$<TARGET_FILE:vislang>")
endif()
