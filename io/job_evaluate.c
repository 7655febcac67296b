/* SPDX-License-Identifier: Apache-2.0
 *
 * Indicators of a composite score in a job file.
 */
#include "io/job_evaluate.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/memory.h"
#include "io/job_places.h"

/* ---- One indicator ------------------------------------------------------ */

typedef struct reading {
    hanse_indicator indicator;
    bool has_weight;
    bool has_low;
    bool has_high;
} reading;

static hanse_status read_part(hanse_job_reader *r, const void *context,
                              const yaml_node_t *key, const char *name,
                              const yaml_node_t *value)
{
    static const char *const known[] = {"name",   "formula", "cost",
                                        "weight", "low",     "high"};
    reading *x = (reading *)(uintptr_t)context;
    hanse_indicator *i = &x->indicator;
    if (strcmp(name, "name") == 0)
        return hanse_node_set_text(r, value, "name", &i->name);
    if (strcmp(name, "formula") == 0)
        return hanse_node_set_text(r, value, "formula", &i->formula);
    if (strcmp(name, "cost") == 0)
        return hanse_node_flag(r, value, "cost", &i->is_cost);
    if (strcmp(name, "weight") == 0) {
        x->has_weight = true;
        return hanse_node_number(r, value, "weight", 0.0, DBL_MAX, &i->weight);
    }
    if (strcmp(name, "low") == 0) {
        x->has_low = true;
        return hanse_node_number(r, value, "low", -DBL_MAX, DBL_MAX, &i->low);
    }
    if (strcmp(name, "high") == 0) {
        x->has_high = true;
        return hanse_node_number(r, value, "high", -DBL_MAX, DBL_MAX, &i->high);
    }
    return hanse_node_fail_unknown(r, key, "key", name, known,
                                   HANSE_COUNT(known));
}

static hanse_status check_reading(const hanse_job_reader *r,
                                  const yaml_node_t *node, const reading *x)
{
    if (x->indicator.name == NULL)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "indicators: an indicator has no name");
    const double width = x->indicator.high - x->indicator.low;
    if (x->has_low != x->has_high ||
        (x->has_low && !(width > 0.0 && width <= DBL_MAX)))
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "indicator '%s': give both bounds, low < high",
                               x->indicator.name);
    return HANSE_OK;
}

/* Adds it; without a formula the name is one. The texts go to the spec. */
static hanse_status add_indicator(hanse_job_reader *r, const yaml_node_t *node,
                                  hanse_evaluate_spec *spec,
                                  hanse_indicator *indicator)
{
    if (indicator->formula == NULL)
        indicator->formula = hanse_text_copy(indicator->name);
    if (indicator->name == NULL || indicator->formula == NULL) {
        free(indicator->name);
        free(indicator->formula);
        return hanse_fail_nomem(r->error, "job", sizeof *indicator);
    }
    HANSE_TRY(hanse_node_located(
        r, node, hanse_evaluate_spec_add(spec, indicator, r->error)));
    return hanse_node_note(r, node, hanse_place_step, indicator->name);
}

static hanse_status read_indicator(hanse_job_reader *r, const yaml_node_t *node,
                                   hanse_evaluate_spec *spec, size_t *n_weights)
{
    reading x = {.indicator.weight = 1.0};
    hanse_status status;
    if (node->type == YAML_MAPPING_NODE)
        status = hanse_node_pairs(r, node, "indicators", read_part, &x);
    else
        status = hanse_node_set_text(r, node, "indicators", &x.indicator.name);
    if (status == HANSE_OK)
        status = check_reading(r, node, &x);
    if (status != HANSE_OK) {
        free(x.indicator.name);
        free(x.indicator.formula);
        return status;
    }
    x.indicator.has_bounds = x.has_low;
    *n_weights += x.has_weight;
    return add_indicator(r, node, spec, &x.indicator);
}

hanse_status hanse_job_read_indicators(hanse_job_reader *r,
                                       const yaml_node_t *node,
                                       hanse_evaluate_spec *spec,
                                       size_t *n_weights)
{
    const bool is_list = node->type == YAML_SEQUENCE_NODE;
    const size_t n = is_list ? hanse_node_n_items(node) : 1;
    if (n == 0)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "indicators: the list is empty");
    for (size_t i = 0; i < n; i++)
        HANSE_TRY(read_indicator(
            r, is_list ? hanse_node_item(r, node, i) : node, spec, n_weights));
    return HANSE_OK;
}

