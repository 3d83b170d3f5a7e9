# Page pictures to train on: ninja make_pages && build/make_pages --text DIR --out DIR
add_executable(make_pages tools/make_pages.c tools/page_kinds.c tools/page_text.c)
target_include_directories(make_pages PRIVATE src)
target_link_libraries(make_pages PRIVATE vl_dataset PkgConfig::PANGOCAIRO PkgConfig::CAIRO
                      PkgConfig::ICU)
