/* SPDX-License-Identifier: Apache-2.0
 *
 * The pass that adds awards.
 */
#include "engine/models/award_sums.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/models/id_number.h"
#include "engine/scan.h"
#include "engine/spec.h"

enum {
    NARROW_BELOW = 68, /* bits below the last of the largest pool */
    NARROW_ABOVE = 2
};

/* ---- Sums --------------------------------------------------------------- */

static int unit_of(double x)
{
    uint64_t pattern;
    memcpy(&pattern, &x, sizeof pattern);
    const int biased = (int)(pattern >> 52) & 0x7ff;
    return (biased != 0 ? biased : 1) - 1075;
}

/* x >= 0; false when it does not fit. */
static inline bool add_narrow(__int128 *sum, int low, double x)
{
    uint64_t pattern;
    memcpy(&pattern, &x, sizeof pattern);
    const uint64_t biased = pattern >> 52; /* with the sign: too large */
    const uint64_t mantissa =
        (pattern & (((uint64_t)1 << 52) - 1)) | (uint64_t)(biased != 0) << 52;
    const int shift = (int)(biased + (biased == 0)) - 1075 - low;
    if ((unsigned)shift > (unsigned)(NARROW_BELOW + NARROW_ABOVE))
        return mantissa == 0 && biased == 0;
    *sum += (__int128)mantissa << shift;
    return true;
}

static hanse_status add_wide(hanse_wide_sums *sums, size_t n_slots, size_t at,
                             double x, hanse_error *error)
{
    hanse_factor factor;
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (!hanse_factor_of(bits, HANSE_NUMBER_FLOAT, &factor))
        return HANSE_OK; /* groups with infinities have no hanse_award_slot */
    const hanse_term term = hanse_term_single(&factor);
    if (sums->n_groups < n_slots)
        HANSE_TRY(hanse_wide_sums_grow(sums, n_slots, error));
    return hanse_wide_sums_add(sums, at, &term, error);
}

void hanse_award_sums_get(const hanse_award_sums *f, size_t at, bool of_awards,
                          hanse_wide *out)
{
    const hanse_award_part *p = &f->parts[0];
    const int low = of_awards ? f->low_awards : f->low_integrated;
    const __int128 units =
        of_awards ? p->slots[at].awards : p->slots[at].integrated;
    const unsigned __int128 magnitude = (unsigned __int128)units;
    const uint64_t words[] = {(uint64_t)magnitude, (uint64_t)(magnitude >> 64)};
    const hanse_wide_sums *rest = of_awards ? &p->awards : &p->integrated;
    hanse_wide_from_words(out, words, 2, low, false);
    if (at >= rest->n_groups)
        return;
    hanse_wide other;
    hanse_wide_sums_get(rest, at, &other);
    hanse_wide_add(out, &other);
}

/* ---- The pass ----------------------------------------------------------- */

/* An id as a number in its order; of a text a hash, which any order of rows
 * gives, too. */
static uint64_t id_of(const hanse_award_sums *f, const hanse_morsel *rows,
                      size_t i)
{
    if (f->id == SIZE_MAX)
        return rows->first_row + i;
    const hanse_array *array = &rows->batch.arrays[f->id];
    const bool is_missing = array->missing != NULL && array->missing[i];
    if (f->id_type == HANSE_TEXT && !is_missing) {
        uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
        for (int32_t k = array->offsets[i]; k < array->offsets[i + 1]; k++)
            hash =
                (hash ^ ((const uint8_t *)array->values)[k]) * 0x100000001b3u;
        return hash;
    }
    return hanse_id_number(array, f->id_type, i);
}

static bool goes_before(const hanse_award_member *x,
                        const hanse_award_member *y, bool by_award)
{
    const double a = hanse_award_rank(x, by_award),
                 b = hanse_award_rank(y, by_award);
    if (y->row == HANSE_NO_ROW)
        return true;
    if (a != b)
        return a > b;
    return x->id != y->id ? x->id < y->id : x->row < y->row;
}

