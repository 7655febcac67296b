/* SPDX-License-Identifier: Apache-2.0
 *
 * Coordination of a table's strategies inside groups: one pass finds four sums
 * of each group, and a column does the rest.
 */
#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/models/cooperation_steps.h"
#include "engine/models/status.h"
#include "engine/spec.h"

#define STRATEGY     HANSE_COOPERATION_STRATEGY
#define INDEPENDENCE HANSE_COOPERATION_INDEPENDENCE
#define PRODUCT      "cooperation: product"

/* ---- Who takes part ----------------------------------------------------- */

/* The strategy, NaN where the filter (if there is one) leaves the row out. */
static void fill_strategy(const void *context, const hanse_rows *rows,
                          double *const *out)
{
    const bool *has_filter = context;
    for (size_t i = 0; i < rows->n; i++) {
        const bool is_kept = !*has_filter || rows->numbers[1][i] > 0.0;
        out[0][i] = is_kept ? rows->numbers[0][i] : (double)NAN;
    }
}

/* Its condition as a number is the set's second formula. */
static hanse_status add_strategy(hanse_model_run *run, const char *strategy,
                                 const char *what, hanse_error *error)
{
    static const bool yes = true, no = false;
    static const char *const names[] = {STRATEGY};
    char *condition = NULL;
    HANSE_TRY(hanse_model_filter_number(run, &condition, error));
    const char *const formulas[] = {strategy, condition};
    const hanse_column_set set = {.names = names,
                                  .n_columns = 1,
                                  .formulas = formulas,
                                  .n_formulas = condition != NULL ? 2 : 1,
                                  .what = what,
                                  .fill = fill_strategy,
                                  .context = condition != NULL ? &yes : &no};
    const hanse_status status = hanse_columns_add(run->columns, &set, error);
    free(condition);
    return status;
}

/* s where there is a strategy and s is in [0, 1], and s p. */
static void fill_independence(const void *context, const hanse_rows *rows,
                              double *const *out)
{
    const hanse_coordinate_spec *spec = context;
    for (size_t i = 0; i < rows->n; i++) {
        const double p = rows->numbers[0][i];
        const double given = rows->numbers[1][i];
        double s = spec->is_open ? 1.0 - given : given;
        if (isnan(p) || !(given >= 0.0 && given <= 1.0))
            s = (double)NAN;
        out[0][i] = s;
        out[1][i] = s * p;
    }
}

static hanse_status add_independence(const hanse_coordinate_spec *spec,
                                     hanse_model_run *run, hanse_error *error)
{
    static const char *const names[] = {INDEPENDENCE, PRODUCT};
    const char *const formulas[] = {"`" STRATEGY "`", spec->independence};
    const hanse_column_set set = {.names = names,
                                  .n_columns = 2,
                                  .formulas = formulas,
                                  .n_formulas = 2,
                                  .what = spec->is_open ? "step 'openness'"
                                                        : "step 'independence'",
                                  .fill = fill_independence,
                                  .context = spec};
    return hanse_columns_add(run->columns, &set, error);
}

/* ---- Groups ------------------------------------------------------------- */

/* What the columns of all groups need; kept by the run. */
typedef struct mixings {
    hanse_budget *budget;
    size_t n;
    hanse_mixing *items; /* [group] */
} mixings;

static void destroy_mixings(void *object)
{
    mixings *all = object;
    if (all == NULL)
        return;
    hanse_free(all->budget, all->items, all->n, sizeof *all->items);
    free(all);
}

static hanse_status create_mixings(hanse_model_run *run, size_t n,
                                   mixings **out, hanse_error *error)
{
    mixings *all = calloc(1, sizeof *all);
    if (all == NULL)
        return hanse_fail_nomem(error, "groups", sizeof *all);
    all->budget = run->source->budget;
    all->n = n;
    all->items = hanse_allocate(all->budget, n, sizeof *all->items);
    if (all->items == NULL) {
        free(all);
        return hanse_fail_budget(error, run->source->budget, "groups", n,
                                 sizeof *all->items);
    }
    HANSE_TRY(hanse_model_keep(run, all, destroy_mixings, error));
    *out = all;
    return HANSE_OK;
}

