/* SPDX-License-Identifier: Apache-2.0
 *
 * The sink: where a run's results go. io/ implements it over HDF5.
 */
#ifndef HANSE_ENGINE_SINK_H
#define HANSE_ENGINE_SINK_H

#include "engine/hanse.h"
#include "engine/source.h"

typedef struct hanse_sink hanse_sink;

/* A record-level output: a column of numbers, one for each row of the input. */
typedef struct hanse_record_variable {
    const char *name;
    const char *long_name; /* NULL when unknown */
    const char *units;     /* NULL when unknown */
    size_t field;          /* of the source, HANSE_FLOAT64 */
    /* The values are codes of hanse_model_status and written as such; NaN, a
     * row that is in no group, counts as HANSE_MODEL_EMPTY. */
    bool is_status;
} hanse_record_variable;

/* All record-level outputs of a run. Borrowed for the call. */
typedef struct hanse_record_set {
    hanse_source *source; /* whose rows they are */
    const hanse_record_variable *variables;
    size_t n_variables;               /* at least 1 */
    const hanse_run_options *options; /* threads and progress; NULL: none */
} hanse_record_set;

typedef struct hanse_sink_ops {
    /* Takes one result table; borrowed for the call. */
    hanse_status (*table)(hanse_sink *sink, const hanse_table *table,
                          hanse_error *error);

    /* Reads the record-level outputs on all threads, every morsel once, and
     * takes them; once at most. HANSE_ERR_ARGUMENT when a value is no status;
     * HANSE_ERR_INTERRUPTED; HANSE_ERR_LIMIT, HANSE_ERR_NOMEM; what reading
     * fails with. */
    hanse_status (*records)(hanse_sink *sink, const hanse_record_set *records,
                            hanse_error *error);

    /* Makes everything taken so far visible, completely or not at all. */
    hanse_status (*commit)(hanse_sink *sink, hanse_error *error);

    /* Destroys the sink; without a commit before, nothing stays behind. */
    void (*close)(hanse_sink *sink);
} hanse_sink_ops;

/* First member of every sink. */
struct hanse_sink {
    const hanse_sink_ops *ops;
};

#endif
