/* SPDX-License-Identifier: Apache-2.0
 *
 * The passes of an allocation.
 */
#include "engine/models/allocate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/models/allocate_internal.h"
#include "engine/spec.h"

void hanse_allocate_spec_clear(hanse_allocate_spec *spec)
{
    free(spec->claim);
    free(spec->pool);
    *spec = (hanse_allocate_spec){0};
}

const char *const *hanse_allocation_columns(void)
{
    static const char *const names[] = {
        "resource_claim",      "resource_part",
        "resource_allocation", "resource_integrated",
        "resource_kept",       "resource_allocation_status",
        "resource_group",      NULL};
    return names;
}

/* ---- Memory ------------------------------------------------------------- */

static void destroy_allocation(void *object)
{
    hanse_allocation *a = object;
    hanse_free(a->budget, a->terms, a->n_groups, sizeof *a->terms);
    hanse_free(a->budget, a->pools, a->n_groups, sizeof *a->pools);
    hanse_free(a->budget, a->shared, a->n_groups, sizeof *a->shared);
    hanse_free(a->budget, a->reserves, a->n_groups, sizeof *a->reserves);
    hanse_free(a->budget, a->before, a->n_groups, sizeof *a->before);
    hanse_free(a->budget, a->status, a->n_groups, sizeof *a->status);
    hanse_free(a->budget, a->awards, a->n_rows, sizeof *a->awards);
    hanse_free(a->budget, a->changes, a->n_changes, sizeof *a->changes);
    hanse_result_destroy(a->result);
    hanse_result_destroy(a->undefined);
    free(a);
}

static hanse_status allocate_groups(hanse_allocation *a, hanse_error *error)
{
    const size_t n = a->n_groups;
    a->terms = hanse_allocate(a->budget, n, sizeof *a->terms);
    a->pools = hanse_allocate(a->budget, n, sizeof *a->pools);
    a->shared = hanse_allocate(a->budget, n, sizeof *a->shared);
    a->reserves = hanse_allocate(a->budget, n, sizeof *a->reserves);
    a->before = hanse_allocate(a->budget, n, sizeof *a->before);
    a->status = hanse_allocate(a->budget, n, sizeof *a->status);
    if (a->terms == NULL || a->pools == NULL || a->shared == NULL ||
        a->reserves == NULL || a->before == NULL || a->status == NULL)
        return hanse_fail_budget(error, a->budget, "pools of groups", n,
                                 sizeof *a->terms + 4 * sizeof *a->pools);
    return HANSE_OK;
}

/* ---- Pools -------------------------------------------------------------- */

/* Measures of the first pass. */
enum {
    CLAIM,
    RESOURCE, /* of the rows that take part */
    ALL,      /* r_i of all rows */
    POOL,
    N_MEASURES
};
static const char *const measure_names[N_MEASURES] = {
    "resource_claim", "resource_part", "resource_all", "resource_pool"};

typedef struct steps {
    hanse_model_run *run;
    const hanse_allocation_request *request;
    hanse_allocation *a;
    hanse_groups *groups;
    const char *name[N_MEASURES]; /* of the measure that has the values */
} steps;

static hanse_status first_pass(steps *s, hanse_error *error)
{
    const hanse_allocation_request *q = s->request;
    hanse_allocation *a = s->a;
    hanse_model_measure measures[N_MEASURES];
    size_t n = 0;
    uint32_t statistics = HANSE_STAT_COUNT | HANSE_STAT_TOTAL | HANSE_STAT_MIN;
    if (a->has_claim) {
        const char *const formulas[] = {q->claim, q->resource};
        const hanse_column_set set = {.names = measure_names,
                                      .n_columns = 2,
                                      .formulas = formulas,
                                      .n_formulas = 2,
                                      .what = "step 'allocate'",
                                      .fill = hanse_fill_taking_part};
        HANSE_TRY(hanse_columns_add(s->run->columns, &set, error));
        for (size_t m = CLAIM; m <= RESOURCE; m++)
            measures[n++] =
                (hanse_model_measure){measure_names[m], measure_names[m]};
    }
    measures[n++] = (hanse_model_measure){measure_names[ALL], q->resource};
    for (size_t m = 0; m < N_MEASURES; m++)
        s->name[m] = a->has_claim ? measure_names[m] : measure_names[ALL];
    s->name[ALL] = measure_names[ALL];
    if (q->spec->pool != NULL) {
        s->name[POOL] = measure_names[POOL];
        measures[n++] =
            (hanse_model_measure){measure_names[POOL], q->spec->pool};
        statistics |= HANSE_STAT_MAX;
    }
    HANSE_TRY(hanse_model_pass(s->run, q->keys, q->n_keys, measures, n,
                               statistics, &s->groups, &a->result, error));
    hanse_groups_remember(s->groups);
    a->table = hanse_result_table(a->result, 0);
    a->n_groups = a->table->n_rows;
    if (a->n_groups > INT32_MAX)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "allocate: %zu groups are more than %d; allocate "
                          "within fewer keys",
                          a->n_groups, INT32_MAX);
    return allocate_groups(a, error);
}

