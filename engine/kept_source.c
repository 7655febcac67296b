/* SPDX-License-Identifier: Apache-2.0
 *
 * Kept columns: for every morsel and field a place that holds nothing or points
 * to a copy, which never changes once it stands there. Copies lie in slabs one
 * after the other and are freed with the source.
 */
#include "engine/kept_source.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

/* Large enough for huge pages; a small share is cut finer. */
static const size_t most_slab_bytes = (size_t)8 << 20;

typedef struct slab {
    struct slab *next;
    size_t size_bytes; /* with this header */
    size_t used_bytes;
} slab;

/* One field of one morsel; its values follow, aligned. */
typedef struct kept_array {
    size_t n_rows;
    uint64_t first_row;
    uint64_t n_bytes; /* of column values, as a read counts them */
    hanse_array array;
} kept_array;

typedef _Atomic(kept_array *) place;

typedef struct kept_source {
    hanse_source base;
    hanse_source *inner;
    place *places; /* [morsel][field]; NULL: nothing can be kept */
    size_t n_places;
    uint64_t most_bytes;
    bool is_stopped;
    _Atomic uint64_t used_bytes; /* places and slabs */
    pthread_mutex_t lock;        /* for the slabs */
    slab *slabs;                 /* the first one is filled */
} kept_source;

typedef struct kept_reader {
    hanse_reader base;
    hanse_reader *inner; /* NULL: nothing was read through it so far */
    size_t morsel;
    uint64_t first_row;
    size_t n_rows;
    bool has_shape;   /* the two above are known */
    bool is_volatile; /* some array is the inner reader's and is so */
    size_t *wanted;   /* fields to be read, room for all */
    hanse_array arrays[];
} kept_reader;

static size_t n_fields_of(const hanse_source *source)
{
    return hanse_source_schema(source)->n_fields;
}

static size_t round_up(size_t size_bytes)
{
    return (size_bytes + HANSE_ALIGNMENT - 1) & ~(size_t)(HANSE_ALIGNMENT - 1);
}

/* ---- Memory ------------------------------------------------------------- */

/* What the share and the budget leave. */
static uint64_t room_left(const kept_source *source)
{
    const hanse_budget *budget = source->base.budget;
    const uint64_t used = atomic_load(&source->used_bytes);
    uint64_t left = used < source->most_bytes ? source->most_bytes - used : 0;
    if (budget != NULL && budget->limit_bytes != 0) {
        const uint64_t charged = atomic_load(&budget->used_bytes);
        const uint64_t limit = budget->limit_bytes;
        const uint64_t free_bytes = charged < limit ? limit - charged : 0;
        left = free_bytes < left ? free_bytes : left;
    }
    return left;
}

/* Memory, zero or not; NULL when there is no room. The budget is not asked for
 * what it lacks: it would remember that it refused, and nothing fails here. */
static void *take_memory(kept_source *source, size_t size_bytes, bool zero)
{
    hanse_budget *budget = source->base.budget;
    if (size_bytes > room_left(source))
        return NULL;
    void *memory = zero ? hanse_allocate_zero(budget, 1, size_bytes)
                        : hanse_allocate(budget, 1, size_bytes);
    if (memory != NULL)
        atomic_fetch_add(&source->used_bytes, size_bytes);
    return memory;
}

/* A new first slab with room for size_bytes; false when there is none. */
static bool add_slab(kept_source *source, size_t size_bytes)
{
    const uint64_t part = room_left(source) / 16;
    const size_t least = round_up(sizeof(slab)) + size_bytes;
    size_t wished = part < most_slab_bytes ? (size_t)part : most_slab_bytes;
    wished = wished < least ? least : wished;
    wished -= wished % HANSE_ALIGNMENT;
    slab *new = take_memory(source, wished, false);
    if (new == NULL)
        return false;
    *new = (slab){source->slabs, wished, round_up(sizeof(slab))};
    source->slabs = new;
    return true;
}

/* size_bytes is a multiple of the alignment. */
static void *take_room(kept_source *source, size_t size_bytes)
{
    void *room = NULL;
    (void)pthread_mutex_lock(&source->lock);
    slab *first = source->slabs;
    if ((first != NULL &&
         first->size_bytes - first->used_bytes >= size_bytes) ||
        add_slab(source, size_bytes)) {
        first = source->slabs;
        room = (char *)first + first->used_bytes;
        first->used_bytes += size_bytes;
    }
    (void)pthread_mutex_unlock(&source->lock);
    return room;
}

/* ---- Keeping ------------------------------------------------------------ */

/* The copy's parts: header, values, offsets, marks. */
typedef struct sizes {
    size_t values;
    size_t offsets;
    size_t missing;
} sizes;

static sizes measure(const hanse_array *array, hanse_type type, size_t n_rows)
{
    sizes s = {.values = n_rows * hanse_type_size(type)};
    if (array->offsets != NULL) {
        s.values = (size_t)(array->offsets[n_rows] - array->offsets[0]);
        s.offsets = (n_rows + 1) * sizeof array->offsets[0];
    }
    if (array->missing != NULL)
        s.missing = n_rows;
    return s;
}