/* ---- The whole ---------------------------------------------------------- */

static const char *const words[] = {
    "indicators", "scale", "scope", "weights", "eps", "range", "normalised"};

static hanse_status read_range(hanse_job_reader *r, const yaml_node_t *node,
                               hanse_evaluate_spec *spec)
{
    if (node->type != YAML_SEQUENCE_NODE || hanse_node_n_items(node) != 2)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "range: give two numbers, [0, 1]");
    HANSE_TRY(hanse_node_number(r, hanse_node_item(r, node, 0), "range",
                                -DBL_MAX, DBL_MAX, &spec->a));
    HANSE_TRY(hanse_node_number(r, hanse_node_item(r, node, 1), "range",
                                -DBL_MAX, DBL_MAX, &spec->b));
    if (!(spec->a < spec->b))
        return hanse_yaml_fail(
            r->error, r->path, node->start_mark,
            "range: the first number must be the smaller one");
    if (spec->b - spec->a > DBL_MAX)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "range: the numbers are too far apart");
    return HANSE_OK;
}

static hanse_status read_choice(hanse_job_reader *r, const char *name,
                                const yaml_node_t *value,
                                hanse_evaluate_reading *w)
{
    static const char *const scales[] = {"minmax", "zscore"};
    static const char *const scopes[] = {"all", "group"};
    size_t index = 0;
    if (strcmp(name, "scale") == 0) {
        HANSE_TRY(hanse_node_choice(r, value, name, scales, 2, &index));
        w->spec->scale = index == 0 ? HANSE_SCALE_MINMAX : HANSE_SCALE_ZSCORE;
    } else if (strcmp(name, "scope") == 0) {
        HANSE_TRY(hanse_node_choice(r, value, name, scopes, 2, &index));
        w->spec->by_group = index == 1;
    } else {
        HANSE_TRY(hanse_node_choice(r, value, name, hanse_weighting_names(),
                                    HANSE_WEIGHTS_COUNT, &index));
        w->spec->weighting = (hanse_weighting)index;
        w->has_weighting = true;
    }
    return HANSE_OK;
}

hanse_status hanse_job_read_evaluate_pair(hanse_job_reader *r, const char *name,
                                          const yaml_node_t *value,
                                          hanse_evaluate_reading *w,
                                          bool *known)
{
    *known = true;
    if (strcmp(name, "indicators") == 0)
        return hanse_job_read_indicators(r, value, w->spec, &w->n_weights);
    if (strcmp(name, "eps") == 0) {
        w->has_eps = true;
        HANSE_TRY(hanse_node_number(r, value, name, 0.0, 0.4999, &w->spec->a));
        w->spec->b = 1.0 - w->spec->a;
        return HANSE_OK;
    }
    if (strcmp(name, "range") == 0) {
        w->has_range = true;
        return read_range(r, value, w->spec);
    }
    if (strcmp(name, "normalised") == 0 && w->normalised != NULL)
        return hanse_node_flag(r, value, name, w->normalised);
    for (size_t i = 0; i < 4; i++)
        if (strcmp(name, words[i]) == 0)
            return read_choice(r, name, value, w);
    *known = false;
    return HANSE_OK;
}

static hanse_status read_word(hanse_job_reader *r, const void *context,
                              const yaml_node_t *key, const char *name,
                              const yaml_node_t *value)
{
    bool known;
    HANSE_TRY(hanse_job_read_evaluate_pair(
        r, name, value, (hanse_evaluate_reading *)(uintptr_t)context, &known));
    if (known)
        return HANSE_OK;
    return hanse_node_fail_unknown(r, key, "key", name, words,
                                   HANSE_COUNT(words));
}

