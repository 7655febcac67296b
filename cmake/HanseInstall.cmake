# `cmake --install`: libraries, header, manual pages, and what other builds find
# the library with (pkg-config file, CMake package). cli/ installs the program.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/hanse)
install(FILES ${PROJECT_SOURCE_DIR}/engine/hanse.h TYPE INCLUDE)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md
              ${PROJECT_SOURCE_DIR}/CHANGELOG.md TYPE DOC)
file(GLOB pages ${PROJECT_SOURCE_DIR}/docs/man/*.1)
install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# Two sets, because only the static library asks for other packages.
install(TARGETS hanse_shared EXPORT hanseShared)
install(TARGETS hanse_static EXPORT hanseStatic)
foreach(set hanseShared hanseStatic)
  install(EXPORT ${set} NAMESPACE hanse:: DESTINATION ${package_dir})
endforeach()
configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/hanseConfig.cmake.in
  ${PROJECT_BINARY_DIR}/hanseConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
# Until 1.0 a minor version may change the interface.
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/hanseConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/hanseConfig.cmake
              ${PROJECT_BINARY_DIR}/hanseConfigVersion.cmake
        DESTINATION ${package_dir})

# hanse.pc: the prefix is worked out from where the file lies, so that an
# installed tree can be moved.
file(RELATIVE_PATH HANSE_PC_PREFIX
     ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" HANSE_PC_PREFIX ${HANSE_PC_PREFIX})
list(JOIN HANSE_MODULES " " HANSE_PC_REQUIRES)
list(TRANSFORM HANSE_OPENMP_LIBS PREPEND -l REGEX "^[^/]"
     OUTPUT_VARIABLE HANSE_PC_OPENMP)
list(JOIN HANSE_PC_OPENMP " " HANSE_PC_OPENMP)
configure_file(${PROJECT_SOURCE_DIR}/cmake/hanse.pc.in
               ${PROJECT_BINARY_DIR}/hanse.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/hanse.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
