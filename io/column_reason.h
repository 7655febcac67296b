/* SPDX-License-Identifier: Apache-2.0
 *
 * A table may hold columns that cannot be used: two dimensions, references,
 * packed values. The engine sees only those that can, and calls the others
 * unknown. Here its message learns the reason.
 */
#ifndef HANSE_IO_COLUMN_REASON_H
#define HANSE_IO_COLUMN_REASON_H

#include "engine/source.h"

/* hanse_spec_complete for an open HDF5 source. HANSE_ERR_COLUMN when a column
 * that would be taken by convention is in the table but cannot be used: left
 * out silently, it would be missed in the result. */
hanse_status hanse_complete_spec(hanse_spec *spec, const hanse_source *source,
                                 hanse_error *error);

/* Rewrites "no column 'x' ..." in a failure of the engine over an open HDF5
 * source to "column 'x' cannot be used: reason" when that is the truth; other
 * errors stay as they are. Returns `status`; `error` may be NULL. */
hanse_status hanse_explain_column(const hanse_source *source,
                                  hanse_status status, hanse_error *error);

#endif
