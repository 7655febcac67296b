# libhanse, shared and static: the layers engine and io as one library that
# shows the names of hanse.h and no others. Program and tests link the layers
# themselves, because they use more than the public interface.
set(objects "")
foreach(layer hanse_base hanse_kernels hanse_engine hanse_models hanse_io)
  if(TARGET ${layer})
    list(APPEND objects $<TARGET_OBJECTS:${layer}>)
  endif()
endforeach()

# hanse_io brings the libraries to link with; of its own archive nothing is
# left to take.
add_library(hanse_shared SHARED ${objects})
set(names ${PROJECT_SOURCE_DIR}/cmake/public_names.map)
target_link_libraries(hanse_shared PRIVATE hanse_io)
target_link_options(hanse_shared PRIVATE -Wl,--version-script=${names})
if(NOT HANSE_SANITIZE)
  # Sanitized libraries find their run-time functions in the program.
  target_link_options(hanse_shared PRIVATE -Wl,-z,defs)
endif()
set_target_properties(hanse_shared PROPERTIES
  OUTPUT_NAME hanse EXPORT_NAME hanse LINKER_LANGUAGE C
  LINK_DEPENDS ${names}
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})

# In an archive hidden names are still visible to the program that links it.
# Joined to one object first, they can be made local, and with them the locks
# of OpenMP's named critical sections (`ld -d` gives these their memory).
set(joined ${PROJECT_BINARY_DIR}/hanse_joined.o)
add_custom_command(OUTPUT ${joined}
  COMMAND ${CMAKE_C_COMPILER} -nostdlib -r -Wl,-d -o ${joined} ${objects}
  COMMAND ${CMAKE_OBJCOPY} --localize-hidden
          --wildcard --localize-symbol=.gomp_critical_* ${joined}
  DEPENDS ${objects} COMMAND_EXPAND_LISTS VERBATIM
  COMMENT "Joining the layers to one object with public names only")
add_library(hanse_static STATIC ${joined})
set_source_files_properties(${joined} PROPERTIES
  EXTERNAL_OBJECT ON GENERATED ON)
set_target_properties(hanse_static PROPERTIES
  OUTPUT_NAME hanse LINKER_LANGUAGE C)

# What a program that takes the static library must link as well.
target_link_libraries(hanse_static INTERFACE
  PkgConfig::HANSE_PRIVATE hdf5_serial_hl bz2 ${HANSE_OPENMP_LIBS} m)

foreach(library hanse_shared hanse_static)
  target_include_directories(${library} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/engine>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
