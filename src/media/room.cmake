target_compile_definitions(vl_media PRIVATE VISLANG_DECODER_PATH="${CMAKE_BINARY_DIR}/vislang-decode")
