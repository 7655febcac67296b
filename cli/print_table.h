/* SPDX-License-Identifier: Apache-2.0
 *
 * Result tables on a stream: aligned for people, CSV and JSON for programs.
 */
#ifndef HANSE_CLI_PRINT_TABLE_H
#define HANSE_CLI_PRINT_TABLE_H

#include <stdio.h>

#include "cli/table_view.h"

/* Aligned columns under a heading with the name of the table, units in
 * brackets, thousands separated in statistics. Floats have as many decimals
 * as their column needs, at most six. HANSE_ERR_NOMEM; failures of the stream
 * are the caller's to find with ferror. */
hanse_status hanse_print_text(FILE *stream, const hanse_view *view,
                              hanse_error *error);

/* RFC 4180, with a line of names and CRLF. A missing key, NaN included, is an
 * empty field, an empty text is "". Floats have the fewest digits that give
 * the same value back. `safe`: control characters are escaped, for a
 * terminal. */
hanse_status hanse_print_csv(FILE *stream, const hanse_view *view, bool safe,
                             hanse_error *error);

/* One object: an array of rows under the name of each table, a row being an
 * object with a member per column. Missing keys and NaN are null, infinities
 * the texts "inf" and "-inf". Integers have all their digits; those above
 * 2^63 - 1 are texts. */
hanse_status hanse_print_json(FILE *stream, const hanse_view *views,
                              size_t n_views, hanse_error *error);

#endif
