/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole run over HDF5 files for callers of the library.
 */
#include "engine/base/error.h"
#include "engine/run.h"
#include "io/column_reason.h"
#include "io/hdf5_source.h"
#include "io/spill_file.h"

hanse_status hanse_run_files(hanse_spec *spec, const char *const *files,
                             size_t n_files, const hanse_run_options *options,
                             hanse_result **out, hanse_error *error)
{
    static const hanse_run_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    hanse_budget budget = {.limit_bytes = options->memory_bytes};
    const hanse_hdf5_options how = {.table = options->table,
                                    .budget = &budget,
                                    .is_trusted = options->trusted_input,
                                    .allow_foreign = options->allow_external};
    hanse_run_tuning tuning = {0};
    hanse_source *source = NULL;
    hanse_status status = HANSE_OK;
    if (options->spill_directory != NULL)
        status = hanse_spill_file_open(options->spill_directory, &tuning.spill,
                                       error);
    if (status == HANSE_OK)
        status = hanse_hdf5_source_open(files, n_files, &how, &source, error);
    if (status == HANSE_OK)
        status = hanse_complete_spec(spec, source, error);
    if (status == HANSE_OK)
        status = hanse_explain_column(
            source,
            hanse_run_tuned(spec, source, options, &tuning, NULL, out, error),
            error);
    if (tuning.spill != NULL)
        tuning.spill->ops->close(tuning.spill);
    hanse_source_close(source);
    return status;
}
