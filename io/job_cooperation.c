/* SPDX-License-Identifier: Apache-2.0
 *
 * `models: cooperation` of a job file:
 *
 *     cooperation:
 *       column: strategy          # or formula
 *       within: [state]           # groups of mixing and of the group scope
 *       evaluate: {columns: [strategy], scale: minmax}
 *       evaluate:
 *         subsystems:
 *           homes: {weight: 0.6, indicators: [revenue, sales]}
 *           works: {weight: 0.4, indicators: [{name: waste, cost: true}]}
 *       coordinate: {independence: 0.3, rounds: 3, links: /links}
 *       synergise: {coupling: [classic], size: employees}
 */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/memory.h"
#include "engine/models/cooperation.h"
#include "io/job_evaluate.h"
#include "io/job_links.h"
#include "io/job_models.h"
#include "io/job_places.h"

/* The specification, made when it is first needed. */
static hanse_status get_spec(hanse_job_reader *r, hanse_cooperation_spec **out)
{
    hanse_models *models = &r->job->models;
    if (models->cooperation == NULL)
        HANSE_TRY(
            hanse_cooperation_spec_create(&models->cooperation, r->error));
    if (r->job->model_formula[HANSE_MODEL_COOPERATION] != NULL)
        models->cooperation->has_formula = true;
    *out = models->cooperation;
    return HANSE_OK;
}

static hanse_status read_formula(hanse_job_reader *r, const yaml_node_t *node)
{
    if (r->job->models.cooperation != NULL)
        r->job->models.cooperation->has_formula = true;
    return hanse_job_read_model_formula(r, node, HANSE_MODEL_COOPERATION);
}

/* A key, a list of keys, or `total`. */
static hanse_status read_within(hanse_job_reader *r, const yaml_node_t *node)
{
    hanse_cooperation_spec *spec;
    HANSE_TRY(get_spec(r, &spec));
    return hanse_job_read_within(r, node, &spec->within, &spec->n_within);
}

/* ---- evaluate ----------------------------------------------------------- */

/* Names go into those of columns. */
static hanse_status check_name(const hanse_job_reader *r,
                               const yaml_node_t *node, const char *name)
{
    const size_t n = strlen(name);
    if (n <= 64 &&
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                     "0123456789_") == n)
        return HANSE_OK;
    return hanse_yaml_fail(r->error, r->path, node->start_mark,
                           "subsystem '%s': a name consists of up to 64 "
                           "letters, digits and underscores",
                           name);
}

/* What is being read: options that hold for all come first. */
typedef struct evaluating {
    bool options; /* these, else what is evaluated */
    hanse_evaluate_reading all;
    hanse_evaluate_reading own; /* of a subsystem or the score */
    double *weight;             /* of the subsystem */
} evaluating;

static hanse_status read_subsystem_pair(hanse_job_reader *r,
                                        const void *context,
                                        const yaml_node_t *key,
                                        const char *name,
                                        const yaml_node_t *value)
{
    static const char *const known[] = {
        "weight", "indicators", "scale", "scope", "weights", "eps", "range"};
    evaluating *e = (evaluating *)(uintptr_t)context;
    bool is_known;
    if (strcmp(name, known[0]) == 0)
        return hanse_node_number(r, value, name, 0.0, DBL_MAX, e->weight);
    HANSE_TRY(hanse_job_read_evaluate_pair(r, name, value, &e->own, &is_known));
    return is_known ? HANSE_OK
                    : hanse_node_fail_unknown(r, key, "key", name, known,
                                              HANSE_COUNT(known));
}

/* The options of all, for one. */
static void begin_own(evaluating *e, hanse_evaluate_spec *spec)
{
    *spec = *e->all.spec;
    e->own = e->all;
    e->own.spec = spec;
}

