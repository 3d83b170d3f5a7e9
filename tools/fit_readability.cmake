# The model of src/dataset/readability.c: ninja fit_readability && build/fit_readability TEXT CHARS
add_executable(fit_readability tools/fit_readability.c)
target_include_directories(fit_readability PRIVATE src)
target_link_libraries(fit_readability PRIVATE vl_dataset PkgConfig::ZLIB)
