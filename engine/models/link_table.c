/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading links: a scan over the ids of the table where ends are ids, then one
 * over the links.
 */
#include "engine/models/link_table.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "engine/formula.h"
#include "engine/scan.h"
#include "engine/spec.h"

enum {
    WEIGHT_FIELDS = 62 /* columns that weights are computed from */
};

void hanse_link_spec_clear(hanse_link_spec *spec)
{
    free(spec->path);
    free(spec->file);
    free(spec->source);
    free(spec->target);
    free(spec->weight);
    free(spec->id);
    *spec = (hanse_link_spec){0};
}

size_t hanse_model_threads(const hanse_model_run *run)
{
    return run->options != NULL && run->options->n_threads != 0
               ? run->options->n_threads
               : run->n_threads;
}

/* ---- Ids of the table --------------------------------------------------- */

typedef struct id_scan {
    hanse_row_ids *ids;
    size_t field;
} id_scan;

static hanse_status take_ids(void *context, void *own, const hanse_morsel *rows,
                             hanse_error *error)
{
    const id_scan *s = context;
    (void)own;
    return hanse_row_ids_add(s->ids, &rows->batch.arrays[s->field],
                             rows->first_row, rows->batch.n_rows, error);
}

static hanse_status find_id_field(const hanse_model_run *run,
                                  const hanse_link_spec *spec, size_t *field,
                                  hanse_error *error)
{
    const hanse_schema *schema = hanse_source_schema(run->source);
    const char *name = spec->id != NULL ? spec->id : run->spec->id;
    if (name == NULL)
        name = "enterprise_id";
    *field = hanse_schema_find(schema, name);
    return *field != SIZE_MAX
               ? HANSE_OK
               : hanse_fail_column(error, "ids of links", name, schema);
}

static hanse_status read_ids(hanse_model_run *run, const hanse_link_spec *spec,
                             hanse_row_ids **out, hanse_error *error)
{
    id_scan s = {0};
    HANSE_TRY(find_id_field(run, spec, &s.field, error));
    HANSE_TRY(
        hanse_row_ids_create(&hanse_source_schema(run->source)->fields[s.field],
                             run->n_rows, run->source->budget, &s.ids, error));
    const hanse_scan scan = {.source = run->source,
                             .fields = &s.field,
                             .n_fields = 1,
                             .options = run->options,
                             .n_threads = run->n_threads,
                             .context = &s,
                             .take = take_ids};
    hanse_status status = hanse_scan_run(&scan, &run->n_bytes, error);
    if (status == HANSE_OK)
        status = hanse_row_ids_finish(s.ids, hanse_model_threads(run), error);
    if (status != HANSE_OK)
        hanse_row_ids_destroy(s.ids);
    else
        *out = s.ids;
    return status;
}

/* ---- Links -------------------------------------------------------------- */

typedef struct link_scan {
    const hanse_row_ids *ids; /* NULL: ends are row numbers */
    bool any_ends;            /* whether they can be looked up is seen later */
    size_t n_rows;
    const hanse_schema *schema;
    size_t ends[2];        /* fields of source and target */
    hanse_formula *weight; /* NULL: all 1 */
    hanse_budget *budget;
    hanse_link_dealer *dealer;
    hanse_bad_end bad;
    pthread_mutex_t lock; /* for `bad` */
} link_scan;

static const char *const roles[2] = {"source", "target"};

/* Links of a block of rows on their way to the dealer, on one thread. */
typedef struct scan_part {
    const link_scan *s;
    hanse_link_part *dealt;
    uint32_t *rows[2]; /* of the ends */
    double *weights;   /* NULL: all 1 */
    void *scratch;
} scan_part;

static void close_part(void *own)
{
    scan_part *part = own;
    if (part == NULL)
        return;
    hanse_budget *budget = part->s->budget;
    for (size_t e = 0; e < 2; e++)
        hanse_free(budget, part->rows[e], HANSE_BLOCK_ROWS,
                   sizeof *part->rows[e]);
    hanse_free(budget, part->weights, HANSE_BLOCK_ROWS, sizeof *part->weights);
    if (part->scratch != NULL)
        hanse_free(budget, part->scratch,
                   hanse_formula_scratch_bytes(part->s->weight), 1);
    free(part);
}

static bool allocate_blocks(scan_part *part)
{
    const link_scan *s = part->s;
    for (size_t e = 0; e < 2; e++) {
        part->rows[e] =
            hanse_allocate(s->budget, HANSE_BLOCK_ROWS, sizeof *part->rows[e]);
        if (part->rows[e] == NULL)
            return false;
    }
    if (s->weight == NULL)
        return true;
    part->weights =
        hanse_allocate(s->budget, HANSE_BLOCK_ROWS, sizeof *part->weights);
    part->scratch =
        hanse_allocate(s->budget, hanse_formula_scratch_bytes(s->weight), 1);
    return part->weights != NULL && part->scratch != NULL;
}