static void copy_offsets(const int32_t *from, size_t n, int32_t *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[i] - from[0];
}

static void copy_array(const hanse_array *from, const sizes *s, size_t n_rows,
                       kept_array *to)
{
    char *at = (char *)to + round_up(sizeof *to);
    const char *values = from->values;
    if (from->offsets != NULL && s->values != 0)
        values += from->offsets[0];
    to->array.values = at;
    if (s->values != 0)
        memcpy(at, values, s->values);
    at += round_up(s->values);
    if (from->offsets != NULL) {
        copy_offsets(from->offsets, n_rows + 1, (int32_t *)(void *)at);
        to->array.offsets = (const int32_t *)(void *)at;
        at += round_up(s->offsets);
    }
    if (from->missing != NULL) {
        memcpy(at, from->missing, n_rows);
        to->array.missing = (const uint8_t *)at;
    }
}

/* Keeps an array of the reader's morsel if there is room, and publishes it.
 * Returns what is to be delivered: the copy, or NULL. */
static const kept_array *keep(kept_source *source, const kept_reader *reader,
                              size_t field, const hanse_array *array)
{
    if (source->places == NULL || source->is_stopped)
        return NULL;
    const hanse_type type =
        hanse_source_schema(source->inner)->fields[field].type;
    const sizes s = measure(array, type, reader->n_rows);
    kept_array *copy =
        take_room(source, round_up(sizeof *copy) + round_up(s.values) +
                              round_up(s.offsets) + round_up(s.missing));
    if (copy == NULL)
        return NULL;
    *copy = (kept_array){.n_rows = reader->n_rows,
                         .first_row = reader->first_row,
                         .n_bytes = s.values};
    copy_array(array, &s, reader->n_rows, copy);
    atomic_store_explicit(
        &source->places[reader->morsel * n_fields_of(source->inner) + field],
        copy, memory_order_release);
    return copy;
}

static const kept_array *find_kept(const kept_source *source, size_t morsel,
                                   size_t field)
{
    if (source->places == NULL)
        return NULL;
    return atomic_load_explicit(
        &source->places[morsel * n_fields_of(source->inner) + field],
        memory_order_acquire);
}

/* ---- Reading ------------------------------------------------------------ */

static hanse_status open_reader(hanse_source *base, hanse_reader **out,
                                hanse_error *error)
{
    const size_t n_fields = n_fields_of(base);
    kept_reader *reader =
        calloc(1, sizeof *reader + n_fields * sizeof reader->arrays[0]);
    if (reader == NULL)
        return hanse_fail_nomem(error, "reader", sizeof *reader);
    reader->wanted = calloc(n_fields + 1, sizeof *reader->wanted);
    if (reader->wanted == NULL) {
        free(reader);
        return hanse_fail_nomem(error, "reader", n_fields);
    }
    reader->base.source = base;
    reader->morsel = SIZE_MAX;
    *out = &reader->base;
    return HANSE_OK;
}

static void begin_morsel(kept_reader *reader, size_t morsel)
{
    if (reader->morsel == morsel)
        return;
    memset(reader->arrays, 0,
           n_fields_of(reader->base.source) * sizeof reader->arrays[0]);
    reader->morsel = morsel;
    reader->has_shape = false;
    reader->is_volatile = false;
}

static void deliver(kept_reader *reader, size_t field, const kept_array *kept)
{
    reader->arrays[field] = kept->array;
    reader->n_rows = kept->n_rows;
    reader->first_row = kept->first_row;
    reader->has_shape = true;
}

/* Delivers what is kept of the fields, counting its bytes, and lists the others
 * as wanted. Returns how many. */
static size_t look_up(kept_reader *reader, const size_t *fields,
                      size_t n_fields, uint64_t *n_bytes)
{
    const kept_source *source = (const kept_source *)reader->base.source;
    size_t n_wanted = 0;
    for (size_t i = 0; i < n_fields; i++) {
        const kept_array *kept = find_kept(source, reader->morsel, fields[i]);
        if (kept == NULL) {
            reader->wanted[n_wanted++] = fields[i];
            continue;
        }
        deliver(reader, fields[i], kept);
        *n_bytes += kept->n_bytes;
    }
    return n_wanted;
}