/* Levels are from 0 to 1. */
static hanse_status check_levels(const hanse_job_reader *r,
                                 const yaml_node_t *node, const char *name,
                                 const hanse_evaluate_spec *spec)
{
    if (spec->scale == HANSE_SCALE_MINMAX && spec->a >= 0.0 && spec->b <= 1.0)
        return HANSE_OK;
    return hanse_yaml_fail(r->error, r->path, node->start_mark,
                           "subsystem '%s': levels of subsystems are from 0 to "
                           "1, which 'scale: minmax' with a range inside "
                           "[0, 1] gives",
                           name);
}

/* `name: {weight: 0.5, indicators: ...}`, or a list of indicators. */
static hanse_status read_subsystem(hanse_job_reader *r, const void *context,
                                   const yaml_node_t *key, const char *name,
                                   const yaml_node_t *value)
{
    evaluating *e = (evaluating *)(uintptr_t)context;
    hanse_subsystem_spec *subsystem;
    HANSE_TRY(check_name(r, key, name));
    char *copy = hanse_text_copy(name);
    if (copy == NULL)
        return hanse_fail_nomem(r->error, "job", strlen(name));
    HANSE_TRY(hanse_node_located(
        r, key,
        hanse_cooperation_spec_add(r->job->models.cooperation, copy, &subsystem,
                                   r->error)));
    begin_own(e, &subsystem->evaluate);
    e->weight = &subsystem->weight;
    if (value->type == YAML_MAPPING_NODE)
        HANSE_TRY(hanse_node_pairs(r, value, name, read_subsystem_pair, e));
    else
        HANSE_TRY(hanse_job_read_indicators(r, value, e->own.spec,
                                            &e->own.n_weights));
    HANSE_TRY(check_levels(r, key, name, e->own.spec));
    return hanse_job_check_evaluate(r, value, &e->own);
}

/* One indicator or several, whose score is the strategy. */
static hanse_status read_columns(hanse_job_reader *r, const yaml_node_t *node,
                                 evaluating *e)
{
    begin_own(e, &r->job->models.cooperation->score);
    HANSE_TRY(
        hanse_job_read_indicators(r, node, e->own.spec, &e->own.n_weights));
    return hanse_job_check_evaluate(r, node, &e->own);
}

static hanse_status read_evaluate_pair(hanse_job_reader *r, const void *context,
                                       const yaml_node_t *key, const char *name,
                                       const yaml_node_t *value)
{
    static const char *const known[] = {
        "columns", "subsystems", "scale", "scope", "weights", "eps", "range"};
    evaluating *e = (evaluating *)(uintptr_t)context;
    bool is_known = false;
    if (strcmp(name, known[0]) == 0)
        return e->options ? HANSE_OK : read_columns(r, value, e);
    if (strcmp(name, known[1]) == 0)
        return e->options ? HANSE_OK
                          : hanse_node_pairs(r, value, name, read_subsystem, e);
    if (!e->options)
        return HANSE_OK; /* has been read */
    if (strcmp(name, "indicators") != 0)
        HANSE_TRY(
            hanse_job_read_evaluate_pair(r, name, value, &e->all, &is_known));
    return is_known ? HANSE_OK
                    : hanse_node_fail_unknown(r, key, "key", name, known,
                                              HANSE_COUNT(known));
}

static hanse_status read_evaluate(hanse_job_reader *r, const yaml_node_t *node)
{
    hanse_cooperation_spec *spec;
    hanse_evaluate_spec options;
    evaluating e = {.options = true, .all.spec = &options};
    HANSE_TRY(get_spec(r, &spec));
    HANSE_TRY(hanse_node_note(r, node, hanse_place_step, "evaluate"));
    hanse_evaluate_spec_init(&options);
    HANSE_TRY(hanse_node_pairs(r, node, "evaluate", read_evaluate_pair, &e));
    e.options = false;
    HANSE_TRY(hanse_node_pairs(r, node, "evaluate", read_evaluate_pair, &e));
    if (spec->score.n_indicators == 0 && spec->n_subsystems == 0)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "evaluate: nothing to evaluate; give 'columns' "
                               "or 'subsystems'");
    return HANSE_OK;
}

