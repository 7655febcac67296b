/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys through a mapping table, `map(region, 'regions.csv', code, cluster)`:
 * every value of the column `region` of the input becomes the value of
 * `cluster` in the row of the mapping table whose `code` it is. The table is a
 * CSV file (its name ends in .csv) or lies in an HDF5 file.
 */
#ifndef HANSE_IO_KEY_MAPS_H
#define HANSE_IO_KEY_MAPS_H

#include "engine/mapping.h"
#include "io/job.h"

/* The definition of a mapped key, quoted, from malloc; `table` may be NULL.
 * NULL without memory. */
char *hanse_map_definition(const char *column, const char *file,
                           const char *from, const char *to, const char *table);

/* Reads the mapping tables of the keys that the job's groupings use, and
 * defines these keys in `spec`. `schema` is that of the input; is_trusted: HDF5
 * files are opened without a confined process. The mappings
 * are charged to `budget`, which must outlive the specification. Names of the
 * files read are appended to `files`. */
hanse_status hanse_job_define_maps(const hanse_job *job,
                                   const hanse_schema *schema, bool is_trusted,
                                   hanse_budget *budget, hanse_spec *spec,
                                   hanse_text_list *files, hanse_error *error);

/* ---- Between the files of this module ----------------------------------- */

/* One mapping table on its way into a mapping. */
typedef struct hanse_map_load {
    const char *key; /* "key 'cluster'", begins messages */
    const char *file;
    const char *from; /* columns of the mapping table */
    const char *to;
    const char *table;        /* path in an HDF5 file, NULL: by convention */
    const hanse_field *field; /* column of the input that is mapped */
    hanse_budget *budget;
    bool is_trusted; /* io/hdf5_source.h */
} hanse_map_load;

/* Whether a mapping from integers can hold this one for the column. */
bool hanse_map_fits(const hanse_map_load *load, __int128 value);

/* Read the table; a mapping from texts where `field` has texts or labels and
 * the table's column has texts, else from integers. */
hanse_status hanse_map_load_csv(const hanse_map_load *load, hanse_mapping **out,
                                hanse_error *error);
hanse_status hanse_map_load_hdf5(const hanse_map_load *load,
                                 hanse_mapping **out, hanse_error *error);

#endif
