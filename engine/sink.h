/* SPDX-License-Identifier: Apache-2.0
 *
 * The sink: where a run's results go. io/ implements it over HDF5.
 */
#ifndef HANSE_ENGINE_SINK_H
#define HANSE_ENGINE_SINK_H

#include "engine/hanse.h"

typedef struct hanse_sink hanse_sink;

typedef struct hanse_sink_ops {
    /* Takes one result table; borrowed for the call. */
    hanse_status (*table)(hanse_sink *sink, const hanse_table *table,
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
