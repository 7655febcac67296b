/* SPDX-License-Identifier: Apache-2.0
 *
 * Making a dataset map with the HDF5 library; runs in the confined child.
 */
#ifndef HANSE_IO_DATASET_RECORD_H
#define HANSE_IO_DATASET_RECORD_H

#include "io/dataset_map.h"
#include "io/recording_driver.h"

/* Maps an open dataset of a file that was opened with the recording driver.
 * What our decoder cannot do is no failure but a reason in the map, without
 * addresses. HANSE_ERR_FORMAT when the library fails, HANSE_ERR_NOMEM. Clear
 * with hanse_dataset_map_clear, on failure too. */
hanse_status hanse_dataset_record(hid_t dataset,
                                  const hanse_hdf5_layout *layout,
                                  hanse_recording *recording,
                                  hanse_dataset_map *out, hanse_error *error);

#endif
