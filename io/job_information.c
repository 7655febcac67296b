/* SPDX-License-Identifier: Apache-2.0
 *
 * `models: information` of a job file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/memory.h"
#include "engine/models/information.h"
#include "io/job_links.h"
#include "io/job_places.h"

enum {
    MAX_CONDITIONS = 100,
    MAX_HOPS = 1000000,
    MAX_STEPS = 1000000
};

/* The model's steps, made when the first of them is read. */
static hanse_status get_spec(hanse_job_reader *r, hanse_information_spec **out)
{
    if (r->job->models.information == NULL)
        HANSE_TRY(hanse_information_spec_create(&r->job->models.information,
                                                r->error));
    *out = r->job->models.information;
    return HANSE_OK;
}

/* Of keys below one that has made it. */
static hanse_information_spec *spec_of(const hanse_job_reader *r)
{
    return r->job->models.information;
}

static hanse_status read_formula(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_job_read_model_formula(r, node, HANSE_MODEL_INFORMATION);
}

/* ---- filter ------------------------------------------------------------- */

static hanse_filter_condition *last_condition(const hanse_job_reader *r)
{
    hanse_information_spec *spec = spec_of(r);
    return &spec->conditions[spec->n_conditions - 1];
}

static hanse_status read_value(hanse_job_reader *r, const yaml_node_t *node)
{
    hanse_filter_condition *condition = last_condition(r);
    return hanse_node_formula(r, node, condition->name, &condition->now);
}

static hanse_status read_before(hanse_job_reader *r, const yaml_node_t *node)
{
    hanse_filter_condition *condition = last_condition(r);
    return hanse_node_set_text(r, node, "before", &condition->before);
}

static hanse_status read_u(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_number(r, node, "u", 0.0, 1.0,
                             &last_condition(r)->test.u);
}

static hanse_status read_a(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_number(r, node, "a", 0.0, 1e300,
                             &last_condition(r)->test.a);
}

static hanse_status read_c(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_number(r, node, "c", 1e-300, 1e300,
                             &last_condition(r)->test.c);
}

static const hanse_node_rule outlier_rules[] = {
    {"value", read_value}, {"before", read_before}, {"u", read_u},
    {"a", read_a},         {"c", read_c},           {NULL, NULL},
};

/* A text of pieces, from malloc, in a slot that it replaces. */
static hanse_status set_pieces(hanse_job_reader *r, char **slot,
                               const char *const *pieces, size_t n)
{
    size_t size_bytes = 1;
    for (size_t i = 0; i < n; i++)
        size_bytes += strlen(pieces[i]);
    char *text = calloc(size_bytes, 1);
    if (text == NULL)
        return hanse_fail_nomem(r->error, "condition", size_bytes);
    for (size_t i = 0, at = 0; i < n; at += strlen(pieces[i]), i++)
        memcpy(text + at, pieces[i], strlen(pieces[i]));
    free(*slot);
    *slot = text;
    return HANSE_OK;
}

static hanse_status read_outliers(hanse_job_reader *r, const yaml_node_t *node)
{
    hanse_filter_condition *condition = last_condition(r);
    condition->test = HANSE_OUTLIER_TEST_DEFAULT;
    HANSE_TRY(hanse_node_mapping(r, node, "outliers", outlier_rules));
    if (condition->now == NULL || condition->before == NULL)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "outliers: '%s' is missing",
                               condition->now == NULL ? "value" : "before");
    const char *const pieces[] = {"no outlier of ", condition->now, " / ",
                                  condition->before};
    return set_pieces(r, &condition->text, pieces, HANSE_COUNT(pieces));
}

/* {range: x, low: 1, high: 5}, either limit may be left out. */
typedef struct range {
    const char *formula;
    const char *low;
    const char *high;
    double least; /* as numbers */
    double most;
} range;

static hanse_status read_range_pair(hanse_job_reader *r, const void *context,
                                    const yaml_node_t *key, const char *name,
                                    const yaml_node_t *value)
{
    static const char *const known[] = {"range", "low", "high"};
    range *to = (range *)(uintptr_t)context;
    double *number = strcmp(name, "low") == 0 ? &to->least : &to->most;
    if (strcmp(name, "range") == 0) {
        HANSE_TRY(hanse_node_note(r, value, hanse_place_step,
                                  last_condition(r)->name));
        return hanse_node_text(r, value, name, &to->formula);
    }
    if (strcmp(name, "low") != 0 && strcmp(name, "high") != 0)
        return hanse_node_fail_unknown(r, key, "key", name, known, 3);
    HANSE_TRY(hanse_node_number(r, value, name, -1.7976931348623157e308,
                                1.7976931348623157e308, number));
    return hanse_node_text(r, value, name,
                           strcmp(name, "low") == 0 ? &to->low : &to->high);
}

