# The figures of docs/privacy.md: ninja privacy_finds && build/privacy_finds FILE…
add_executable(privacy_finds tools/privacy_finds.c)
target_link_libraries(privacy_finds PRIVATE vl_dataset PkgConfig::ZLIB)
target_include_directories(privacy_finds PRIVATE ${CMAKE_SOURCE_DIR}/src)
