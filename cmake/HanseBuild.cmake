# Compiler settings and the dependencies that several layers share.
include(CheckCCompilerFlag)
include(CheckPIESupported)
include(GNUInstallDirs)

find_package(BZip2 REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS C)
find_package(Threads REQUIRED)

# Only its header; the library is loaded when it is needed.
pkg_check_modules(BLOSC REQUIRED IMPORTED_TARGET blosc)
pkg_check_modules(DEFLATE REQUIRED IMPORTED_TARGET libdeflate)
# hdf5-serial is Debian's HDF5 without MPI; plain `hdf5` would be whichever
# flavour the machine prefers.
pkg_check_modules(HDF5 REQUIRED IMPORTED_TARGET hdf5-serial)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)

# A program with the property HANSE_ARCHIVES takes archives where there are any:
# loading shared libraries takes a small run longer than all the rest.
# hanse_archive(NAME LIBRARIES... SHARED targets...): the target hanse_NAME,
# lib*.a of all the LIBRARIES, else SHARED.
option(HANSE_ARCHIVES "Link the program with archives where they are" ON)
function(hanse_archive name)
  cmake_parse_arguments(either "" "" "LIBRARIES;SHARED" ${ARGN})
  set(archives "")
  foreach(library ${either_LIBRARIES})
    find_library(HANSE_ARCHIVE_${library} lib${library}.a
                 HINTS ${HDF5_LIBRARY_DIRS})
    mark_as_advanced(HANSE_ARCHIVE_${library})
    list(APPEND archives ${HANSE_ARCHIVE_${library}})
  endforeach()
  if(NOT HANSE_ARCHIVES OR archives MATCHES NOTFOUND)
    set(archives ${either_SHARED})
  endif()
  add_library(hanse_${name} INTERFACE)
  target_link_libraries(hanse_${name} INTERFACE
    "$<IF:$<BOOL:$<TARGET_PROPERTY:HANSE_ARCHIVES>>,${archives},${either_SHARED}>")
  target_include_directories(hanse_${name} SYSTEM INTERFACE
    $<TARGET_PROPERTY:${either_SHARED},INTERFACE_INCLUDE_DIRECTORIES>)
endfunction()

# HDF5 with its library of dimension scales. Debian's shared library brings 30
# others for remote files.
add_library(hanse_hdf5_shared INTERFACE)
target_link_libraries(hanse_hdf5_shared INTERFACE
  hdf5_serial_hl PkgConfig::HDF5)
target_include_directories(hanse_hdf5_shared SYSTEM INTERFACE
  ${HDF5_INCLUDE_DIRS})
hanse_archive(hdf5 LIBRARIES hdf5_serial_hl hdf5_serial sz aec z
              SHARED hanse_hdf5_shared)
target_link_libraries(hanse_hdf5 INTERFACE dl m)
hanse_archive(bzip2 LIBRARIES bz2 SHARED BZip2::BZip2)
hanse_archive(deflate LIBRARIES deflate SHARED PkgConfig::DEFLATE)
hanse_archive(jansson LIBRARIES jansson SHARED PkgConfig::JANSSON)
hanse_archive(lz4 LIBRARIES lz4 SHARED PkgConfig::LZ4)
hanse_archive(seccomp LIBRARIES seccomp SHARED PkgConfig::SECCOMP)
hanse_archive(yaml LIBRARIES yaml SHARED PkgConfig::YAML)
hanse_archive(zstd LIBRARIES zstd SHARED PkgConfig::ZSTD)

# All of them once more, for programs that take the static library: the list
# goes into hanse.pc and the CMake package.
set(HANSE_MODULES
  hdf5-serial jansson libdeflate liblz4 libseccomp yaml-0.1 libzstd)
pkg_check_modules(HANSE_PRIVATE REQUIRED IMPORTED_TARGET ${HANSE_MODULES})
if(CMAKE_C_COMPILER_ID STREQUAL GNU)
  set(HANSE_OPENMP_LIBS ${OpenMP_C_LIB_NAMES})
else()
  # clang's lies outside the linker's search path.
  set(HANSE_OPENMP_LIBS ${OpenMP_C_LIBRARIES})
endif()

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)          # POSIX and GNU interfaces of the C library
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

# Code and programs independent of their address (-fPIE and -pie).
check_pie_supported(LANGUAGES C)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# A build with debugging information is as fast as the one without.
string(REPLACE "-O2" "-O3" CMAKE_C_FLAGS_RELWITHDEBINFO
       "${CMAKE_C_FLAGS_RELWITHDEBINFO}")

# What every target of the project is compiled with. -ffp-contract=off: row
# values must be the same on every instruction set (docs/exactness.md).
add_library(hanse_flags INTERFACE)
target_compile_options(hanse_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes;-Wmissing-prototypes>
  -Werror -ffp-contract=off -fno-math-errno)
target_compile_definitions(hanse_flags INTERFACE _GNU_SOURCE)
target_include_directories(hanse_flags INTERFACE ${PROJECT_SOURCE_DIR})

# Hardening. The two options checked for exist only on some processors.
target_compile_options(hanse_flags INTERFACE -fstack-protector-strong)
target_link_options(hanse_flags INTERFACE
  -Wl,-z,relro,-z,now,-z,noexecstack)
foreach(flag -fstack-clash-protection -fcf-protection)
  string(MAKE_C_IDENTIFIER "HANSE_HAS${flag}" found)
  check_c_compiler_flag(${flag} ${found})
  if(${found})
    target_compile_options(hanse_flags INTERFACE ${flag})
  endif()
endforeach()

if(HANSE_SANITIZE)
  target_compile_options(hanse_flags INTERFACE
    -fsanitize=${HANSE_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer -g)
  target_link_options(hanse_flags INTERFACE -fsanitize=${HANSE_SANITIZE})
else()
  # The checked functions of the C library need optimisation, and hide calls
  # from the sanitizers. Some compilers predefine the macro.
  target_compile_options(hanse_flags INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2>)
endif()

# hanse_layer(name LINKS targets... SOURCES files...): one layer of DESIGN,
# linking only downwards.
function(hanse_layer name)
  cmake_parse_arguments(layer "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${layer_SOURCES})
  target_link_libraries(${name} PUBLIC $<BUILD_INTERFACE:hanse_flags>
                        ${layer_LINKS})
endfunction()
