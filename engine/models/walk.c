/* SPDX-License-Identifier: Apache-2.0
 *
 * Walk sums, step by step. What steps of all rows are asked about (the largest
 * change, whether all is finite) does not depend on the order of rows.
 */
#include "engine/models/walk.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "engine/parallel.h"

enum {
    TASK_ROWS = 1 << 15
};

typedef struct walk {
    const hanse_walk *how;
    const hanse_network *network;
    const hanse_walk_spec *spec;
    size_t n_threads;
    const double *start;
    double *terms; /* t(h) */
    double *next;
    double *sums;
    double *sizes; /* sums of magnitudes; NULL: those of the sums will do */
    _Atomic uint64_t largest; /* bits of a number that is not negative */
    _Atomic bool not_finite;  /* some t(h) is not */
    _Atomic bool is_signed;   /* some t(0) is negative */
} walk;

static void swap_terms(walk *w)
{
    double *kept = w->terms;
    w->terms = w->next;
    w->next = kept;
}

/* Bits of positive numbers are in the order of the numbers. */
static void note_largest(walk *w, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint64_t there = atomic_load(&w->largest);
    while (bits > there &&
           !atomic_compare_exchange_weak(&w->largest, &there, bits)) {
    }
}

static double get_largest(const walk *w)
{
    const uint64_t bits = atomic_load(&w->largest);
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void forget_notes(walk *w)
{
    atomic_store(&w->largest, 0);
    atomic_store(&w->not_finite, false);
}

static hanse_status for_rows(walk *w, hanse_task *task, hanse_error *error)
{
    forget_notes(w);
    return hanse_parallel_for(w->n_threads,
                              (w->network->n_rows + TASK_ROWS - 1) / TASK_ROWS,
                              task, w, error);
}

static size_t rows_end(const walk *w, size_t task)
{
    const size_t end = (task + 1) * TASK_ROWS;
    return end < w->network->n_rows ? end : w->network->n_rows;
}

/* The next terms. `then` looks at rows of w->next that have theirs. */
static hanse_status step(walk *w,
                         void (*then)(void *walk, size_t begin, size_t end),
                         hanse_error *error)
{
    const hanse_step how = {.factor = w->spec->decay,
                            .x = w->terms,
                            .out = w->next,
                            .then = then,
                            .then_context = w};
    if (w->how->go_on != NULL && !w->how->go_on(w->how->go_on_context))
        return hanse_fail(error, HANSE_ERR_INTERRUPTED, "interrupted");
    forget_notes(w);
    HANSE_TRY(hanse_network_step(w->network, &how, w->n_threads, error));
    swap_terms(w);
    return HANSE_OK;
}

/* Undefined by infinities, other than what is missing: a NaN of its own, which
 * no table holds by chance. */
static const uint64_t UNDEFINED = UINT64_C(0x7ff8000068616e73);

static double get_undefined(void)
{
    double x;
    memcpy(&x, &UNDEFINED, sizeof x);
    return x;
}

bool hanse_walk_is_undefined(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits == UNDEFINED;
}

/* ---- Tasks -------------------------------------------------------------- */

static hanse_status begin_rows(void *context, size_t task, hanse_error *error)
{
    walk *w = context;
    bool not_finite = false, is_signed = false;
    (void)error;
    for (size_t i = task * TASK_ROWS; i < rows_end(w, task); i++) {
        const double start = w->start[i];
        is_signed = is_signed || start < 0.0;
        w->sums[i] = isnan(start) ? (double)NAN : start;
        w->terms[i] = isnan(start) ? 0.0 : start;
        not_finite = not_finite || isinf(start);
    }
    if (not_finite)
        atomic_store(&w->not_finite, true);
    if (is_signed)
        atomic_store(&w->is_signed, true);
    return HANSE_OK;
}

static hanse_status begin_sizes(void *context, size_t task, hanse_error *error)
{
    walk *w = context;
    (void)error;
    for (size_t i = task * TASK_ROWS; i < rows_end(w, task); i++)
        w->sizes[i] = fabs(w->terms[i]);
    return HANSE_OK;
}

/* Adds t(h), while it is in the cache, and finds the largest change of a row.
 * What is infinite, or not a number, does not change any more once it is. Where
 * terms have signs, a sum may be 0, and changes are measured by the magnitudes
 * of its terms. */
static void add_rows(void *context, size_t begin, size_t end)
{
    walk *w = context;
    const double *terms = w->next;
    double *sums = w->sums, *sizes = w->sizes;
    bool not_finite = false;
    double largest = 0.0;
    for (size_t i = begin; i < end; i++) {
        const double term = terms[i];
        not_finite = not_finite || !isfinite(term);
        if (term == 0.0)
            continue;
        /* A row that has nothing itself has what it receives first. */
        const double before = sums[i];
        const bool is_first = isnan(before) && !hanse_walk_is_undefined(before);
        const double sum = is_first ? term : before + term;
        sums[i] = isnan(sum) ? get_undefined() : sum;
        if (sizes != NULL)
            sizes[i] += fabs(term);
        double change = fabs(term) / (sizes != NULL ? sizes[i] : fabs(sum));
        if (!isfinite(sum))
            change = is_first || isfinite(before) ? INFINITY : 0.0;
        largest = change > largest ? change : largest;
    }
    note_largest(w, largest);
    if (not_finite)
        atomic_store(&w->not_finite, true);
}

static hanse_status fill_ones(void *context, size_t task, hanse_error *error)
{
    walk *w = context;
    (void)error;
    for (size_t i = task * TASK_ROWS; i < rows_end(w, task); i++)
        w->terms[i] = 1.0;
    return HANSE_OK;
}

static void find_norm(void *context, size_t begin, size_t end)
{
    walk *w = context;
    double largest = 0.0;
    for (size_t i = begin; i < end; i++)
        largest = w->next[i] > largest ? w->next[i] : largest;
    note_largest(w, largest);
}

static hanse_status fill_nan(void *context, size_t task, hanse_error *error)
{
    walk *w = context;
    (void)error;
    for (size_t i = task * TASK_ROWS; i < rows_end(w, task); i++)
        w->sums[i] = NAN;
    return HANSE_OK;
}

/* ---- Whole -------------------------------------------------------------- */

/* Whether (d W')^k has a norm below 1 for some k <= most_steps. */
static hanse_status prove_limit(walk *w, bool *exists, hanse_error *error)
{
    *exists = w->network->n_links == 0;
    HANSE_TRY(for_rows(w, fill_ones, error));
    for (size_t k = 0; k < w->spec->most_steps && !*exists; k++) {
        HANSE_TRY(step(w, find_norm, error));
        if (isinf(get_largest(w)))
            return HANSE_OK;
        /* Less by more than the rounding of so many steps. */
        *exists = get_largest(w) < 1.0 - (double)(k + 2) * 0x1p-50;
    }
    return HANSE_OK;
}

/* Steps from t(0), sums and terms being set. */
static hanse_status add_steps(walk *w, bool starts_finite,
                              hanse_walk_report *report, hanse_error *error)
{
    const hanse_walk_spec *spec = w->spec;
    const bool is_limit = spec->hops == HANSE_WALK_LIMIT;
    const size_t most = is_limit ? spec->most_steps : spec->hops;
    report->has_converged = !is_limit;
    for (size_t h = 1; h <= most; h++) {
        HANSE_TRY(step(w, add_rows, error));
        report->n_steps = h;
        report->change = get_largest(w);
        if (!is_limit)
            continue;
        if (starts_finite && atomic_load(&w->not_finite))
            return HANSE_OK;
        if (report->change <= spec->tolerance) {
            report->has_converged = true;
            return HANSE_OK;
        }
    }
    return HANSE_OK;
}

/* The limit's steps, where terms have signs. */
static hanse_status add_signed_steps(walk *w, bool starts_finite,
                                     hanse_walk_report *report,
                                     hanse_error *error)
{
    hanse_budget *budget = w->network->budget;
    const size_t n = w->network->n_rows;
    w->sizes = hanse_allocate(budget, n, sizeof *w->sizes);
    if (w->sizes == NULL)
        return hanse_fail_budget(error, budget, "steps of a walk", n,
                                 sizeof *w->sizes);
    hanse_status status = for_rows(w, begin_sizes, error);
    if (status == HANSE_OK)
        status = add_steps(w, starts_finite, report, error);
    hanse_free(budget, w->sizes, n, sizeof *w->sizes);
    w->sizes = NULL;
    return status;
}

static hanse_status add_up(walk *w, hanse_walk_report *report,
                           hanse_error *error)
{
    bool exists = true;
    if (w->spec->hops == HANSE_WALK_LIMIT && w->spec->decay > 0.0)
        HANSE_TRY(prove_limit(w, &exists, error));
    HANSE_TRY(for_rows(w, begin_rows, error));
    report->has_converged = exists;
    if (exists && w->spec->decay > 0.0)
        HANSE_TRY(
            w->spec->hops == HANSE_WALK_LIMIT && atomic_load(&w->is_signed)
                ? add_signed_steps(w, !atomic_load(&w->not_finite), report,
                                   error)
                : add_steps(w, !atomic_load(&w->not_finite), report, error));
    return report->has_converged ? HANSE_OK : for_rows(w, fill_nan, error);
}

hanse_status hanse_walk_sums(const hanse_walk *how, double *sums,
                             hanse_walk_report *report, hanse_error *error)
{
    hanse_budget *budget = how->network->budget;
    const size_t n = how->network->n_rows;
    hanse_walk_report made = {0};
    walk w = {.how = how,
              .network = how->network,
              .spec = &how->spec,
              .n_threads = how->n_threads,
              .start = how->start,
              .sums = sums};
    w.terms = hanse_allocate(budget, n, sizeof *w.terms);
    w.next = hanse_allocate(budget, n, sizeof *w.next);
    const hanse_status status =
        w.terms == NULL || w.next == NULL
            ? hanse_fail_budget(error, budget, "steps of a walk", n,
                                2 * sizeof *w.terms)
            : add_up(&w, &made, error);
    hanse_free(budget, w.terms, n, sizeof *w.terms);
    hanse_free(budget, w.next, n, sizeof *w.next);
    if (status == HANSE_OK)
        *report = made;
    return status;
}
