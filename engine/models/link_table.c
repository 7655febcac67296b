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

void hanse_link_arrays_clear(hanse_link_arrays *arrays)
{
    hanse_free(arrays->budget, arrays->sources, arrays->n,
               sizeof *arrays->sources);
    hanse_free(arrays->budget, arrays->targets, arrays->n,
               sizeof *arrays->targets);
    hanse_free(arrays->budget, arrays->weights, arrays->n,
               sizeof *arrays->weights);
    *arrays = (hanse_link_arrays){0};
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
    hanse_link_arrays *out;
    hanse_bad_end bad;
    pthread_mutex_t lock; /* for `bad` */
} link_scan;

static const char *const roles[2] = {"source", "target"};

/* What a thread evaluates weights with. */
typedef struct weight_part {
    const link_scan *s;
    double *block;
    void *scratch;
} weight_part;

static void close_weights(void *own)
{
    weight_part *part = own;
    if (part == NULL)
        return;
    hanse_budget *budget = part->s->out->budget;
    hanse_free(budget, part->block, HANSE_BLOCK_ROWS, sizeof *part->block);
    hanse_free(budget, part->scratch,
               hanse_formula_scratch_bytes(part->s->weight), 1);
    free(part);
}

static hanse_status open_weights(void *context, void **own, hanse_error *error)
{
    const link_scan *s = context;
    hanse_budget *budget = s->out->budget;
    if (s->weight == NULL)
        return HANSE_OK;
    weight_part *part = calloc(1, sizeof *part);
    if (part == NULL)
        return hanse_fail_nomem(error, "weights of links", sizeof *part);
    *own = part;
    part->s = s;
    part->block = hanse_allocate(budget, HANSE_BLOCK_ROWS, sizeof *part->block);
    part->scratch =
        hanse_allocate(budget, hanse_formula_scratch_bytes(s->weight), 1);
    return part->block != NULL && part->scratch != NULL
               ? HANSE_OK
               : hanse_fail_budget(error, budget, "weights of links",
                                   HANSE_BLOCK_ROWS, sizeof *part->block);
}

static void take_weights(const weight_part *part, const hanse_morsel *rows)
{
    double *out = part->s->out->weights + rows->first_row;
    for (size_t first = 0; first < rows->batch.n_rows;
         first += HANSE_BLOCK_ROWS) {
        const size_t left = rows->batch.n_rows - first;
        const size_t n = left < HANSE_BLOCK_ROWS ? left : HANSE_BLOCK_ROWS;
        hanse_formula_number(part->s->weight, &rows->batch, first, n,
                             part->scratch, part->block);
        memcpy(out + first, part->block, n * sizeof *out);
    }
}

static hanse_status take_links(void *context, void *own,
                               const hanse_morsel *rows, hanse_error *error)
{
    link_scan *s = context;
    uint32_t *const to[2] = {s->out->sources, s->out->targets};
    hanse_bad_end bad = HANSE_NO_BAD_END;
    (void)error;
    for (size_t e = 0; e < 2; e++) {
        const hanse_ends ends = {s->schema->fields[s->ends[e]].type,
                                 &rows->batch.arrays[s->ends[e]],
                                 rows->first_row, rows->batch.n_rows, roles[e]};
        if (s->ids != NULL)
            hanse_row_ids_find(s->ids, &ends, to[e] + rows->first_row, &bad);
        else
            hanse_row_numbers_find(s->n_rows, &ends, to[e] + rows->first_row,
                                   &bad);
    }
    if (s->weight != NULL)
        take_weights(own, rows);
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

static hanse_status allocate(hanse_link_arrays *out, size_t n,
                             bool with_weights, hanse_budget *budget,
                             hanse_error *error)
{
    *out = (hanse_link_arrays){.budget = budget, .n = n};
    out->sources = hanse_allocate(budget, n, sizeof *out->sources);
    out->targets = hanse_allocate(budget, n, sizeof *out->targets);
    if (with_weights)
        out->weights = hanse_allocate(budget, n, sizeof *out->weights);
    if (out->sources != NULL && out->targets != NULL &&
        (!with_weights || out->weights != NULL))
        return HANSE_OK;
    return hanse_fail_budget(error, budget, "links", n,
                             2 * sizeof *out->sources +
                                 (with_weights ? sizeof *out->weights : 0));
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
                             .open = open_weights,
                             .close = close_weights,
                             .take = take_links};
    HANSE_TRY(hanse_scan_run(&scan, &run->n_bytes, error));
    return hanse_bad_end_report(&s->bad, s->ids, s->n_rows, error);
}

static hanse_status read_open(hanse_model_run *run, const hanse_link_spec *spec,
                              hanse_source *links, link_scan *s,
                              hanse_error *error)
{
    if (run->n_rows >= UINT32_MAX)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "links between %zu rows, the most is %u", s->n_rows,
                          UINT32_MAX - 1);
    s->schema = hanse_source_schema(links);
    HANSE_TRY(find_fields(s, spec, error));
    HANSE_TRY(allocate(s->out, links->ops->n_rows(links), s->weight != NULL,
                       run->source->budget, error));
    return scan_links(run, links, s, error);
}

hanse_status hanse_link_table_read_by(hanse_model_run *run,
                                      const hanse_link_spec *spec,
                                      const hanse_row_ids *ids,
                                      hanse_link_arrays *out,
                                      hanse_error *error)
{
    hanse_source *links;
    hanse_link_arrays made = {0};
    link_scan s = {.ids = ids,
                   .n_rows = run->n_rows,
                   .out = &made,
                   .bad = HANSE_NO_BAD_END};
    HANSE_TRY(run->open_table(run->open_context, spec->file, spec->path, &links,
                              error));
    (void)pthread_mutex_init(&s.lock, NULL);
    const hanse_status status = read_open(run, spec, links, &s, error);
    (void)pthread_mutex_destroy(&s.lock);
    hanse_formula_destroy(s.weight);
    hanse_source_close(links);
    if (status != HANSE_OK) {
        if (status == HANSE_ERR_FORMAT)
            hanse_error_prefix(error, "%s", spec->path);
        hanse_link_arrays_clear(&made);
        return status;
    }
    *out = made;
    return HANSE_OK;
}

hanse_status hanse_link_table_read(hanse_model_run *run,
                                   const hanse_link_spec *spec,
                                   hanse_link_arrays *out, hanse_error *error)
{
    hanse_row_ids *ids = NULL;
    if (spec->by_id)
        HANSE_TRY(read_ids(run, spec, &ids, error));
    const hanse_status status =
        hanse_link_table_read_by(run, spec, ids, out, error);
    hanse_row_ids_destroy(ids);
    return status;
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
