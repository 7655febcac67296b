/* SPDX-License-Identifier: Apache-2.0
 *
 * Recording the maps of a part's columns when they are first needed.
 */
#ifndef HANSE_IO_PART_MAPS_H
#define HANSE_IO_PART_MAPS_H

#include "io/hdf5_reader.h"

/* Makes sure that the maps of the given fields of a part are recorded and
 * sound. Takes and gives back the lock; may be called by several threads. */
hanse_status hanse_part_record_maps(hanse_hdf5_part *part, const size_t *fields,
                                    size_t n_fields, hanse_error *error);

#endif
