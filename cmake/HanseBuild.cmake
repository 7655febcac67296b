# Compiler settings and the dependencies that several layers share.
include(GNUInstallDirs)
find_package(PkgConfig REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS C)
find_package(Threads REQUIRED)
pkg_check_modules(HDF5 REQUIRED IMPORTED_TARGET hdf5-serial)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)          # POSIX and GNU interfaces of the C library
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

# What every target of the project is compiled with. -ffp-contract=off: row
# values must be the same on every instruction set (docs/exactness.md).
add_library(hanse_flags INTERFACE)
target_compile_options(hanse_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Werror -ffp-contract=off -fno-math-errno)
target_compile_definitions(hanse_flags INTERFACE _GNU_SOURCE)
target_include_directories(hanse_flags INTERFACE ${PROJECT_SOURCE_DIR})
if(HANSE_SANITIZE)
  target_compile_options(hanse_flags INTERFACE
    -fsanitize=${HANSE_SANITIZE} -fno-omit-frame-pointer -g)
  target_link_options(hanse_flags INTERFACE -fsanitize=${HANSE_SANITIZE})
endif()

# hanse_layer(name LINKS targets... SOURCES files...): one layer of DESIGN,
# linking only downwards.
function(hanse_layer name)
  cmake_parse_arguments(layer "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${layer_SOURCES})
  target_link_libraries(${name} PUBLIC $<BUILD_INTERFACE:hanse_flags>
                        ${layer_LINKS})
endfunction()