/* ---- coordinate --------------------------------------------------------- */

/* A number from 0 to 1, or a formula. */
static hanse_status read_share(hanse_job_reader *r, const yaml_node_t *node,
                               const char *name, bool is_open)
{
    hanse_coordinate_spec *spec = &r->job->models.cooperation->coordinate;
    const char *text = NULL;
    char *end;
    double number = 0.0;
    if (spec->independence != NULL)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "coordinate: give either 'independence' or "
                               "'openness', which is 1 - independence");
    HANSE_TRY(hanse_node_text(r, node, name, &text));
    (void)strtod(text, &end);
    if (*end == '\0')
        HANSE_TRY(hanse_node_number(r, node, name, 0.0, 1.0, &number));
    spec->is_open = is_open;
    return hanse_node_formula(r, node, name, &spec->independence);
}

static hanse_status read_independence(hanse_job_reader *r,
                                      const yaml_node_t *node)
{
    return read_share(r, node, "independence", false);
}

static hanse_status read_openness(hanse_job_reader *r, const yaml_node_t *node)
{
    return read_share(r, node, "openness", true);
}

static hanse_status read_rounds(hanse_job_reader *r, const yaml_node_t *node)
{
    hanse_coordinate_spec *spec = &r->job->models.cooperation->coordinate;
    const char *text = NULL;
    size_t rounds = 0;
    HANSE_TRY(hanse_node_text(r, node, "rounds", &text));
    if (strcmp(text, "limit") == 0) {
        spec->rounds = HANSE_ROUNDS_LIMIT;
        return HANSE_OK;
    }
    HANSE_TRY(hanse_node_count(r, node, "rounds (a number or 'limit')", 0,
                               1000000000, &rounds));
    spec->rounds = rounds;
    return HANSE_OK;
}

static hanse_status read_tolerance(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_number(r, node, "tolerance", 1e-16, 1.0,
                             &r->job->models.cooperation->coordinate.tolerance);
}

static hanse_status read_max_rounds(hanse_job_reader *r,
                                    const yaml_node_t *node)
{
    size_t rounds = 0;
    HANSE_TRY(hanse_node_count(r, node, "max_rounds", 1, 1000000000, &rounds));
    r->job->models.cooperation->coordinate.max_rounds = rounds;
    return HANSE_OK;
}

static hanse_status read_preserve(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_flag(r, node, "preserve",
                           &r->job->models.cooperation->coordinate.preserve);
}

static hanse_status read_links(hanse_job_reader *r, const yaml_node_t *node)
{
    hanse_coordinate_spec *spec = &r->job->models.cooperation->coordinate;
    HANSE_TRY(hanse_job_read_links(r, node, &spec->links));
    spec->along_links = true;
    if (spec->links.weight == NULL)
        return HANSE_OK;
    return hanse_yaml_fail(r->error, r->path, node->start_mark,
                           "links: coordination weighs links by their numbers "
                           "alone; leave 'weight' out");
}

static hanse_status read_coordinate(hanse_job_reader *r,
                                    const yaml_node_t *node)
{
    static const hanse_node_rule rules[] = {
        {"independence", read_independence},
        {"openness", read_openness},
        {"rounds", read_rounds},
        {"links", read_links},
        {"tolerance", read_tolerance},
        {"max_rounds", read_max_rounds},
        {"preserve", read_preserve},
        {NULL, NULL},
    };
    hanse_cooperation_spec *spec;
    HANSE_TRY(get_spec(r, &spec));
    HANSE_TRY(hanse_node_mapping(r, node, "coordinate", rules));
    if (spec->coordinate.independence == NULL)
        return hanse_yaml_fail(
            r->error, r->path, node->start_mark,
            "coordinate: 'independence' is missing, how much "
            "of its own strategy a record keeps, from 0 to "
            "1; or give 'openness'");
    return HANSE_OK;
}

