/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the values of a dataset lie that keeps them in other files. None of
 * these is opened.
 */
#ifndef HANSE_IO_FOREIGN_RECORD_H
#define HANSE_IO_FOREIGN_RECORD_H

#include <hdf5.h>

#include "io/dataset_map.h"

/* Why the sources of a virtual dataset are not followed; NULL: they are. To be
 * asked before its extent, which may depend on them. */
const char *hanse_virtual_fault(hid_t creation);

/* Files and pieces of external storage, or of a virtual dataset, by the
 * creation properties of the dataset. element_bytes and n_rows of the map are
 * set. HANSE_ERR_FORMAT: damaged; HANSE_ERR_TYPE: put together in a way that we
 * do not follow. On failure the map is to be cleared. */
hanse_status hanse_record_external(hid_t creation, hanse_dataset_map *map,
                                   hanse_error *error);
hanse_status hanse_record_virtual(hid_t creation,
                                  const hanse_hdf5_layout *layout,
                                  hanse_dataset_map *map, hanse_error *error);

#endif