static hanse_status read_wanted(kept_reader *reader, size_t n_wanted,
                                uint64_t *n_bytes, hanse_error *error)
{
    kept_source *source = (kept_source *)reader->base.source;
    hanse_source *inner = source->inner;
    hanse_morsel rows;
    if (reader->inner == NULL)
        HANSE_TRY(inner->ops->open_reader(inner, &reader->inner, error));
    HANSE_TRY(inner->ops->read(reader->inner, reader->morsel, reader->wanted,
                               n_wanted, &rows, error));
    reader->n_rows = rows.batch.n_rows;
    reader->first_row = rows.first_row;
    reader->has_shape = true;
    *n_bytes += rows.n_bytes;
    for (size_t i = 0; i < n_wanted; i++) {
        const size_t field = reader->wanted[i];
        const hanse_array *array = &rows.batch.arrays[field];
        const kept_array *kept = keep(source, reader, field, array);
        if (kept == NULL)
            reader->is_volatile = reader->is_volatile || rows.is_volatile;
        reader->arrays[field] = kept != NULL ? kept->array : *array;
    }
    return HANSE_OK;
}

static hanse_status read_morsel(hanse_reader *base, size_t morsel,
                                const size_t *fields, size_t n_fields,
                                hanse_morsel *out, hanse_error *error)
{
    kept_reader *reader = (kept_reader *)base;
    uint64_t n_bytes = 0;
    begin_morsel(reader, morsel);
    const size_t n_wanted = look_up(reader, fields, n_fields, &n_bytes);
    if (n_wanted != 0 || !reader->has_shape)
        HANSE_TRY(read_wanted(reader, n_wanted, &n_bytes, error));
    *out = (hanse_morsel){.batch = {reader->n_rows, reader->arrays},
                          .first_row = reader->first_row,
                          .n_bytes = n_bytes,
                          .is_volatile = reader->is_volatile};
    return HANSE_OK;
}

/* A reader that delivered nothing but copies answers for nothing: whoever made
 * them has answered. */
static hanse_status finish_reader(hanse_reader *base, hanse_error *error)
{
    hanse_reader *inner = ((kept_reader *)base)->inner;
    if (inner == NULL || inner->source->ops->finish_reader == NULL)
        return HANSE_OK;
    return inner->source->ops->finish_reader(inner, error);
}

static void close_reader(hanse_reader *base)
{
    kept_reader *reader = (kept_reader *)base;
    if (reader == NULL)
        return;
    if (reader->inner != NULL)
        reader->inner->source->ops->close_reader(reader->inner);
    free(reader->wanted);
    free(reader);
}

/* ---- The source --------------------------------------------------------- */

static const hanse_schema *get_schema(const hanse_source *base)
{
    return hanse_source_schema(((const kept_source *)base)->inner);
}

static uint64_t get_n_rows(const hanse_source *base)
{
    const hanse_source *inner = ((const kept_source *)base)->inner;
    return inner->ops->n_rows(inner);
}

static size_t get_n_morsels(const hanse_source *base)
{
    const hanse_source *inner = ((const kept_source *)base)->inner;
    return inner->ops->n_morsels(inner);
}

static size_t get_span_end(const hanse_source *base, size_t morsel)
{
    return hanse_source_span_end(((const kept_source *)base)->inner, morsel);
}

static void free_copies(kept_source *source)
{
    while (source->slabs != NULL) {
        slab *first = source->slabs;
        source->slabs = first->next;
        hanse_free(source->base.budget, first, 1, first->size_bytes);
    }
    hanse_free(source->base.budget, source->places, 1,
               source->n_places * sizeof *source->places);
}

static void close_source(hanse_source *base)
{
    kept_source *source = (kept_source *)base;
    free_copies(source);
    hanse_source_close(source->inner);
    (void)pthread_mutex_destroy(&source->lock);
    free(source);
}

static const hanse_source_ops operations = {
    .schema = get_schema,
    .n_rows = get_n_rows,
    .n_morsels = get_n_morsels,
    .span_end = get_span_end,
    .open_reader = open_reader,
    .read = read_morsel,
    .finish_reader = finish_reader,
    .close_reader = close_reader,
    .close = close_source,
};

/* Without room for the places nothing is kept. */
static void make_places(kept_source *source)
{
    const hanse_source *inner = source->inner;
    size_t size_bytes;
    if (!hanse_size_multiply(inner->ops->n_morsels(inner), n_fields_of(inner),
                             &source->n_places) ||
        !hanse_size_multiply(source->n_places, sizeof(place), &size_bytes) ||
        size_bytes == 0)
        return;
    source->places = take_memory(source, round_up(size_bytes), true);
}

hanse_status hanse_kept_source_open(hanse_source *inner, uint64_t most_bytes,
                                    hanse_source **out, hanse_error *error)
{
    kept_source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return hanse_fail_nomem(error, "source", sizeof *source);
    source->base = (hanse_source){.ops = &operations,
                                  .budget = inner->budget,
                                  .rows_together = inner->rows_together};
    source->inner = inner;
    source->most_bytes = most_bytes;
    (void)pthread_mutex_init(&source->lock, NULL);
    make_places(source);
    *out = &source->base;
    return HANSE_OK;
}

uint64_t hanse_kept_source_bytes(const hanse_source *source)
{
    return atomic_load(&((const kept_source *)source)->used_bytes);
}

void hanse_kept_source_stop(hanse_source *source)
{
    ((kept_source *)source)->is_stopped = true;
}