/* ---- synergise ---------------------------------------------------------- */

static hanse_status read_kind(hanse_job_reader *r, const yaml_node_t *node)
{
    const char *names[HANSE_COUPLING_COUNT];
    size_t kind = 0;
    for (int i = 0; i < HANSE_COUPLING_COUNT; i++)
        names[i] = hanse_coupling_name((hanse_coupling_kind)i);
    HANSE_TRY(hanse_node_choice(r, node, "coupling", names,
                                HANSE_COUPLING_COUNT, &kind));
    r->job->models.cooperation->couplings |= 1u << kind;
    return HANSE_OK;
}

static hanse_status read_coupling(hanse_job_reader *r, const yaml_node_t *node)
{
    r->job->models.cooperation->couplings = 0;
    return hanse_node_list(r, node, "coupling", HANSE_COUPLING_COUNT,
                           read_kind);
}

static hanse_status read_size(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_formula(r, node, "size",
                              &r->job->models.cooperation->size);
}

static hanse_status read_period_column(hanse_job_reader *r,
                                       const yaml_node_t *node)
{
    return hanse_node_formula(r, node, "periods",
                              &r->job->models.cooperation->periods.column);
}

static hanse_status read_from(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_set_text(r, node, "from",
                               &r->job->models.cooperation->periods.from);
}

static hanse_status read_to(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_set_text(r, node, "to",
                               &r->job->models.cooperation->periods.to);
}

static hanse_status read_periods(hanse_job_reader *r, const yaml_node_t *node)
{
    static const hanse_node_rule rules[] = {
        {"column", read_period_column},
        {"from", read_from},
        {"to", read_to},
        {NULL, NULL},
    };
    const hanse_periods_spec *periods = &r->job->models.cooperation->periods;
    HANSE_TRY(hanse_node_mapping(r, node, "periods", rules));
    if (periods->column == NULL || periods->from == NULL || periods->to == NULL)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "periods: '%s' is missing; two periods are "
                               "{column: NAME, from: VALUE, to: VALUE}",
                               periods->column == NULL ? "column"
                               : periods->from == NULL ? "from"
                                                       : "to");
    return HANSE_OK;
}

static hanse_status read_order(hanse_job_reader *r, const yaml_node_t *node)
{
    static const char *const words[] = {"mean", "geometric"};
    size_t kind = 0;
    HANSE_TRY(hanse_node_choice(r, node, "order", words, 2, &kind));
    r->job->models.cooperation->periods.order = (hanse_order_kind)kind;
    return HANSE_OK;
}

static hanse_status read_composite(hanse_job_reader *r, const yaml_node_t *node)
{
    static const char *const words[] = {"geometric", "weighted"};
    size_t kind = 0;
    HANSE_TRY(hanse_node_choice(r, node, "composite", words, 2, &kind));
    r->job->models.cooperation->periods.composite = (hanse_composite_kind)kind;
    return HANSE_OK;
}

static hanse_status read_synergise(hanse_job_reader *r, const yaml_node_t *node)
{
    static const hanse_node_rule rules[] = {
        {"coupling", read_coupling},   {"size", read_size},
        {"periods", read_periods},     {"order", read_order},
        {"composite", read_composite}, {NULL, NULL},
    };
    hanse_cooperation_spec *spec;
    HANSE_TRY(get_spec(r, &spec));
    spec->synergises = true;
    HANSE_TRY(hanse_node_note(r, node, hanse_place_step, "synergise"));
    return hanse_node_mapping(r, node, "synergise", rules);
}

const hanse_node_rule hanse_job_cooperation_rules[] = {
    {"column", read_formula},
    {"formula", read_formula},
    {"within", read_within},
    {"evaluate", read_evaluate},
    {"coordinate", read_coordinate},
    {"synergise", read_synergise},
    {NULL, NULL},
};
