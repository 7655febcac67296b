/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of the cooperation model, in order.
 */
#include "engine/models/cooperation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/models/cooperation_steps.h"
#include "engine/models/term_sum.h"
#include "engine/spec.h"

#define CONVENTIONAL "strategy" /* column */

#define NAME_SIZE HANSE_COOPERATION_NAME

/* ---- Specification ------------------------------------------------------ */

hanse_status hanse_cooperation_spec_create(hanse_cooperation_spec **out,
                                           hanse_error *error)
{
    hanse_cooperation_spec *spec = calloc(1, sizeof *spec);
    if (spec == NULL)
        return hanse_fail_nomem(error, "cooperation", sizeof *spec);
    hanse_evaluate_spec_init(&spec->score);
    spec->coordinate.rounds = 1;
    spec->coordinate.tolerance = HANSE_COORDINATE_TOLERANCE;
    spec->coordinate.max_rounds = HANSE_COORDINATE_MAX_ROUNDS;
    spec->coordinate.links.without_weights = true;
    spec->couplings = (1u << HANSE_COUPLING_COUNT) - 1;
    spec->n_within = SIZE_MAX;
    *out = spec;
    return HANSE_OK;
}

void hanse_cooperation_spec_destroy(hanse_cooperation_spec *spec)
{
    if (spec == NULL)
        return;
    hanse_evaluate_spec_clear(&spec->score);
    for (size_t k = 0; k < spec->n_subsystems; k++) {
        free(spec->subsystems[k].name);
        hanse_evaluate_spec_clear(&spec->subsystems[k].evaluate);
    }
    free(spec->subsystems);
    free(spec->coordinate.independence);
    hanse_link_spec_clear(&spec->coordinate.links);
    for (size_t i = 0; spec->n_within != SIZE_MAX && i < spec->n_within; i++)
        free(spec->within[i]);
    free(spec->within);
    free(spec->size);
    free(spec->periods.column);
    free(spec->periods.from);
    free(spec->periods.to);
    free(spec);
}

hanse_status hanse_cooperation_spec_add(hanse_cooperation_spec *spec,
                                        char *name, hanse_subsystem_spec **out,
                                        hanse_error *error)
{
    hanse_subsystem_spec *larger =
        realloc(spec->subsystems, (spec->n_subsystems + 1) * sizeof *larger);
    if (larger == NULL) {
        free(name);
        return hanse_fail_nomem(error, "subsystems", sizeof *larger);
    }
    spec->subsystems = larger;
    *out = &larger[spec->n_subsystems++];
    **out = (hanse_subsystem_spec){.name = name, .weight = 1.0};
    hanse_evaluate_spec_init(&(*out)->evaluate);
    return spec->n_subsystems <= HANSE_SUBSYSTEMS_MAX
               ? HANSE_OK
               : hanse_fail(error, HANSE_ERR_SPEC,
                            "cooperation: more than %d subsystems",
                            HANSE_SUBSYSTEMS_MAX);
}

/* ---- P1: evaluate ------------------------------------------------------- */

void hanse_cooperation_level_column(const hanse_cooperation_spec *spec,
                                    size_t subsystem, char *name,
                                    size_t size_bytes)
{
    (void)snprintf(name, size_bytes, "cooperation: level of %s",
                   spec->subsystems[subsystem].name);
}

hanse_evaluation
hanse_cooperation_evaluation_of(const hanse_cooperation_spec *spec,
                                const hanse_model_run *run, size_t k,
                                hanse_evaluation_names *names)
{
    const bool is_score = k == SIZE_MAX;
    if (is_score) {
        (void)snprintf(names->prefix, sizeof names->prefix,
                       "cooperation_score");
        (void)snprintf(names->score, sizeof names->score,
                       HANSE_COOPERATION_SCORE);
    } else {
        (void)snprintf(names->prefix, sizeof names->prefix,
                       "cooperation_subsystem%zu", k + 1);
        hanse_cooperation_level_column(spec, k, names->score,
                                       sizeof names->score);
    }
    (void)snprintf(names->code, sizeof names->code, "%s: status", names->score);
    hanse_evaluation evaluation = {
        .spec = is_score ? &spec->score : &spec->subsystems[k].evaluate,
        .prefix = names->prefix,
        .score = names->score,
        .status = names->code,
        .keys = (const char *const *)spec->within,
        .n_keys = spec->n_within};
    hanse_model_within(run, &evaluation.keys, &evaluation.n_keys);
    return evaluation;
}

static hanse_status add_record(hanse_model_run *run, const char *name,
                               const char *column, const char *long_name,
                               bool is_status, hanse_error *error)
{
    const hanse_record_column record = {.name = (char *)(uintptr_t)name,
                                        .column = (char *)(uintptr_t)column,
                                        .long_name =
                                            (char *)(uintptr_t)long_name,
                                        .is_status = is_status};
    return hanse_model_add_record(run, &record, error);
}

/* A value of the records and its status. */
static hanse_status add_records(hanse_model_run *run, const char *name,
                                const char *long_name, const char *column,
                                const char *code, hanse_error *error)
{
    char status_name[NAME_SIZE + 8];
    HANSE_TRY(add_record(run, name, column, long_name, false, error));
    (void)snprintf(status_name, sizeof status_name, "%s_status", name);
    return add_record(run, status_name, code, "why the value is not defined",
                      true, error);
}

static hanse_status evaluate(const hanse_cooperation_spec *spec,
                             hanse_model_run *run, size_t k, const char *name,
                             const char *long_name, hanse_error *error)
{
    hanse_evaluation_names names;
    const hanse_evaluation evaluation =
        hanse_cooperation_evaluation_of(spec, run, k, &names);
    HANSE_TRY(hanse_evaluate(run, &evaluation, error));
    return add_records(run, name, long_name, names.score, names.code, error);
}

