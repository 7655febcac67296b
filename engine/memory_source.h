/* SPDX-License-Identifier: Apache-2.0
 *
 * A source over arrays in memory, for tests and benchmarks.
 */
#ifndef HANSE_ENGINE_MEMORY_SOURCE_H
#define HANSE_ENGINE_MEMORY_SOURCE_H

#include "engine/source.h"

/* A source over the rows of `batch`, cut into morsels of morsel_rows rows
 * (>= 1). Schema and arrays are borrowed until the source is closed. */
hanse_status hanse_memory_source_open(const hanse_schema *schema,
                                      const hanse_batch *batch,
                                      size_t morsel_rows, hanse_source **out,
                                      hanse_error *error);

#endif