/* {labour: 0.40, ...} */
static hanse_status read_weight(hanse_job_reader *r, const void *context,
                                const yaml_node_t *key, const char *name,
                                const yaml_node_t *value)
{
    hanse_evaluate_reading *w = (hanse_evaluate_reading *)(uintptr_t)context;
    hanse_indicator indicator = {0};
    HANSE_TRY(
        hanse_node_number(r, value, name, 0.0, DBL_MAX, &indicator.weight));
    indicator.name = hanse_text_copy(name);
    w->n_weights++;
    return add_indicator(r, key, w->spec, &indicator);
}

/* What the scale and the weights have no use for; NULL: nothing. */
static const char *find_useless(const hanse_evaluate_reading *w)
{
    const hanse_evaluate_spec *spec = w->spec;
    const bool is_entropy =
        w->has_weighting && spec->weighting == HANSE_WEIGHTS_ENTROPY;
    bool has_bounds = false;
    for (size_t j = 0; j < spec->n_indicators; j++)
        has_bounds = has_bounds || spec->indicators[j].has_bounds;
    if (is_entropy && spec->a < 0.0)
        return "evaluate: entropy weights need values that are not negative; "
               "let 'range' begin at 0 or above";
    if (spec->scale != HANSE_SCALE_ZSCORE)
        return NULL;
    if (has_bounds)
        return "evaluate: 'low' and 'high' are for scale minmax; scale zscore "
               "takes the mean and the standard deviation";
    if ((w->has_range || w->has_eps) && !is_entropy)
        return "evaluate: 'range' and 'eps' are for scale minmax, or for "
               "entropy weights";
    return NULL;
}

hanse_status hanse_job_check_evaluate(const hanse_job_reader *r,
                                      const yaml_node_t *node,
                                      const hanse_evaluate_reading *w)
{
    hanse_evaluate_spec *spec = w->spec;
    const bool any = w->n_weights > 0;
    const char *fault = NULL;
    if (spec->n_indicators == 0)
        fault = "evaluate: no indicators; name columns or formulas under "
                "'indicators'";
    else if (w->has_eps && w->has_range)
        fault = "evaluate: give either 'eps' or 'range'";
    else if (any && w->n_weights < spec->n_indicators)
        fault = "evaluate: some indicators have a weight, others have none";
    else if (any && w->has_weighting && spec->weighting != HANSE_WEIGHTS_FIXED)
        fault = "evaluate: indicators have weights of their own; leave these "
                "out or say 'weights: fixed'";
    else if (!any && w->has_weighting && spec->weighting == HANSE_WEIGHTS_FIXED)
        fault = "evaluate: fixed weights need a 'weight' of each indicator";
    else
        fault = find_useless(w);
    if (fault != NULL)
        return hanse_yaml_fail(r->error, r->path, node->start_mark, "%s",
                               fault);
    if (!w->has_weighting)
        spec->weighting = any ? HANSE_WEIGHTS_FIXED : HANSE_WEIGHTS_EQUAL;
    double sum = 0.0;
    for (size_t j = 0; j < spec->n_indicators; j++)
        sum += spec->indicators[j].weight;
    if (spec->weighting == HANSE_WEIGHTS_FIXED &&
        !(sum > 0.0 && sum <= DBL_MAX))
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               sum > 0.0 ? "evaluate: the weights are too large"
                                         : "evaluate: all weights are 0");
    return HANSE_OK;
}

/* Whether one of the words stands among the keys. */
static bool is_long(const hanse_job_reader *r, const yaml_node_t *node)
{
    for (size_t i = 0; i < HANSE_COUNT(words); i++)
        if (hanse_node_has_key(r, node, words[i]))
            return true;
    return false;
}

hanse_status hanse_job_read_evaluate(hanse_job_reader *r,
                                     const yaml_node_t *node,
                                     hanse_evaluate_spec *spec,
                                     bool *normalised)
{
    hanse_evaluate_reading w = {.spec = spec, .normalised = normalised};
    if (node->type != YAML_MAPPING_NODE)
        return hanse_yaml_fail(r->error, r->path, node->start_mark,
                               "evaluate: give weights of indicators, "
                               "{labour: 0.4, technology: 0.6}, or "
                               "'indicators'");
    HANSE_TRY(hanse_node_pairs(r, node, "evaluate",
                               is_long(r, node) ? read_word : read_weight, &w));
    return hanse_job_check_evaluate(r, node, &w);
}
