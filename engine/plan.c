/* SPDX-License-Identifier: Apache-2.0
 *
 * Resolving a specification: columns by name, formulas compiled, keys and
 * groupings brought into a tree.
 */
#include "engine/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/spec.h"

bool hanse_plan_needs_sums(const hanse_plan *plan)
{
    return (plan->statistics & (HANSE_STAT_TOTAL | HANSE_STAT_MEAN)) != 0 ||
           hanse_plan_needs_squares(plan);
}

bool hanse_plan_needs_squares(const hanse_plan *plan)
{
    return (plan->statistics &
            (HANSE_STAT_VAR | HANSE_STAT_STD | HANSE_STAT_SUM_SQUARES |
             HANSE_STAT_SKEW | HANSE_STAT_KURTOSIS)) != 0;
}

bool hanse_plan_needs_extremes(const hanse_plan *plan)
{
    return (plan->statistics &
            (HANSE_STAT_MIN | HANSE_STAT_MAX | HANSE_STAT_RANGE)) != 0;
}

void hanse_plan_destroy(hanse_plan *plan)
{
    if (plan == NULL)
        return;
    for (size_t i = 0; i < plan->n_values; i++) {
        free(plan->measures[i].name);
        free(plan->measures[i].long_name);
        free(plan->measures[i].units);
        free(plan->measures[i].text);
        hanse_formula_destroy(plan->measures[i].formula);
    }
    for (size_t i = 0; i < plan->n_groupings; i++) {
        free(plan->groupings[i].name);
        free(plan->groupings[i].keys);
    }
    hanse_plan_clear_keys(plan);
    free(plan->filter_text);
    free(plan->id_name);
    hanse_formula_destroy(plan->filter);
    free(plan->measures);
    free(plan->groupings);
    free(plan->nodes);
    free(plan->types);
    free(plan->used);
    free(plan->rest);
    free(plan);
}

static hanse_status nomem(hanse_error *error)
{
    return hanse_fail_nomem(error, "plan", sizeof(hanse_plan));
}

/* Copies a text that may be NULL; false when memory is exhausted. */
static bool copy_text(char **out, const char *text)
{
    *out = hanse_text_copy(text);
    return text == NULL || *out != NULL;
}

/* ---- Groupings ---------------------------------------------------------- */

/* The node that divides `parent` by `key`, added when it is new. */
static hanse_status find_node(hanse_plan *plan, size_t parent, size_t key,
                              size_t *out, hanse_error *error)
{
    for (size_t i = 0; i < plan->n_nodes; i++) {
        if (plan->nodes[i].parent == parent && plan->nodes[i].key == key) {
            *out = i;
            return HANSE_OK;
        }
    }
    hanse_plan_node *larger =
        realloc(plan->nodes, (plan->n_nodes + 1) * sizeof *larger);
    if (larger == NULL)
        return nomem(error);
    plan->nodes = larger;
    plan->nodes[plan->n_nodes] = (hanse_plan_node){parent, key};
    *out = plan->n_nodes++;
    return HANSE_OK;
}

static hanse_status resolve_grouping(hanse_plan *plan, const hanse_spec *spec,
                                     const hanse_schema *schema,
                                     const hanse_spec_grouping *from,
                                     hanse_error *error)
{
    hanse_plan_grouping *to = &plan->groupings[plan->n_groupings++];
    to->node = SIZE_MAX;
    to->keys = calloc(from->n_keys + 1, sizeof *to->keys);
    if (!copy_text(&to->name, from->name) || to->keys == NULL)
        return nomem(error);
    for (size_t i = 0; i < from->n_keys; i++) {
        HANSE_TRY(hanse_plan_find_key(plan, spec, schema, from->keys[i],
                                      &to->keys[i], error));
        to->n_keys++;
        HANSE_TRY(find_node(plan, to->node, to->keys[i], &to->node, error));
    }
    return HANSE_OK;
}

/* ---- Measures ----------------------------------------------------------- */

static hanse_number number_of(hanse_type type)
{
    switch (type) {
    case HANSE_INT8:
    case HANSE_INT16:
    case HANSE_INT32:
    case HANSE_INT64:
    case HANSE_BOOL:
        return HANSE_NUMBER_INT;
    case HANSE_UINT8:
    case HANSE_UINT16:
    case HANSE_UINT32:
    case HANSE_UINT64:
        return HANSE_NUMBER_UINT;
    default:
        return HANSE_NUMBER_FLOAT;
    }
}

/* "a formula of the columns" or the column's own description. */
static hanse_status describe_measure(hanse_plan_measure *to,
                                     const hanse_spec_measure *from,
                                     const hanse_schema *schema,
                                     hanse_error *error)
{
    const hanse_field *field =
        to->field == SIZE_MAX ? NULL : &schema->fields[to->field];
    const char *long_name = from->long_name;
    if (long_name == NULL)
        long_name = field != NULL && field->long_name != NULL ? field->long_name
                                                              : from->formula;
    if (!copy_text(&to->name, from->name) ||
        !copy_text(&to->text, from->formula) ||
        !copy_text(&to->long_name, long_name) ||
        !copy_text(&to->units, field != NULL ? field->units : NULL))
        return nomem(error);
    return HANSE_OK;
}