static void take_outcome(hanse_allocation *a, size_t group,
                         const hanse_claims_outcome *outcome)
{
    a->terms[group] = outcome->terms;
    a->shared[group] = outcome->shared;
    a->reserves[group] = outcome->reserve;
    a->status[group] = (int8_t)outcome->status;
}

/* Where the pool or the resources make the group undefined. */
static void refuse(hanse_allocation *a, size_t group, hanse_model_status status)
{
    a->terms[group] = (hanse_award_terms){0.0, 1.0, 1.0, (double)NAN};
    a->shared[group] = (double)NAN;
    a->reserves[group] = 0.0;
    a->status[group] = (int8_t)status;
}

/* Pools, and the awards of the rules that need only sums. */
static void set_pools(steps *s)
{
    hanse_allocation *a = s->a;
    const hanse_table *t = a->table;
    for (size_t g = 0; g < a->n_groups; g++) {
        const hanse_claims_sums of_resources = {
            .n = (uint64_t)hanse_table_number(t, s->name[RESOURCE], "count", g),
            .total = hanse_table_number(t, s->name[RESOURCE], "total", g),
            .least = hanse_table_number(t, s->name[RESOURCE], "min", g)};
        const double total = of_resources.n == 0 ? 0.0 : of_resources.total;
        a->pools[g] = a->is_given
                          ? hanse_table_number(t, s->name[POOL], "min", g)
                          : s->request->spec->rho * total;
        a->before[g] = hanse_table_number(t, s->name[ALL], "total", g);
        const hanse_claims_sums sums = {
            .n = of_resources.n,
            .total = hanse_table_number(t, s->name[CLAIM], "total", g),
            .least = hanse_table_number(t, s->name[CLAIM], "min", g),
            .pool = a->pools[g]};
        hanse_claims_outcome outcome;
        hanse_claims_outcome_of_sums(a->rule, &sums, &outcome);
        take_outcome(a, g, &outcome);
    }
}

/* After the awards: negative or endless resources, several pools. Resources
 * are no part of the costs that shapley shares. */
static void check_pools(steps *s)
{
    hanse_allocation *a = s->a;
    const hanse_table *t = a->table;
    for (size_t g = 0; g < a->n_groups; g++) {
        const double n = hanse_table_number(t, s->name[RESOURCE], "count", g);
        if (a->is_given && hanse_table_number(t, s->name[POOL], "max", g) !=
                               hanse_table_number(t, s->name[POOL], "min", g))
            refuse(a, g, HANSE_MODEL_INFEASIBLE);
        else if (n > 0 && hanse_adds_awards(a) &&
                 hanse_table_number(t, s->name[RESOURCE], "min", g) < 0.0)
            refuse(a, g, HANSE_MODEL_NEGATIVE);
        else if (!isfinite(a->before[g]))
            refuse(a, g, HANSE_MODEL_NOT_FINITE);
        const double most =
            a->keep * hanse_table_number(t, s->name[RESOURCE], "total", g) +
            a->pools[g];
        if (hanse_is_allocated(a, g) && most > a->most_integrated)
            a->most_integrated = most;
        a->any_status = a->any_status || a->status[g] != HANSE_MODEL_OK;
        a->any_undefined = a->any_undefined || !hanse_is_allocated(a, g);
    }
}

/* ---- Claims of all rows ------------------------------------------------- */

/* Arrays over all rows, while awards are found. */
typedef struct row_arrays {
    double *claims;
    uint32_t *groups;
    uint64_t *ids; /* NULL: numbers of rows */
    double *awards;
    hanse_claims_outcome *outcomes; /* [group] */
} row_arrays;