static hanse_status read_range(hanse_job_reader *r, const yaml_node_t *node)
{
    range from = {0};
    HANSE_TRY(hanse_node_pairs(r, node, "filter", read_range_pair, &from));
    if (from.formula == NULL)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "filter: 'range' is missing, the formula that "
                               "'low' and 'high' belong to");
    if (from.low == NULL && from.high == NULL)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "range: give 'low', 'high' or both");
    if (from.low != NULL && from.high != NULL && from.least > from.most)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "range: low %s is above high %s, nothing lies "
                               "between; exchange them",
                               from.low, from.high);
    const char *const both[] = {from.formula, " >= ", from.low, " and ",
                                from.formula, " <= ", from.high};
    char **slot = &last_condition(r)->text;
    if (from.high == NULL)
        return set_pieces(r, slot, both, 3);
    return from.low == NULL ? set_pieces(r, slot, both + 4, 3)
                            : set_pieces(r, slot, both, 7);
}

static const hanse_node_rule condition_rules[] = {
    {"outliers", read_outliers},
    {NULL, NULL},
};

static hanse_status read_condition(hanse_job_reader *r, const yaml_node_t *node)
{
    hanse_information_spec *spec = spec_of(r);
    char name[32];
    hanse_filter_condition *larger =
        realloc(spec->conditions, (spec->n_conditions + 1) * sizeof *larger);
    if (larger == NULL)
        return hanse_fail_nomem(r->error, "filter", sizeof *larger);
    spec->conditions = larger;
    (void)snprintf(name, sizeof name, "filter %zu", spec->n_conditions + 1);
    hanse_filter_condition *condition = &larger[spec->n_conditions++];
    *condition = (hanse_filter_condition){.name = hanse_text_copy(name)};
    if (condition->name == NULL)
        return hanse_fail_nomem(r->error, "filter", sizeof name);
    if (hanse_node_has_key(r, node, "range") ||
        hanse_node_has_key(r, node, "low") ||
        hanse_node_has_key(r, node, "high"))
        return read_range(r, node);
    if (node->type == YAML_MAPPING_NODE) {
        HANSE_TRY(hanse_node_mapping(r, node, "filter", condition_rules));
        return condition->text != NULL
                   ? HANSE_OK
                   : hanse_yaml_fail(r->error, r->path, node->start_mark,
                                     "filter: a condition is a formula, "
                                     "{range: ...} or {outliers: ...}");
    }
    return hanse_node_formula(r, node, condition->name, &condition->text);
}

static hanse_status read_filter(hanse_job_reader *r, const yaml_node_t *node)
{
    hanse_information_spec *spec;
    HANSE_TRY(get_spec(r, &spec));
    return hanse_node_list(r, node, "filter", MAX_CONDITIONS, read_condition);
}

/* ---- transmit ----------------------------------------------------------- */

static hanse_status read_links(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_job_read_links(r, node, &spec_of(r)->links);
}

/* Short for those of `links`. */
static hanse_status read_file(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_set_text(r, node, "file", &spec_of(r)->links.file);
}

static hanse_status read_weight(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_formula(r, node, "weight", &spec_of(r)->links.weight);
}

static hanse_status read_by(hanse_job_reader *r, const yaml_node_t *node)
{
    static const char *const words[] = {"row", "id"};
    size_t index = 0;
    HANSE_TRY(hanse_node_choice(r, node, "by", words, 2, &index));
    spec_of(r)->links.by_id = index == 1;
    return HANSE_OK;
}

static hanse_status read_hops(hanse_job_reader *r, const yaml_node_t *node)
{
    hanse_walk_spec *walk = &spec_of(r)->walk;
    if (node->type == YAML_SCALAR_NODE &&
        strcmp((const char *)node->data.scalar.value, "limit") == 0) {
        walk->hops = HANSE_WALK_LIMIT;
        return HANSE_OK;
    }
    return hanse_node_count(r, node, "hops", 0, MAX_HOPS, &walk->hops);
}

