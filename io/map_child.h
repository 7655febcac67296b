/* SPDX-License-Identifier: Apache-2.0
 *
 * The confined child: the process that opens an untrusted HDF5 file with the
 * HDF5 library, so that nothing else has to. io/map_process.h starts it and
 * says how it is talked to, io/map_server.h what is asked.
 */
#ifndef HANSE_IO_MAP_CHILD_H
#define HANSE_IO_MAP_CHILD_H

#include "io/confine.h"

/* Confines the process and answers until the parent closes its end; with_blosc:
 * it may have to decode that, whose library is loaded before. Returns the exit
 * status; the caller then ends the process by _exit. */
int hanse_map_child_run(const hanse_confine_limits *limits, bool with_blosc);

#endif
