# The constants of src/dataset/pairs_sight.c: ninja fit_sight && build/fit_sight FOLDER
add_executable(fit_sight tools/fit_sight.c)
target_include_directories(fit_sight PRIVATE src)
target_link_libraries(fit_sight PRIVATE vl_dataset PkgConfig::CJSON)