void hanse_cooperation_level_record(const hanse_cooperation_spec *spec,
                                    size_t subsystem, char *name,
                                    size_t size_bytes)
{
    (void)snprintf(name, size_bytes, "subsystem_%s",
                   spec->subsystems[subsystem].name);
}

/* U_ik of all subsystems, as columns and for the records. */
static hanse_status evaluate_subsystems(const hanse_cooperation_spec *spec,
                                        hanse_model_run *run,
                                        hanse_error *error)
{
    for (size_t k = 0; k < spec->n_subsystems; k++) {
        char name[NAME_SIZE], long_name[NAME_SIZE];
        const char *subsystem = spec->subsystems[k].name;
        hanse_cooperation_level_record(spec, k, name, sizeof name);
        (void)snprintf(long_name, sizeof long_name, "level of the subsystem %s",
                       subsystem);
        HANSE_TRY(evaluate(spec, run, k, name, long_name, error));
    }
    return HANSE_OK;
}

/* Weights of the subsystems, and their sum. */
typedef struct level_weights {
    double weights[HANSE_SUBSYSTEMS_MAX];
    double total;
    size_t n;
} level_weights;

/* sum a_k U_ik / sum a_k. */
static void fill_sum(const void *context, const hanse_rows *rows,
                     double *const *out)
{
    const level_weights *w = context;
    for (size_t i = 0; i < rows->n; i++) {
        double levels[HANSE_SUBSYSTEMS_MAX];
        for (size_t k = 0; k < w->n; k++)
            levels[k] = rows->numbers[k][i];
        out[0][i] = hanse_sparse_dot(w->weights, levels, NULL, w->n) / w->total;
    }
}

static hanse_status add_sum(const hanse_cooperation_spec *spec,
                            hanse_model_run *run, hanse_error *error)
{
    static const char *const names[] = {HANSE_COOPERATION_SCORE};
    char texts[HANSE_SUBSYSTEMS_MAX][NAME_SIZE + 2];
    const char *formulas[HANSE_SUBSYSTEMS_MAX];
    level_weights *w = calloc(1, sizeof *w);
    if (w == NULL)
        return hanse_fail_nomem(error, "subsystems", sizeof *w);
    HANSE_TRY(hanse_model_keep(run, w, free, error));
    w->n = spec->n_subsystems;
    for (size_t k = 0; k < w->n; k++) {
        char column[NAME_SIZE];
        hanse_cooperation_level_column(spec, k, column, sizeof column);
        (void)snprintf(texts[k], sizeof texts[k], "`%s`", column);
        formulas[k] = texts[k];
        w->weights[k] = spec->subsystems[k].weight;
    }
    w->total = hanse_sparse_dot(NULL, w->weights, NULL, w->n);
    const hanse_column_set set = {.names = names,
                                  .n_columns = 1,
                                  .formulas = formulas,
                                  .n_formulas = w->n,
                                  .what = "evaluate",
                                  .fill = fill_sum,
                                  .context = w};
    return hanse_columns_add(run->columns, &set, error);
}

const char *hanse_cooperation_formula(const hanse_model_run *run)
{
    for (size_t m = 0; m < run->spec->n_measures; m++)
        if (strcmp(run->spec->measures[m].name, "cooperation") == 0)
            return run->spec->measures[m].formula;
    return CONVENTIONAL;
}

bool hanse_cooperation_is_given(const hanse_cooperation_spec *spec,
                                const hanse_model_run *run)
{
    return spec->has_formula ||
           strcmp(hanse_cooperation_formula(run), CONVENTIONAL) != 0 ||
           (spec->score.n_indicators == 0 && spec->n_subsystems == 0);
}

/* The strategy as a formula over the run's columns. */
static hanse_status find_strategy(const hanse_cooperation_spec *spec,
                                  hanse_model_run *run, const char **formula,
                                  hanse_error *error)
{
    HANSE_TRY(evaluate_subsystems(spec, run, error));
    *formula = hanse_cooperation_formula(run);
    if (hanse_cooperation_is_given(spec, run))
        return HANSE_OK;
    *formula = "`" HANSE_COOPERATION_SCORE "`";
    if (spec->score.n_indicators > 0)
        return evaluate(spec, run, SIZE_MAX, HANSE_STRATEGY_RECORD,
                        "score of the strategy", error);
    return add_sum(spec, run, error);
}

/* ---- All of it ---------------------------------------------------------- */

hanse_status hanse_cooperation_run(const hanse_cooperation_spec *spec,
                                   hanse_model_run *run, hanse_error *error)
{
    const char *strategy;
    HANSE_TRY(find_strategy(spec, run, &strategy, error));
    if (spec->coordinate.independence != NULL) {
        HANSE_TRY(hanse_cooperation_coordinate(
            spec, run, strategy, HANSE_COOPERATION_MEASURE, error));
        strategy = "`" HANSE_COOPERATION_VALUE "`";
        HANSE_TRY(add_records(
            run, HANSE_COORDINATED_RECORD, "strategy after coordination",
            HANSE_COOPERATION_VALUE, HANSE_COOPERATION_CODE, error));
    }
    HANSE_TRY(
        hanse_model_set_measure(run, HANSE_MODEL_COOPERATION, strategy, error));
    HANSE_TRY(hanse_cooperation_add_status(spec, run, error));
    if (spec->n_subsystems > 0)
        HANSE_TRY(hanse_cooperation_couple(spec, run, error));
    if (spec->periods.column != NULL)
        HANSE_TRY(hanse_cooperation_synergise(spec, run, error));
    return HANSE_OK;
}
