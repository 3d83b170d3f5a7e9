# Language identification beside Debian's CLD2 and libexttextcat, where both are installed
# (scripts/deps.sh). libcld2_full stands before libcld2, so that its larger tables are used.
find_library(CLD2_LIBRARY cld2)
find_library(CLD2_TABLES cld2_full)
find_path(TEXTCAT_PROFILES fpdb.conf PATHS /usr/share/libexttextcat /usr/share/libexttextcat-data)
pkg_check_modules(TEXTCAT IMPORTED_TARGET libexttextcat)
if(TARGET vl_text AND CLD2_LIBRARY AND CLD2_TABLES AND TEXTCAT_PROFILES AND TEXTCAT_FOUND)
    add_executable(bench_langid ${CMAKE_CURRENT_LIST_DIR}/langid.c)
    set_target_properties(bench_langid PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
    target_compile_definitions(bench_langid PRIVATE TEXTCAT_PROFILES="${TEXTCAT_PROFILES}")
    target_link_libraries(bench_langid PRIVATE vl_text PkgConfig::TEXTCAT -Wl,--no-as-needed
                          ${CLD2_TABLES} ${CLD2_LIBRARY} -Wl,--as-needed)
endif()