static hanse_status resolve_measure(hanse_plan *plan,
                                    const hanse_schema *schema,
                                    const hanse_spec_measure *from,
                                    bool is_measure, hanse_error *error)
{
    char what[256];
    hanse_plan_measure *to = &plan->measures[plan->n_values++];
    to->field = SIZE_MAX;
    if (is_measure)
        snprintf(what, sizeof what, "measure '%s'", from->name);
    else
        snprintf(what, sizeof what, "%s", from->name);
    HANSE_TRY(hanse_formula_compile(from->formula, what, schema,
                                    HANSE_WANT_NUMBER, &to->formula, error));
    size_t field;
    if (hanse_formula_is_field(to->formula, &field)) {
        to->field = field;
        to->number = number_of(schema->fields[field].type);
    }
    return describe_measure(to, from, schema, error);
}

/* ---- Weights and ids ---------------------------------------------------- */

static hanse_status resolve_weights(hanse_plan *plan, const hanse_spec *spec,
                                    const hanse_schema *schema,
                                    hanse_error *error)
{
    static char name[] = "weights";
    if ((plan->statistics & HANSE_STAT_WMEAN) == 0)
        return HANSE_OK;
    if (spec->weights == NULL)
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "statistic 'wmean' needs weights; give a column or "
                          "formula with --weights or `weights:`");
    plan->weights = plan->n_values;
    const hanse_spec_measure measure = {name, spec->weights, NULL};
    return resolve_measure(plan, schema, &measure, false, error);
}

/* An integer id is evaluated like a measure, texts are looked up in the batch,
 * and without a column the number of the row stands for it. */
static hanse_status resolve_id(hanse_plan *plan, const hanse_spec *spec,
                               const hanse_schema *schema, hanse_error *error)
{
    const char *const usual = "enterprise_id";
    if (plan->set.n_top == 0)
        return HANSE_OK;
    const char *column = spec->id != NULL ? spec->id : usual;
    const size_t field = hanse_schema_find(schema, column);
    if (field == SIZE_MAX)
        return spec->id == NULL
                   ? HANSE_OK
                   : hanse_fail_column(error, "id", column, schema);
    const hanse_type type = schema->fields[field].type;
    if (type == HANSE_FLOAT32 || type == HANSE_FLOAT64)
        return hanse_fail(error, HANSE_ERR_TYPE,
                          "id: column '%s' is %s; an id must be an integer or "
                          "text column; name another with --id or `id:`",
                          column, hanse_type_name(type));
    plan->id_field = field;
    if (!copy_text(&plan->id_name, column))
        return nomem(error);
    if (type == HANSE_TEXT)
        return HANSE_OK;
    hanse_plan_measure *to = &plan->measures[plan->n_values++];
    plan->id = plan->n_values - 1;
    to->field = field;
    to->number = number_of(type);
    return HANSE_OK;
}

/* ---- Columns in use ----------------------------------------------------- */

static void mark_fields(const hanse_formula *formula, bool *used)
{
    size_t n = 0;
    const size_t *fields = hanse_formula_fields(formula, &n);
    for (size_t i = 0; i < n; i++)
        used[fields[i]] = true;
}

static void need_scratch(hanse_plan *plan, const hanse_formula *formula)
{
    const size_t needed = hanse_formula_scratch_bytes(formula);
    if (needed > plan->scratch_bytes)
        plan->scratch_bytes = needed;
}

/* What keys and measures read. */
static void mark_keys_and_measures(hanse_plan *plan, bool *used)
{
    if (plan->id_field != SIZE_MAX)
        used[plan->id_field] = true;
    for (size_t i = 0; i < plan->n_values; i++) {
        if (plan->measures[i].formula == NULL)
            continue; /* an id */
        mark_fields(plan->measures[i].formula, used);
        need_scratch(plan, plan->measures[i].formula);
    }
    for (size_t i = 0; i < plan->n_keys; i++) {
        const hanse_plan_key *key = &plan->keys[i];
        if (key->field != SIZE_MAX)
            used[key->field] = true;
        if (key->formula != NULL) {
            mark_fields(key->formula, used);
            need_scratch(plan, key->formula);
        }
    }
}