static hanse_status collect_rows(steps *s, row_arrays *r, hanse_error *error)
{
    hanse_model_run *run = s->run;
    hanse_budget *budget = s->a->budget;
    const uint64_t n = s->a->n_rows;
    const bool needs_ids = s->a->rule == HANSE_RULE_LARGEST_REMAINDER &&
                           hanse_allocate_id_kind(run) != HANSE_ID_NONE;
    r->claims = hanse_allocate(budget, n, sizeof *r->claims);
    r->groups = hanse_allocate(budget, n, sizeof *r->groups);
    r->outcomes = hanse_allocate(budget, s->a->n_groups, sizeof *r->outcomes);
    if (needs_ids)
        r->ids = hanse_allocate(budget, n, sizeof *r->ids);
    if (hanse_is_ranking(s->a->rule))
        r->awards = hanse_allocate(budget, n, sizeof *r->awards);
    if (r->claims == NULL || r->groups == NULL || r->outcomes == NULL ||
        (needs_ids && r->ids == NULL) ||
        (hanse_is_ranking(s->a->rule) && r->awards == NULL))
        return hanse_fail_budget(error, budget, "claims of all rows", n,
                                 sizeof *r->claims + sizeof *r->groups);
    if (needs_ids) /* r->groups as room for the numbers */
        HANSE_TRY(hanse_allocate_ids(run, r->ids, r->groups, error));
    const char *const claim = s->name[CLAIM] == measure_names[CLAIM]
                                  ? measure_names[CLAIM]
                                  : s->request->resource;
    HANSE_TRY(hanse_columns_collect(run->columns, &claim, 1, "step 'allocate'",
                                    run->options, &r->claims, error));
    return hanse_groups_collect(s->groups, run->options, r->groups, error);
}

static hanse_status award_rows(steps *s, row_arrays *r, hanse_error *error)
{
    hanse_allocation *a = s->a;
    HANSE_TRY(collect_rows(s, r, error));
    const hanse_claims_table table = {.rule = a->rule,
                                      .n_rows = a->n_rows,
                                      .groups = r->groups,
                                      .claims = r->claims,
                                      .ids = r->ids,
                                      .n_groups = a->n_groups,
                                      .pools = a->pools,
                                      .n_threads = s->run->n_threads,
                                      .budget = a->budget};
    HANSE_TRY(hanse_claims_award_all(&table, r->awards, r->outcomes, error));
    for (size_t g = 0; g < a->n_groups; g++)
        take_outcome(a, g, &r->outcomes[g]);
    a->awards = r->awards;
    r->awards = NULL;
    return HANSE_OK;
}

static hanse_status find_awards(steps *s, hanse_error *error)
{
    hanse_allocation *a = s->a;
    row_arrays r = {0};
    set_pools(s);
    if (a->rule == HANSE_RULE_EQUAL || a->rule == HANSE_RULE_PROPORTIONAL)
        return HANSE_OK;
    const hanse_status status = award_rows(s, &r, error);
    hanse_free(a->budget, r.claims, a->n_rows, sizeof *r.claims);
    hanse_free(a->budget, r.groups, a->n_rows, sizeof *r.groups);
    hanse_free(a->budget, r.ids, a->n_rows, sizeof *r.ids);
    hanse_free(a->budget, r.awards, a->n_rows, sizeof *r.awards);
    hanse_free(a->budget, r.outcomes, a->n_groups, sizeof *r.outcomes);
    return status;
}

/* ---- The steps ---------------------------------------------------------- */

static hanse_status add_columns(steps *s, hanse_error *error)
{
    const hanse_allocation_request *q = s->request;
    const hanse_groups *groups = s->groups;
    const char *const both[] = {q->claim, q->resource};
    const hanse_column_set set = {.names = hanse_allocate_columns,
                                  .n_columns = HANSE_ALLOCATE_COLUMNS,
                                  .formulas =
                                      s->a->has_claim ? both : &q->resource,
                                  .n_formulas = s->a->has_claim ? 2 : 1,
                                  .what = "step 'allocate'",
                                  .groups = &groups,
                                  .n_groups = 1,
                                  .fill = hanse_fill_allocation,
                                  .context = s->a};
    return hanse_columns_add(s->run->columns, &set, error);
}

static hanse_status add_records(hanse_model_run *run, const char *units,
                                hanse_error *error)
{
    const hanse_record_column award = {
        .name = HANSE_ALLOCATION_RECORD,
        .column =
            (char *)(uintptr_t)hanse_allocate_columns[HANSE_ALLOCATE_AWARD],
        .long_name = "award of the allocation",
        .units = (char *)(uintptr_t)units};
    const hanse_record_column status = {
        .name = HANSE_ALLOCATION_STATUS_RECORD,
        .column =
            (char *)(uintptr_t)hanse_allocate_columns[HANSE_ALLOCATE_STATUS],
        .long_name = "why the award is not defined",
        .is_status = true};
    HANSE_TRY(hanse_model_add_record(run, &award, error));
    return hanse_model_add_record(run, &status, error);
}

static bool has_own_claim(const hanse_allocation_request *request)
{
    return request->claim != NULL && request->spec->rule != HANSE_RULE_EQUAL &&
           strcmp(request->claim, request->resource) != 0;
}