void hanse_award_enter(hanse_award_member *top, const hanse_award_member *m,
                       bool by_award)
{
    for (size_t k = 0; k < HANSE_N_TOP; k++) {
        if (!goes_before(m, &top[k], by_award))
            continue;
        memmove(&top[k + 1], &top[k], (HANSE_N_TOP - 1 - k) * sizeof *top);
        top[k] = *m;
        return;
    }
}

static const double *column_of(const hanse_award_sums *f,
                               const hanse_morsel *rows, int column)
{
    return rows->batch.arrays[f->fields[column]].values;
}

/* Puts a row among the largest of its group, where it belongs there. */
static void enter_row(const hanse_award_sums *f, hanse_award_part *p,
                      uint32_t at, const hanse_award_member *m)
{
    hanse_award_slot *s = &p->slots[at];
    hanse_award_tops *tops = &p->tops[at];
    const size_t last = HANSE_N_TOP - 1;
    const bool takes_part = m->award == m->award;
    if (takes_part)
        hanse_award_enter(tops->by_award, m, true);
    if (!takes_part || !f->is_alike)
        hanse_award_enter(tops->by_integrated, m, false);
    s->last_award = tops->by_award[last].award;
    s->last_integrated = tops->by_integrated[last].integrated;
}

static hanse_status take(void *context, void *own, const hanse_morsel *rows,
                         hanse_error *error)
{
    const hanse_award_sums *f = context;
    hanse_award_part *p = own;
    const double *awards = column_of(f, rows, HANSE_ALLOCATE_AWARD);
    const double *integrated = column_of(f, rows, HANSE_ALLOCATE_INTEGRATED);
    const double *kept = column_of(f, rows, HANSE_ALLOCATE_KEPT);
    const double *groups = column_of(f, rows, HANSE_ALLOCATE_GROUP);
    const bool is_alike = f->is_alike;
    for (size_t i = 0; i < rows->batch.n_rows; i++) {
        if (groups[i] < 0.0)
            continue;
        const uint32_t at = f->map[(uint32_t)groups[i]];
        const double a = awards[i], r = integrated[i];
        if (at == HANSE_NO_SLOT || r != r)
            continue;
        hanse_award_slot *s = &p->slots[at];
        const bool takes_part = a == a;
        if (takes_part && !add_narrow(&s->awards, f->low_awards, a))
            HANSE_TRY(add_wide(&p->awards, f->n_slots, at, a, error));
        if (!takes_part ||
            (!is_alike && !add_narrow(&s->integrated, f->low_integrated, r)))
            HANSE_TRY(add_wide(&p->integrated, f->n_slots, at, r, error));
        if (a < s->last_award && (is_alike || r < s->last_integrated))
            continue;
        const hanse_award_member m = {a, kept[i], r, id_of(f, rows, i),
                                      rows->first_row + i};
        enter_row(f, p, at, &m);
    }
    return HANSE_OK;
}

static hanse_status open_part(void *context, void **own, hanse_error *error)
{
    hanse_award_sums *f = context;
    hanse_award_part *p = &f->parts[atomic_fetch_add(&f->n_parts, 1)];
    hanse_budget *budget = f->a->budget;
    const double least = -(double)INFINITY;
    const hanse_award_member none = {
        .award = least, .integrated = least, .row = HANSE_NO_ROW};
    hanse_wide_sums_init(&p->awards, "sums of awards", budget);
    hanse_wide_sums_init(&p->integrated, "sums of resources", budget);
    p->slots = hanse_allocate(budget, f->n_slots, sizeof *p->slots);
    p->tops = hanse_allocate(budget, f->n_slots, sizeof *p->tops);
    if (p->slots == NULL || p->tops == NULL)
        return hanse_fail_budget(error, budget, "sums of awards", f->n_slots,
                                 sizeof *p->slots + sizeof *p->tops);
    for (size_t i = 0; i < f->n_slots; i++) {
        p->slots[i] =
            (hanse_award_slot){.last_award = least, .last_integrated = least};
        p->tops[i] = (hanse_award_tops){.by_award = {none, none},
                                        .by_integrated = {none, none}};
    }
    *own = p;
    return HANSE_OK;
}

