# The bundled samples: ninja make_samples && build/make_samples samples/source samples
add_executable(make_samples tools/make_samples.c)
target_include_directories(make_samples PRIVATE src)
target_link_libraries(make_samples PRIVATE vl_dataset vl_ocr PkgConfig::PANGOCAIRO PkgConfig::CAIRO
                      PkgConfig::TIFF PkgConfig::WEBP)