static hanse_status open_part(void *context, void **own, hanse_error *error)
{
    const link_scan *s = context;
    scan_part *part = calloc(1, sizeof *part);
    if (part == NULL)
        return hanse_fail_nomem(error, "links", sizeof *part);
    *own = part;
    part->s = s;
    return allocate_blocks(part)
               ? hanse_link_dealer_open(s->dealer, &part->dealt, error)
               : hanse_fail_budget(error, s->budget, "links", HANSE_BLOCK_ROWS,
                                   sizeof *part->weights);
}

/* The array from row `first` on. */
static hanse_array skip_rows(const hanse_array *array, hanse_type type,
                             size_t first)
{
    hanse_array rest = *array;
    if (type == HANSE_TEXT)
        rest.offsets += first;
    else
        rest.values =
            (const char *)array->values + first * hanse_type_size(type);
    if (array->missing != NULL)
        rest.missing += first;
    return rest;
}

/* Rows of the ends of n links; those that there are none of go to *bad. */
static void find_rows(const scan_part *part, const hanse_morsel *rows,
                      size_t first, size_t n, hanse_bad_end *bad)
{
    const link_scan *s = part->s;
    for (size_t e = 0; e < 2; e++) {
        const hanse_type type = s->schema->fields[s->ends[e]].type;
        const hanse_array array =
            skip_rows(&rows->batch.arrays[s->ends[e]], type, first);
        const hanse_ends ends = {type, &array, rows->first_row + first, n,
                                 roles[e]};
        if (s->ids != NULL)
            hanse_row_ids_find(s->ids, &ends, part->rows[e], bad);
        else
            hanse_row_numbers_find(s->n_rows, &ends, part->rows[e], bad);
    }
}

static hanse_status take_block(const scan_part *part, const hanse_morsel *rows,
                               size_t first, size_t n, hanse_bad_end *bad,
                               hanse_error *error)
{
    const hanse_links links = {n, part->rows[0], part->rows[1], part->weights};
    find_rows(part, rows, first, n, bad);
    if (bad->link != UINT64_MAX)
        return HANSE_OK;
    if (part->weights != NULL)
        hanse_formula_number(part->s->weight, &rows->batch, first, n,
                             part->scratch, part->weights);
    return hanse_link_part_deal(part->dealt, &links, rows->first_row + first,
                                error);
}

/* After an end that is no row, none of the morsel's links is of use. */
static hanse_status take_links(void *context, void *own,
                               const hanse_morsel *rows, hanse_error *error)
{
    link_scan *s = context;
    hanse_bad_end bad = HANSE_NO_BAD_END;
    for (size_t first = 0; first < rows->batch.n_rows && bad.link == UINT64_MAX;
         first += HANSE_BLOCK_ROWS) {
        const size_t left = rows->batch.n_rows - first;
        const size_t n = left < HANSE_BLOCK_ROWS ? left : HANSE_BLOCK_ROWS;
        HANSE_TRY(take_block(own, rows, first, n, &bad, error));
    }
    if (bad.link == UINT64_MAX)
        return HANSE_OK;
    (void)pthread_mutex_lock(&s->lock);
    hanse_bad_end_merge(&s->bad, &bad);
    (void)pthread_mutex_unlock(&s->lock);
    return HANSE_OK;
}

/* Fields of ends and weight. */
static hanse_status find_fields(link_scan *s, const hanse_link_spec *spec,
                                hanse_error *error)
{
    const char *const names[2] = {
        spec->source != NULL ? spec->source : roles[0],
        spec->target != NULL ? spec->target : roles[1]};
    for (size_t e = 0; e < 2; e++) {
        s->ends[e] = hanse_schema_find(s->schema, names[e]);
        if (s->ends[e] == SIZE_MAX)
            return hanse_fail_column(error, "links", names[e], s->schema);
        if (s->any_ends)
            continue;
        const hanse_status status =
            hanse_row_ids_accept(s->ids, &s->schema->fields[s->ends[e]], error);
        if (status != HANSE_OK) {
            hanse_error_prefix(error, "%s", spec->path);
            return status;
        }
    }
    const char *weight = spec->weight;
    if (spec->without_weights)
        return HANSE_OK;
    if (weight == NULL && hanse_schema_find(s->schema, "weight") != SIZE_MAX)
        weight = "weight";
    return weight == NULL
               ? HANSE_OK
               : hanse_formula_compile(weight, "step 'weight'", s->schema,
                                       HANSE_WANT_NUMBER, &s->weight, error);
}

