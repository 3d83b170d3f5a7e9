# Training over several processes (Debian's libopenmpi-dev), and the curves of a run.
pkg_check_modules(MPI REQUIRED IMPORTED_TARGET ompi-c)
target_link_libraries(vl_train PUBLIC PkgConfig::MPI PkgConfig::CAIRO)