/* Why a row has no value: it takes no part, its independence does not do, or
 * what its group has to say. */
static hanse_model_status reason_of(double strategy, double independence,
                                    const hanse_mixing *mixing)
{
    if (isnan(strategy) || mixing == NULL)
        return HANSE_MODEL_EMPTY;
    if (isnan(independence))
        return HANSE_MODEL_INFEASIBLE;
    return (hanse_model_status)mixing->status;
}

static void fill_values(const void *context, const hanse_rows *rows,
                        double *const *out)
{
    const mixings *all = context;
    for (size_t i = 0; i < rows->n; i++) {
        const uint32_t group = rows->groups[0][i];
        const hanse_mixing *mixing =
            group != HANSE_NO_GROUP ? &all->items[group] : NULL;
        const double p = rows->numbers[0][i];
        const double s = rows->numbers[1][i];
        hanse_model_status code = reason_of(p, s, mixing);
        double value = (double)NAN;
        if (code == HANSE_MODEL_OK) {
            value = hanse_mixing_value(mixing, p, s);
            if (!isfinite(value)) {
                value = (double)NAN;
                code = HANSE_MODEL_NOT_FINITE;
            }
        }
        out[0][i] = value;
        out[1][i] = (double)code;
    }
}

static hanse_status add_values(hanse_model_run *run, const mixings *all,
                               const hanse_groups *groups, hanse_error *error)
{
    static const char *const names[] = {HANSE_COOPERATION_VALUE,
                                        HANSE_COOPERATION_CODE};
    static const char *const formulas[] = {"`" STRATEGY "`",
                                           "`" INDEPENDENCE "`"};
    const hanse_column_set set = {.names = names,
                                  .n_columns = 2,
                                  .formulas = formulas,
                                  .n_formulas = 2,
                                  .what = "coordinate",
                                  .groups = &groups,
                                  .n_groups = 1,
                                  .fill = fill_values,
                                  .context = all};
    return hanse_columns_add(run->columns, &set, error);
}

/* Adding 0 s leaves out strategies whose independence does not do. */
static hanse_status coordinate_within(const hanse_cooperation_spec *whole,
                                      hanse_model_run *run, hanse_error *error)
{
    static const hanse_model_measure measures[] = {
        {"strategy", "`" STRATEGY "` + 0 * `" INDEPENDENCE "`"},
        {"independence", "`" INDEPENDENCE "`"},
        {"product", "`" PRODUCT "`"},
    };
    const char *const *keys = (const char *const *)whole->within;
    size_t n_keys = whole->n_within;
    hanse_groups *groups;
    hanse_result *result;
    mixings *all = NULL;
    const hanse_coordinate_spec *spec = &whole->coordinate;
    hanse_model_within(run, &keys, &n_keys);
    HANSE_TRY(hanse_model_pass(run, keys, n_keys, measures, 3,
                               HANSE_STAT_TOTAL | HANSE_STAT_COUNT, &groups,
                               &result, error));
    const hanse_table *table = hanse_result_table(result, 0);
    const hanse_status status = create_mixings(run, table->n_rows, &all, error);
    for (size_t g = 0; status == HANSE_OK && g < table->n_rows; g++) {
        const hanse_mixing_sums sums = {
            (uint64_t)hanse_table_number(table, "strategy", "count", g),
            hanse_table_number(table, "strategy", "total", g),
            hanse_table_number(table, "independence", "total", g),
            hanse_table_number(table, "product", "total", g)};
        all->items[g] = hanse_mixing_of(&sums, spec->rounds, spec->preserve);
    }
    hanse_result_destroy(result);
    return status == HANSE_OK ? add_values(run, all, groups, error) : status;
}

hanse_status hanse_cooperation_coordinate(const hanse_cooperation_spec *spec,
                                          hanse_model_run *run,
                                          const char *strategy,
                                          const char *what, hanse_error *error)
{
    const hanse_coordinate_spec *coordinate = &spec->coordinate;
    HANSE_TRY(add_strategy(run, strategy, what, error));
    HANSE_TRY(add_independence(coordinate, run, error));
    if (coordinate->along_links)
        return hanse_cooperation_coordinate_links(spec, run, error);
    return coordinate_within(spec, run, error);
}