static hanse_status scan_links(hanse_model_run *run, hanse_source *links,
                               link_scan *s, hanse_error *error)
{
    size_t fields[2 + WEIGHT_FIELDS] = {s->ends[0], s->ends[1]};
    size_t n_fields = s->ends[0] != s->ends[1] ? 2 : 1, n_read = 0;
    const size_t *read =
        s->weight != NULL ? hanse_formula_fields(s->weight, &n_read) : NULL;
    if (n_read > WEIGHT_FIELDS)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "the weights of links read %zu columns, the most is "
                          "%zu",
                          n_read, (size_t)WEIGHT_FIELDS);
    for (size_t i = 0; i < n_read; i++)
        if (read[i] != s->ends[0] && read[i] != s->ends[1])
            fields[n_fields++] = read[i];
    const hanse_scan scan = {.source = links,
                             .fields = fields,
                             .n_fields = n_fields,
                             .options = run->options,
                             .n_threads =
                                 hanse_scan_threads(links, run->options),
                             .context = s,
                             .open = open_part,
                             .close = close_part,
                             .take = take_links};
    HANSE_TRY(hanse_scan_run(&scan, &run->n_bytes, error));
    return hanse_bad_end_report(&s->bad, s->ids, s->n_rows, error);
}

static hanse_status read_open(hanse_model_run *run, const hanse_link_spec *spec,
                              hanse_source *links, link_scan *s,
                              const hanse_network_options *options,
                              hanse_error *error)
{
    s->schema = hanse_source_schema(links);
    HANSE_TRY(find_fields(s, spec, error));
    HANSE_TRY(hanse_network_begin(s->n_rows, links->ops->n_rows(links),
                                  s->weight != NULL, options, &s->dealer,
                                  error));
    return scan_links(run, links, s, error);
}

hanse_status hanse_link_table_read_by(hanse_model_run *run,
                                      const hanse_link_spec *spec,
                                      hanse_row_ids *ids, size_t n_rows,
                                      const hanse_network_options *options,
                                      hanse_network *out, hanse_error *error)
{
    hanse_source *links;
    link_scan s = {.ids = ids,
                   .n_rows = n_rows,
                   .budget = options->budget,
                   .bad = HANSE_NO_BAD_END};
    hanse_status status = run->open_table(run->open_context, spec->file,
                                          spec->path, &links, error);
    if (status != HANSE_OK) {
        hanse_row_ids_destroy(ids);
        return status;
    }
    (void)pthread_mutex_init(&s.lock, NULL);
    status = read_open(run, spec, links, &s, options, error);
    (void)pthread_mutex_destroy(&s.lock);
    hanse_formula_destroy(s.weight);
    hanse_source_close(links);
    hanse_row_ids_destroy(ids);
    if (status == HANSE_OK)
        status = hanse_network_finish(s.dealer, options, out, error);
    hanse_link_dealer_destroy(s.dealer);
    if (status == HANSE_ERR_FORMAT)
        hanse_error_prefix(error, "%s", spec->path);
    return status;
}

hanse_status hanse_link_table_read(hanse_model_run *run,
                                   const hanse_link_spec *spec,
                                   const hanse_network_options *options,
                                   hanse_network *out, hanse_error *error)
{
    hanse_row_ids *ids = NULL;
    if (spec->by_id)
        HANSE_TRY(read_ids(run, spec, &ids, error));
    return hanse_link_table_read_by(run, spec, ids, (size_t)run->n_rows,
                                    options, out, error);
}

/* ---- Checks ------------------------------------------------------------- */

/* An index of no rows knows which ends it would look up. */
static hanse_status check_ends(const hanse_model_run *run,
                               const hanse_link_spec *spec, link_scan *s,
                               hanse_error *error)
{
    hanse_row_ids *ids = NULL;
    size_t field;
    if (!s->any_ends && spec->by_id) {
        HANSE_TRY(find_id_field(run, spec, &field, error));
        HANSE_TRY(hanse_row_ids_create(
            &hanse_source_schema(run->source)->fields[field], 0, NULL, &ids,
            error));
    }
    s->ids = ids;
    const hanse_status status = find_fields(s, spec, error);
    hanse_row_ids_destroy(ids);
    return status;
}

hanse_status hanse_link_table_check(const hanse_model_run *run,
                                    const hanse_link_spec *spec,
                                    bool between_rows, hanse_link_facts *out,
                                    hanse_error *error)
{
    hanse_source *links;
    HANSE_TRY(run->open_table(run->open_context, spec->file, spec->path, &links,
                              error));
    link_scan s = {.any_ends = !between_rows,
                   .schema = hanse_source_schema(links)};
    const hanse_status status = check_ends(run, spec, &s, error);
    *out = (hanse_link_facts){links->ops->n_rows(links), s.weight != NULL};
    hanse_formula_destroy(s.weight);
    hanse_source_close(links);
    return status;
}

hanse_status hanse_link_table_count(const hanse_model_run *run,
                                    const hanse_link_spec *spec, uint64_t *n,
                                    hanse_error *error)
{
    hanse_link_facts facts = {0};
    const hanse_status status =
        hanse_link_table_check(run, spec, true, &facts, error);
    *n = facts.n;
    return status;
}
