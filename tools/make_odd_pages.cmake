# The pages of tests/pages: ninja make_odd_pages && build/make_odd_pages tests/pages/source tests/pages
add_executable(make_odd_pages tools/make_odd_pages.c)
target_include_directories(make_odd_pages PRIVATE src)
target_link_libraries(make_odd_pages PRIVATE vl_dataset PkgConfig::PANGOCAIRO PkgConfig::CAIRO
                      PkgConfig::TIFF)
