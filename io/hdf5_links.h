/* SPDX-License-Identifier: Apache-2.0
 *
 * What a group of an HDF5 file holds.
 */
#ifndef HANSE_IO_HDF5_LINKS_H
#define HANSE_IO_HDF5_LINKS_H

#include "io/hdf5_library.h"

typedef enum hanse_link_kind {
    HANSE_LINK_GROUP,
    HANSE_LINK_DATASET,
    HANSE_LINK_OTHER,  /* a named datatype */
    HANSE_LINK_REFUSED /* leads out of the file, or nowhere */
} hanse_link_kind;

typedef struct hanse_hdf5_link {
    char *name; /* UTF-8; other bytes escaped, and the link then refused */
    hanse_link_kind kind;
    bool is_soft;
    uint64_t address;   /* of the object, to know it again */
    const char *reason; /* refused: why; static storage */
} hanse_hdf5_link;

typedef struct hanse_hdf5_links {
    hanse_hdf5_link *items;
    size_t n;
} hanse_hdf5_links;

/* Why a name in a file cannot be that of a column; NULL: it can. */
const char *hanse_hdf5_name_fault(const char *name);

/* Lists a group in order of creation where that is kept, else by name, without
 * the names that PyTables, pandas and MATLAB use for themselves. At most 65536
 * links. HANSE_ERR_FORMAT, HANSE_ERR_NOMEM. */
hanse_status hanse_hdf5_links_list(hid_t group, hanse_hdf5_links *out,
                                   hanse_error *error);
void hanse_hdf5_links_clear(hanse_hdf5_links *links);

#endif
