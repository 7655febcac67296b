/* SPDX-License-Identifier: Apache-2.0
 *
 * The source: where a run gets its rows from. io/ implements it over HDF5,
 * engine/memory_source.h over arrays.
 *
 * A source is cut into morsels, ranges of consecutive rows that together hold
 * every row once, in order. Each thread opens a reader of its own and reads
 * the morsels that the run gives it, in any order.
 */
#ifndef HANSE_ENGINE_SOURCE_H
#define HANSE_ENGINE_SOURCE_H

#include "engine/hanse.h"

/* Rows of a batch are used in blocks of at most this many, so that a block of
 * a few columns (16 KiB each as float64) stays in the first cache levels. */
enum {
    HANSE_BLOCK_ROWS = 2048
};

typedef struct hanse_source hanse_source;
typedef struct hanse_reader hanse_reader;

/* What a reader delivers. The arrays belong to the reader and stay valid
 * until its next read of another morsel. Only the arrays that were asked for
 * are set; they are indexed as the schema's fields. */
typedef struct hanse_morsel {
    hanse_batch batch;
    uint64_t first_row; /* number of the first row in the whole table */
    uint64_t n_bytes;   /* bytes of column values delivered by this read */
    bool is_volatile;   /* somebody else may change the values meanwhile */
} hanse_morsel;

typedef struct hanse_source_ops {
    /* Columns; constant for the life of the source. */
    const hanse_schema *(*schema)(const hanse_source *source);
    uint64_t (*n_rows)(const hanse_source *source);
    size_t (*n_morsels)(const hanse_source *source);

    /* The morsel after the last that should go to the same thread as this one,
     * in order: what one of them has decoded serves the others. NULL: each
     * goes alone. */
    size_t (*span_end)(const hanse_source *source, size_t morsel);

    /* A reader for one thread; several may be open at a time. */
    hanse_status (*open_reader)(hanse_source *source, hanse_reader **out,
                                hanse_error *error);

    /* Reads the given fields of morsel `morsel`. Reading further fields of
     * the same morsel keeps the arrays read before. */
    hanse_status (*read)(hanse_reader *reader, size_t morsel,
                         const size_t *fields, size_t n_fields,
                         hanse_morsel *out, hanse_error *error);

    /* After the last morsel has been used: whether all that was delivered was
     * right to the end, which a file that changes meanwhile can spoil. NULL:
     * always. */
    hanse_status (*finish_reader)(hanse_reader *reader, hanse_error *error);
    void (*close_reader)(hanse_reader *reader);
    void (*close)(hanse_source *source);
} hanse_source_ops;

/* First member of every source. */
struct hanse_source {
    const hanse_source_ops *ops;
    /* What its readers are charged to; a run then charges its states to the
     * same. NULL: the run has a budget of its own. Borrowed. */
    struct hanse_budget *budget;
    /* The columns of a row lie together: to read some of a morsel costs about
     * as much as to read all. */
    bool rows_together;
};

/* First member of every reader. */
struct hanse_reader {
    hanse_source *source;
};

static inline const hanse_schema *hanse_source_schema(const hanse_source *s)
{
    return s->ops->schema(s);
}

static inline size_t hanse_source_span_end(const hanse_source *s, size_t morsel)
{
    return s->ops->span_end != NULL ? s->ops->span_end(s, morsel) : morsel + 1;
}

/* Accepts NULL. */
static inline void hanse_source_close(hanse_source *source)
{
    if (source != NULL)
        source->ops->close(source);
}

#endif