static hanse_status read_decay(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_number(r, node, "decay", 0.0, 1.0 - 0x1p-53,
                             &spec_of(r)->walk.decay);
}

static hanse_status read_tolerance(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_number(r, node, "tolerance", 0x1p-53, 1.0,
                             &spec_of(r)->walk.tolerance);
}

static hanse_status read_steps(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_count(r, node, "most_steps", 1, MAX_STEPS,
                            &spec_of(r)->walk.most_steps);
}

static hanse_status read_normalise(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_flag(r, node, "normalise", &spec_of(r)->normalise);
}

static hanse_status read_remove(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_flag(r, node, "remove_rejected",
                           &spec_of(r)->remove_rejected);
}

static const hanse_node_rule transmit_rules[] = {
    {"links", read_links},
    {"file", read_file},
    {"weight", read_weight},
    {"by", read_by},
    {"hops", read_hops},
    {"decay", read_decay},
    {"normalise", read_normalise},
    {"remove_rejected", read_remove},
    {"tolerance", read_tolerance},
    {"most_steps", read_steps},
    {NULL, NULL},
};

static hanse_status read_transmit(hanse_job_reader *r, const yaml_node_t *node)
{
    hanse_information_spec *spec;
    static const char *const needed[] = {"links", "hops", "decay"};
    HANSE_TRY(get_spec(r, &spec));
    HANSE_TRY(hanse_node_mapping(r, node, "transmit", transmit_rules));
    for (size_t i = 0; i < HANSE_COUNT(needed); i++)
        if (!hanse_node_has_key(r, node, needed[i]))
            return hanse_yaml_fail(r->error, r->path, node->start_mark,
                                   "transmit: '%s' is missing", needed[i]);
    spec->transmits = true;
    return HANSE_OK;
}

/* ---- within and linkages ------------------------------------------------ */

static hanse_status read_within(hanse_job_reader *r, const yaml_node_t *node)
{
    hanse_information_spec *spec;
    HANSE_TRY(get_spec(r, &spec));
    HANSE_TRY(hanse_node_note(r, node, hanse_place_step, "within"));
    spec->wants_flows = true;
    return hanse_job_read_within(r, node, &spec->within, &spec->n_within);
}

/* Flows between groups: their ends are keys, not rows. */
static hanse_status read_flows(hanse_job_reader *r, const yaml_node_t *node)
{
    hanse_link_spec *flows = &spec_of(r)->flows;
    HANSE_TRY(hanse_job_read_links(r, node, flows));
    if (hanse_node_has_key(r, node, "ends") ||
        hanse_node_has_key(r, node, "id"))
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "flows: the ends of flows are values of the key "
                               "under 'within'; leave out 'ends' and 'id'");
    if (flows->weight == NULL)
        return hanse_job_set_text(&flows->weight, "flow", r->error);
    return HANSE_OK;
}

static hanse_status read_total(hanse_job_reader *r, const yaml_node_t *node)
{
    HANSE_TRY(hanse_node_note(r, node, hanse_place_measure, "linkages"));
    return hanse_node_set_text(r, node, "total", &spec_of(r)->linkages_total);
}

static hanse_status read_inverse(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_flag(r, node, "inverse", &spec_of(r)->wants_inverse);
}

static const hanse_node_rule linkage_rules[] = {
    {"total", read_total},
    {"flows", read_flows},
    {"inverse", read_inverse},
    {NULL, NULL},
};

static hanse_status read_linkages(hanse_job_reader *r, const yaml_node_t *node)
{
    hanse_information_spec *spec;
    HANSE_TRY(get_spec(r, &spec));
    HANSE_TRY(hanse_node_note(r, node, hanse_place_step, "linkages"));
    HANSE_TRY(hanse_node_mapping(r, node, "linkages", linkage_rules));
    return spec->linkages_total != NULL
               ? HANSE_OK
               : hanse_yaml_fail(r->error, r->path, node->start_mark,
                                 "linkages: 'total' is missing");
}

const hanse_node_rule hanse_job_information_rules[] = {
    {"column", read_formula},
    {"formula", read_formula},
    {"within", read_within},
    {"filter", read_filter},
    {"transmit", read_transmit},
    {"linkages", read_linkages},
    {NULL, NULL},
};
