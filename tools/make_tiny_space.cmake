add_executable(make_tiny_space tools/make_tiny_space.c)
target_link_libraries(make_tiny_space PRIVATE vl_align)
target_include_directories(make_tiny_space PRIVATE ${CMAKE_SOURCE_DIR}/src)
