# The model of src/dataset/pairs_evidence.c: ninja fit_pairs && build/fit_pairs tests/pairs
add_executable(fit_pairs tools/fit_pairs.c)
target_include_directories(fit_pairs PRIVATE src tests)
target_link_libraries(fit_pairs PRIVATE vl_dataset)