static hanse_status scan_rows(hanse_award_sums *f, hanse_error *error)
{
    hanse_source *source = hanse_columns_source(f->run->columns);
    const hanse_scan scan = {.source = source,
                             .fields = f->fields,
                             .n_fields = f->n_fields,
                             .options = f->run->options,
                             .n_threads = f->n_parts_max,
                             .context = f,
                             .open = open_part,
                             .take = take};
    return hanse_scan_run(&scan, &f->run->n_bytes, error);
}

/* All into the first part. */
static hanse_status merge_parts(hanse_award_sums *f, hanse_error *error)
{
    hanse_award_part *to = &f->parts[0];
    for (size_t k = 1; k < f->n_parts; k++) {
        hanse_award_part *from = &f->parts[k];
        for (size_t i = 0; i < f->n_slots; i++) {
            hanse_award_tops *tops = &to->tops[i];
            const hanse_award_tops *other = &from->tops[i];
            to->slots[i].awards += from->slots[i].awards;
            to->slots[i].integrated += from->slots[i].integrated;
            for (size_t t = 0; t < HANSE_N_TOP; t++) {
                if (other->by_award[t].row != HANSE_NO_ROW)
                    hanse_award_enter(tops->by_award, &other->by_award[t],
                                      true);
                if (other->by_integrated[t].row != HANSE_NO_ROW)
                    hanse_award_enter(tops->by_integrated,
                                      &other->by_integrated[t], false);
            }
        }
        for (int which = 0; which < 2; which++) {
            hanse_wide_sums *sums = which == 0 ? &to->awards : &to->integrated;
            const hanse_wide_sums *more =
                which == 0 ? &from->awards : &from->integrated;
            if (more->n_groups > 0)
                HANSE_TRY(hanse_wide_sums_grow(sums, f->n_slots, error));
            for (size_t i = 0; i < more->n_groups; i++)
                HANSE_TRY(hanse_wide_sums_merge(sums, i, more, i, error));
        }
    }
    return HANSE_OK;
}

static hanse_status find_fields(hanse_award_sums *f, hanse_error *error)
{
    const hanse_schema *schema =
        hanse_source_schema(hanse_columns_source(f->run->columns));
    const char *id =
        f->run->spec->id != NULL ? f->run->spec->id : "enterprise_id";
    for (int c = 0; c < HANSE_ALLOCATE_COLUMNS; c++)
        f->fields[f->n_fields++] =
            hanse_schema_find(schema, hanse_allocate_columns[c]);
    f->id = hanse_schema_find(schema, id);
    if (f->id == SIZE_MAX)
        return f->run->spec->id == NULL
                   ? HANSE_OK
                   : hanse_fail_column(error, "id", id, schema);
    f->id_type = schema->fields[f->id].type;
    if (f->id_type == HANSE_FLOAT32 || f->id_type == HANSE_FLOAT64)
        f->id = SIZE_MAX; /* no id; rows have their numbers */
    else
        f->fields[f->n_fields++] = f->id;
    return HANSE_OK;
}

hanse_status hanse_award_sums_find(hanse_award_sums *f, hanse_error *error)
{
    f->low_awards = unit_of(f->most_pool) - NARROW_BELOW;
    f->low_integrated = unit_of(f->most_total) - NARROW_BELOW;
    f->n_parts_max = hanse_scan_threads(hanse_columns_source(f->run->columns),
                                        f->run->options);
    f->parts = calloc(f->n_parts_max + 1, sizeof *f->parts);
    if (f->parts == NULL)
        return hanse_fail_nomem(error, "sums of awards", f->n_parts_max);
    HANSE_TRY(find_fields(f, error));
    HANSE_TRY(scan_rows(f, error));
    return merge_parts(f, error);
}

void hanse_award_sums_clear(hanse_award_sums *f)
{
    for (size_t i = 0; f->parts != NULL && i < f->n_parts; i++) {
        hanse_award_part *p = &f->parts[i];
        hanse_free(f->a->budget, p->slots, f->n_slots, sizeof *p->slots);
        hanse_free(f->a->budget, p->tops, f->n_slots, sizeof *p->tops);
        hanse_wide_sums_clear(&p->awards);
        hanse_wide_sums_clear(&p->integrated);
    }
    free(f->parts);
    f->parts = NULL;
}