static hanse_status collect_fields(hanse_plan *plan, const hanse_schema *schema,
                                   hanse_error *error)
{
    const size_t n = schema->n_fields + 1;
    bool *used = calloc(2 * n, sizeof *used);
    plan->types = calloc(n, sizeof *plan->types);
    plan->used = calloc(n, sizeof *plan->used);
    plan->rest = calloc(n, sizeof *plan->rest);
    if (used == NULL || plan->types == NULL || plan->used == NULL ||
        plan->rest == NULL) {
        free(used);
        return nomem(error);
    }
    bool *filtered = used + n;
    mark_keys_and_measures(plan, used);
    if (plan->filter != NULL) {
        mark_fields(plan->filter, filtered);
        need_scratch(plan, plan->filter);
    }
    plan->n_fields = schema->n_fields;
    for (size_t i = 0; i < schema->n_fields; i++) {
        plan->types[i] = schema->fields[i].type;
        if (used[i] || filtered[i])
            plan->used[plan->n_used++] = i;
        if (used[i] && !filtered[i])
            plan->rest[plan->n_rest++] = i;
    }
    free(used);
    return HANSE_OK;
}

static hanse_status check_pairs(const hanse_plan *plan, hanse_error *error)
{
    const uint32_t pairs = HANSE_STAT_COV | HANSE_STAT_CORR;
    if ((plan->statistics & pairs) == 0 || plan->n_measures >= 2)
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_SPEC,
                      "statistics cov and corr are of two measures; the job "
                      "has only '%s'",
                      plan->measures[0].name);
}

static hanse_status resolve(hanse_plan *plan, const hanse_spec *spec,
                            const hanse_schema *schema, hanse_error *error)
{
    if (spec->n_groupings == 0 || spec->n_measures == 0)
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "a specification needs a grouping and a measure");
    plan->set = spec->statistics;
    plan->statistics = spec->statistics.mask;
    plan->weights = plan->id = plan->id_field = SIZE_MAX;
    plan->drop_missing_keys = spec->missing_keys == HANSE_MISSING_KEYS_DROP;
    /* And one for weights, one for ids. */
    plan->measures = calloc(spec->n_measures + 2, sizeof *plan->measures);
    plan->groupings = calloc(spec->n_groupings, sizeof *plan->groupings);
    if (plan->measures == NULL || plan->groupings == NULL)
        return nomem(error);
    if (!copy_text(&plan->filter_text, spec->filter))
        return nomem(error);
    if (spec->filter != NULL)
        HANSE_TRY(hanse_formula_compile(spec->filter, "filter", schema,
                                        HANSE_WANT_CONDITION, &plan->filter,
                                        error));
    for (size_t i = 0; i < spec->n_measures; i++)
        HANSE_TRY(
            resolve_measure(plan, schema, &spec->measures[i], true, error));
    plan->n_measures = plan->n_values;
    HANSE_TRY(check_pairs(plan, error));
    HANSE_TRY(resolve_weights(plan, spec, schema, error));
    HANSE_TRY(resolve_id(plan, spec, schema, error));
    for (size_t i = 0; i < spec->n_groupings; i++)
        HANSE_TRY(
            resolve_grouping(plan, spec, schema, &spec->groupings[i], error));
    return collect_fields(plan, schema, error);
}

hanse_status hanse_plan_create(const hanse_spec *spec,
                               const hanse_schema *schema, hanse_plan **out,
                               hanse_error *error)
{
    HANSE_TRY(hanse_schema_check(schema, error));
    hanse_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return nomem(error);
    const hanse_status status = resolve(plan, spec, schema, error);
    if (status != HANSE_OK) {
        hanse_plan_destroy(plan);
        return status;
    }
    *out = plan;
    return HANSE_OK;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_keys(const hanse_plan *a, const hanse_plan *b)
{
    if (a->n_keys != b->n_keys || a->n_nodes != b->n_nodes)
        return false;
    for (size_t i = 0; i < a->n_keys; i++)
        if (!hanse_plan_same_key(&a->keys[i], &b->keys[i]))
            return false;
    for (size_t i = 0; i < a->n_nodes; i++)
        if (a->nodes[i].parent != b->nodes[i].parent ||
            a->nodes[i].key != b->nodes[i].key)
            return false;
    return true;
}

bool hanse_plan_equal(const hanse_plan *a, const hanse_plan *b)
{
    if (a == b)
        return true;
    if (!hanse_statistic_set_equal(&a->set, &b->set) ||
        a->n_measures != b->n_measures || a->n_values != b->n_values ||
        !same_text(a->id_name, b->id_name) ||
        a->n_groupings != b->n_groupings ||
        a->drop_missing_keys != b->drop_missing_keys ||
        !same_text(a->filter_text, b->filter_text) || !same_keys(a, b))
        return false;
    for (size_t i = 0; i < a->n_values; i++)
        if (!same_text(a->measures[i].name, b->measures[i].name) ||
            !same_text(a->measures[i].text, b->measures[i].text) ||
            a->measures[i].number != b->measures[i].number)
            return false;
    for (size_t i = 0; i < a->n_groupings; i++)
        if (a->groupings[i].node != b->groupings[i].node)
            return false;
    return true;
}
