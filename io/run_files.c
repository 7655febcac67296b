/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole run over HDF5 files for callers of the library.
 */
#include "engine/base/error.h"
#include "engine/run.h"
#include "io/column_reason.h"
#include "io/hdf5_source.h"

hanse_status hanse_run_files(hanse_spec *spec, const char *const *files,
                             size_t n_files, const hanse_run_options *options,
                             hanse_result **out, hanse_error *error)
{
    static const hanse_run_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    hanse_budget budget = {.limit_bytes = options->memory_bytes};
    const hanse_hdf5_options how = {.table = options->table, .budget = &budget};
    hanse_source *source;
    HANSE_TRY(hanse_hdf5_source_open(files, n_files, &how, &source, error));
    hanse_status status = hanse_complete_spec(spec, source, error);
    if (status == HANSE_OK)
        status = hanse_explain_column(
            source, hanse_run(spec, source, options, NULL, out, error), error);
    hanse_source_close(source);
    return status;
}
