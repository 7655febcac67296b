/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of a generated file: their columns, and rows made from a
 * population and its links.
 */
#ifndef HANSE_DATASETS_TABLES_H
#define HANSE_DATASETS_TABLES_H

#include "datasets/links.h"
#include "datasets/population.h"
#include "datasets/table_writer.h"

/* /enterprises with n_rows rows, and /links. Both borrow their argument. */
hanse_row_maker hanse_enterprise_table(const hanse_population *population,
                                       uint64_t n_rows);
hanse_row_maker hanse_link_table(const hanse_links *links);

#endif
