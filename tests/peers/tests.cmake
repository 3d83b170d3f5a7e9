# Model files against independent readers and writers of the same formats (Python's gguf and
# safetensors): scripts/deps.sh --peers installs them into .venv; without them the test is skipped
# and says so.
find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND AND TARGET vl_tensor)
    add_executable(tensor_peer ${CMAKE_CURRENT_LIST_DIR}/tensor_peer.c)
    set_target_properties(tensor_peer PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(tensor_peer PRIVATE vl_tensor)
    add_test(NAME peers.tensor COMMAND ${Python3_EXECUTABLE} -B
             ${CMAKE_CURRENT_LIST_DIR}/test_tensor.py $<TARGET_FILE:tensor_peer>)
    set_tests_properties(peers.tensor PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120)
endif()
