/* SPDX-License-Identifier: Apache-2.0
 *
 * Ids of all rows, for ties: integers are numbers as they are, texts are
 * numbered in their order by a pass.
 */
#include "engine/models/allocate_internal.h"
#include "engine/models/id_number.h"
#include "engine/scan.h"
#include "engine/spec.h"

/* The column that names enterprises, SIZE_MAX when there is none. */
static size_t id_field(const hanse_model_run *run)
{
    const char *name = run->spec->id != NULL ? run->spec->id : "enterprise_id";
    return hanse_schema_find(hanse_source_schema(run->source), name);
}

hanse_id_kind hanse_allocate_id_kind(const hanse_model_run *run)
{
    const size_t field = id_field(run);
    if (field == SIZE_MAX)
        return HANSE_ID_NONE;
    const hanse_type type =
        hanse_source_schema(run->source)->fields[field].type;
    return hanse_has_id_numbers(type) ? HANSE_ID_NUMBER : HANSE_ID_TEXT;
}

/* ---- Integers ----------------------------------------------------------- */

typedef struct reading {
    size_t field;
    hanse_type type;
    uint64_t *ids; /* [row] */
} reading;

static hanse_status open_nothing(void *context, void **own, hanse_error *error)
{
    (void)context;
    (void)error;
    *own = NULL;
    return HANSE_OK;
}

static hanse_status take(void *context, void *own, const hanse_morsel *rows,
                         hanse_error *error)
{
    const reading *r = context;
    const hanse_array *array = &rows->batch.arrays[r->field];
    (void)own;
    (void)error;
    for (size_t i = 0; i < rows->batch.n_rows; i++)
        r->ids[rows->first_row + i] = hanse_id_number(array, r->type, i);
    return HANSE_OK;
}

static hanse_status read_numbers(hanse_model_run *run, uint64_t *ids,
                                 hanse_error *error)
{
    reading r = {.field = id_field(run), .ids = ids};
    r.type = hanse_source_schema(run->source)->fields[r.field].type;
    const hanse_scan scan = {.source = run->source,
                             .fields = &r.field,
                             .n_fields = 1,
                             .options = run->options,
                             .n_threads =
                                 hanse_scan_threads(run->source, run->options),
                             .context = &r,
                             .open = open_nothing,
                             .take = take};
    return hanse_scan_run(&scan, &run->n_bytes, error);
}

/* ---- Texts -------------------------------------------------------------- */

static hanse_status number_texts(hanse_model_run *run, uint64_t *ids,
                                 uint32_t *numbers, hanse_error *error)
{
    const char *name =
        hanse_source_schema(run->source)->fields[id_field(run)].name;
    hanse_groups *groups;
    hanse_result *result;
    HANSE_TRY(
        hanse_model_pass(run, &name, 1, NULL, 0, 0, &groups, &result, error));
    hanse_result_destroy(result);
    HANSE_TRY(hanse_groups_collect(groups, run->options, numbers, error));
    for (uint64_t i = 0; i < run->n_rows; i++)
        ids[i] = numbers[i];
    return HANSE_OK;
}

hanse_status hanse_allocate_ids(hanse_model_run *run, uint64_t *ids,
                                uint32_t *numbers, hanse_error *error)
{
    return hanse_allocate_id_kind(run) == HANSE_ID_NUMBER
               ? read_numbers(run, ids, error)
               : number_texts(run, ids, numbers, error);
}
