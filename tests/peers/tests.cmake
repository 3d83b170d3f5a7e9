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

# The network `seer`, its gradients, its tokenizer and its training against the same in PyTorch
# (tools/seer_torch.py): scripts/deps.sh --peers torch installs it into .venv, or the
# environment that VISLANG_PEERS names; without it the test is skipped and says so.
if(Python3_FOUND AND TARGET vl_model)
    add_executable(seer_dump ${CMAKE_CURRENT_LIST_DIR}/seer_dump.c)
    set_target_properties(seer_dump PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(seer_dump PRIVATE vl_model)
    set(seer_peers $<TARGET_FILE:seer_dump>)
    if(TARGET vislang)
        list(APPEND seer_peers $<TARGET_FILE:vislang>)
    endif()
    add_test(NAME peers.seer COMMAND ${Python3_EXECUTABLE} -B
             ${CMAKE_CURRENT_LIST_DIR}/test_seer.py ${seer_peers})
    set_tests_properties(peers.seer PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
endif()

# The running service against its own /openapi.json (Python's schemathesis) and its metrics against
# Prometheus' own reader: scripts/deps.sh --peers.
if(Python3_FOUND AND TARGET vislang AND TARGET make_tiny_seer)
    add_test(NAME peers.schemathesis COMMAND ${Python3_EXECUTABLE} -B
             ${CMAKE_CURRENT_LIST_DIR}/test_schemathesis.py $<TARGET_FILE:vislang>
             $<TARGET_FILE:make_tiny_seer> $<TARGET_FILE:make_tiny_space>)
    set_tests_properties(peers.schemathesis PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900
                         ENVIRONMENT "OMP_THREAD_LIMIT=1")
endif()

# Exports of datasets against the libraries that load them.
if(Python3_FOUND AND TARGET vislang)
    add_test(NAME peers.export COMMAND ${Python3_EXECUTABLE} -B
             ${CMAKE_CURRENT_LIST_DIR}/test_export.py $<TARGET_FILE:vislang> $<TARGET_FILE:write_dataset>)
    set_tests_properties(peers.export PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
endif()

# What `dataset check` says, against what `datasets` loads.
if(Python3_FOUND AND TARGET vislang)
    add_test(NAME peers.check COMMAND ${Python3_EXECUTABLE} -B
             ${CMAKE_CURRENT_LIST_DIR}/test_check.py $<TARGET_FILE:vislang>)
    set_tests_properties(peers.check PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
endif()

# Where they are looked for.
if(Python3_FOUND)
    add_test(NAME peers.where COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_LIST_DIR}/test_peers.py)
endif()

# Agreement of reviewers against Python's krippendorff.
if(Python3_FOUND AND TARGET vislang)
    add_test(NAME peers.agreement COMMAND ${Python3_EXECUTABLE} -B
             ${CMAKE_CURRENT_LIST_DIR}/test_agreement.py $<TARGET_FILE:vislang>)
    set_tests_properties(peers.agreement PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120)
endif()

# Word vectors, as files and as trained, against fastText.
if(Python3_FOUND AND TARGET vl_align)
    add_executable(vectors_peer ${CMAKE_CURRENT_LIST_DIR}/vectors_peer.c)
    set_target_properties(vectors_peer PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(vectors_peer PRIVATE vl_align)
    add_test(NAME peers.fasttext COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_LIST_DIR}/test_fasttext.py
             $<TARGET_FILE:vectors_peer> $<TARGET_FILE:vislang>)
    set_tests_properties(peers.fasttext PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
endif()