hanse_status hanse_allocation_run(hanse_model_run *run,
                                  const hanse_allocation_request *request,
                                  hanse_error *error)
{
    const hanse_allocate_spec *spec = request->spec;
    const char *units;
    hanse_allocation *a = calloc(1, sizeof *a);
    if (a == NULL)
        return hanse_fail_nomem(error, "allocation", sizeof *a);
    a->rule = spec->rule;
    a->is_given = spec->pool != NULL;
    a->keep = a->is_given ? 1.0 : 1.0 - spec->rho;
    a->has_claim = has_own_claim(request);
    a->n_rows = run->n_rows;
    a->budget = run->source->budget;
    HANSE_TRY(hanse_model_keep(run, a, destroy_allocation, error));
    steps s = {.run = run, .request = request, .a = a};
    HANSE_TRY(first_pass(&s, error));
    HANSE_TRY(find_awards(&s, error));
    check_pools(&s);
    HANSE_TRY(add_columns(&s, error));
    HANSE_TRY(hanse_allocate_fix(run, a, request, error));
    HANSE_TRY(hanse_model_units(run, request->resource, "measure 'resource'",
                                &units, error));
    hanse_columns_set_units(
        run->columns, hanse_allocate_columns[HANSE_ALLOCATE_INTEGRATED], units);
    HANSE_TRY(add_records(run, units, error));
    HANSE_TRY(hanse_allocate_add_tables(run, a, request->resource, error));
    return hanse_model_set_measure(
        run, HANSE_MODEL_RESOURCE,
        hanse_allocate_columns[HANSE_ALLOCATE_INTEGRATED], error);
}

enum {
    /* That a pass by id keeps for a text of 8 bytes: measured. */
    TEXT_ID_BYTES = 140
};

/* ---- Explaining --------------------------------------------------------- */

/* "r, c, key" of r_i, claim, pool and keys; from malloc. */
static char *list_reads(const hanse_allocation_request *q)
{
    const char **texts = calloc(3 + q->n_keys, sizeof *texts);
    size_t n = 0;
    if (texts == NULL)
        return NULL;
    texts[n++] = q->resource;
    if (has_own_claim(q))
        texts[n++] = q->claim;
    if (q->spec->pool != NULL)
        texts[n++] = q->spec->pool;
    for (size_t k = 0; k < q->n_keys; k++)
        texts[n++] = q->keys[k];
    char *list = hanse_text_join(texts, n, ", ");
    free(texts);
    return list;
}

/* Claims and group numbers of all rows, claims in the order of groups; of rules
 * that rank members, awards and ids, too. */
static hanse_status explain_rows(const hanse_model_run *run,
                                 hanse_claims_rule rule, const char *reads,
                                 hanse_pass_notes *notes, hanse_error *error)
{
    const char *const step = "resource: allocate";
    const bool has_ids = rule == HANSE_RULE_LARGEST_REMAINDER &&
                         hanse_allocate_id_kind(run) != HANSE_ID_NONE;
    uint64_t row_bytes = 2 * sizeof(double) + sizeof(uint32_t);
    char text[160];
    if (hanse_is_ranking(rule))
        row_bytes =
            2 * sizeof(double) + sizeof(uint32_t) + sizeof(hanse_claimant);
    if (has_ids)
        HANSE_TRY(hanse_pass_notes_add(
            notes, step,
            run->spec->id != NULL ? run->spec->id : "enterprise_id",
            "the order of the ids, which decides ties", NULL,
            run->n_rows * (sizeof(uint64_t) +
                           (hanse_allocate_id_kind(run) == HANSE_ID_TEXT
                                ? (uint64_t)TEXT_ID_BYTES
                                : 0)),
            error));
    (void)snprintf(text, sizeof text, "claims of all rows, awards by rule %s",
                   hanse_claims_rule_name(rule));
    return hanse_pass_notes_add(notes, step, reads, text, NULL,
                                run->n_rows * row_bytes, error);
}

hanse_status hanse_allocation_explain(const hanse_model_run *run,
                                      const hanse_allocation_request *request,
                                      hanse_pass_notes *notes,
                                      hanse_error *error)
{
    const char *const step = "resource: allocate";
    const hanse_claims_rule rule = request->spec->rule;
    const bool is_streaming =
        rule == HANSE_RULE_EQUAL || rule == HANSE_RULE_PROPORTIONAL;
    char text[160];
    char *reads = list_reads(request);
    if (reads == NULL)
        return hanse_fail_nomem(error, "allocation", 1);
    hanse_status status = hanse_pass_notes_add(
        notes, step, reads, "pools and claims of the groups", NULL, 0, error);
    if (status == HANSE_OK && !is_streaming)
        status = explain_rows(run, rule, reads, notes, error);
    (void)snprintf(text, sizeof text,
                   "sums of awards by rule %s, and what they miss",
                   hanse_claims_rule_name(rule));
    if (status == HANSE_OK)
        status = hanse_pass_notes_add(notes, step, reads, text, "allocation", 0,
                                      error);
    free(reads);
    return status;
}
