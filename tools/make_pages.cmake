# Page pictures to train on: ninja make_pages && build/make_pages --text DIR --out DIR
add_executable(make_pages tools/make_pages.c tools/page_kinds.c tools/page_text.c tools/degrade.c)
target_link_libraries(make_pages PRIVATE vl_media vl_text vl_base PkgConfig::PANGOCAIRO
                      PkgConfig::CAIRO PkgConfig::ICU PkgConfig::ZLIB)
