# The model of scripts: ninja script_pages script_fit, then models/script.md
add_executable(script_pages tools/script_pages.c)
target_include_directories(script_pages PRIVATE src)
target_link_libraries(script_pages PRIVATE vl_dataset vl_ocr PkgConfig::PANGOCAIRO PkgConfig::CAIRO
                      PkgConfig::ICU)
add_executable(script_fit tools/script_fit.c)
target_include_directories(script_fit PRIVATE src)
target_link_libraries(script_fit PRIVATE vl_dataset vl_ocr)
