/* SPDX-License-Identifier: Apache-2.0
 *
 * The level L of one group: sum min(c_i, L) = E.
 *
 * With claims ascending, L = (E - P_k)/(n - k), where the k claims below L are
 * paid in full and P_k is their sum. That k is found without bringing the
 * claims into order (Michelot 1986, "A finite algorithm for finding the
 * projection of a point onto the canonical simplex"): L_0 = E/n is not above L,
 * so claims below it are paid in full; what is left for the others gives a
 * level that is not below L_0; and so on until no claim lies below. Every sum
 * is exact, and c < fl(x) implies c < x, so the k found is the k of the ordered
 * claims. Each round is one pass over the claims that are left; where the
 * rounds do not end soon, these are sorted after all.
 */
#include <math.h>
#include <stdlib.h>

#include "engine/models/claim_sum.h"
#include "engine/models/claims.h"
#include "engine/parallel.h"

enum {
    N_ROUNDS = 40,
    /* Claims that a thread takes at a time: 2 MiB. */
    PART_CLAIMS = 1 << 18,
    N_PARTS_MAX = 64
};

/* A stretch of the claims; those that are left come first. */
typedef struct part {
    double *claims;
    size_t n;
    double least;       /* of all */
    double least_above; /* zero */
    double most;
    bool is_finite;
    hanse_claim_sum sum; /* of a round */
} part;

typedef struct problem {
    part *parts;
    size_t n_parts;
    size_t n_threads;
    double level; /* of a round */
} problem;

/* ---- Passes over the claims --------------------------------------------- */

static hanse_status look(void *context, size_t index, hanse_error *error)
{
    part *p = &((problem *)context)->parts[index];
    double least = (double)INFINITY, above = (double)INFINITY, most = 0.0;
    double product = 0.0; /* NaN once a claim is not finite */
    (void)error;
    for (size_t i = 0; i < p->n; i++) {
        const double c = p->claims[i];
        product += c * 0.0;
        least = c < least ? c : least;
        above = c > 0.0 && c < above ? c : above;
        most = c > most ? c : most;
    }
    p->least = least;
    p->least_above = above;
    p->most = most;
    p->is_finite = product == 0.0;
    return HANSE_OK;
}

static hanse_status add(void *context, size_t index, hanse_error *error)
{
    part *p = &((problem *)context)->parts[index];
    (void)error;
    for (size_t i = 0; i < p->n; i++)
        hanse_claim_sum_add(&p->sum, p->claims[i]);
    return HANSE_OK;
}

/* Adds and takes out the claims below the level. */
static hanse_status pay(void *context, size_t index, hanse_error *error)
{
    const double level = ((problem *)context)->level;
    part *p = &((problem *)context)->parts[index];
    size_t n_left = 0;
    (void)error;
    for (size_t i = 0; i < p->n; i++) {
        const double c = p->claims[i];
        if (c < level)
            hanse_claim_sum_add(&p->sum, c);
        else
            p->claims[n_left++] = c;
    }
    p->n = n_left;
    return HANSE_OK;
}

/* These tasks do not fail. */
static void for_parts(problem *p, hanse_task *task)
{
    if (p->n_parts == 1)
        (void)task(p, 0, NULL);
    else
        (void)hanse_parallel_for(p->n_threads, p->n_parts, task, p, NULL);
}

/* The sum of what a pass has added. */
static void take_sum(problem *p, hanse_wide *out)
{
    for (size_t i = 1; i < p->n_parts; i++) {
        hanse_claim_sum_merge(&p->parts[0].sum, &p->parts[i].sum);
        hanse_claim_sum_reset(&p->parts[i].sum);
    }
    hanse_claim_sum_get(&p->parts[0].sum, out);
    hanse_claim_sum_reset(&p->parts[0].sum);
}

/* ---- The level ---------------------------------------------------------- */

static size_t count_left(const problem *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_parts; i++)
        n += p->parts[i].n;
    return n;
}

static double level_of(const hanse_wide *rest, size_t n)
{
    hanse_wide dividend;
    hanse_wide_copy(&dividend, rest);
    return hanse_wide_divide(&dividend, n, 1);
}

static int compare_claims(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* By order: the parts are one stretch again, in which the claims left of all
 * parts come first. */
static double level_sorted(problem *p, hanse_wide *rest)
{
    double *claims = p->parts[0].claims;
    size_t n = p->parts[0].n;
    for (size_t i = 1; i < p->n_parts; i++) {
        memmove(claims + n, p->parts[i].claims, p->parts[i].n * sizeof *claims);
        n += p->parts[i].n;
    }
    qsort(claims, n, sizeof *claims, compare_claims);
    size_t k = 0;
    double level = level_of(rest, n);
    while (k < n && claims[k] < level) {
        hanse_wide claim;
        hanse_wide_from_double(&claim, claims[k]);
        hanse_wide_subtract(rest, &claim);
        k++;
        if (k < n)
            level = level_of(rest, n - k);
    }
    return level;
}

/* L for the pool *rest, which is not above the sum of the claims. */
static double find_level(problem *p, hanse_wide *rest)
{
    size_t n = count_left(p);
    for (int round = 0; round < N_ROUNDS || n < 1024; round++) {
        hanse_wide paid;
        p->level = level_of(rest, n);
        for_parts(p, pay);
        const size_t n_left = count_left(p);
        /* None left: all were below the level, which exact sums exclude. */
        if (n_left == n || n_left == 0)
            return p->level;
        n = n_left;
        take_sum(p, &paid);
        hanse_wide_subtract(rest, &paid);
    }
    return level_sorted(p, rest);
}

/* ---- Rules -------------------------------------------------------------- */

static bool is_negative(const hanse_wide *x)
{
    return x->n != 0 && x->negative;
}

/* E, D and D - E are exact. */
static void solve_level(hanse_claims_rule rule, problem *p, double pool,
                        const hanse_wide *total, hanse_claims_outcome *out)
{
    hanse_wide estate, loss;
    hanse_wide_from_double(&estate, pool);
    hanse_wide_copy(&loss, total);
    hanse_wide_subtract(&loss, &estate);
    out->shared = pool;
    if (is_negative(&loss)) { /* E > D: the claims themselves */
        const double most = hanse_wide_round(total);
        if (pool > most) { /* else E is D, rounded */
            out->status = HANSE_MODEL_INFEASIBLE;
            out->shared = most;
            out->reserve = -hanse_wide_round(&loss);
        }
        out->terms.level = rule == HANSE_RULE_CEA ? (double)INFINITY : 0.0;
        out->terms.divisor = rule == HANSE_RULE_TALMUD ? 1.0 : 0.0;
        return;
    }
    if (rule == HANSE_RULE_CEA) {
        out->terms.level = find_level(p, &estate);
    } else if (rule == HANSE_RULE_CEL) {
        out->terms.level = find_level(p, &loss);
    } else { /* half the claims: CEA(X, c/2) has half the level of (2X, c) */
        hanse_wide lower;
        hanse_wide_copy(&lower, &loss);
        hanse_wide_subtract(&lower, &estate); /* D - 2E */
        const bool is_upper = is_negative(&lower);
        hanse_wide *shared = is_upper ? &loss : &estate;
        shared->exponent += 1;
        out->terms.divisor = is_upper ? 1.0 : 0.0;
        out->terms.level = 0.5 * find_level(p, shared);
    }
}

static void solve_parts(hanse_claims_rule rule, problem *p, size_t n,
                        double pool, hanse_claims_outcome *out)
{
    hanse_wide total;
    bool is_finite = true;
    double least = (double)INFINITY, above = (double)INFINITY, most = 0.0;
    for_parts(p, look);
    for (size_t i = 0; i < p->n_parts; i++) {
        const part *q = &p->parts[i];
        is_finite = is_finite && q->is_finite;
        least = q->least < least ? q->least : least;
        above = q->least_above < above ? q->least_above : above;
        most = q->most > most ? q->most : most;
    }
    hanse_claims_sums sums = {n, 0.0, least, pool};
    if (!is_finite || (n != 0 && least < 0.0)) { /* nothing to be summed */
        sums.total = is_finite ? 0.0 : (double)NAN;
        hanse_claims_outcome_of_sums(rule, &sums, out);
        return;
    }
    most = most > 0.0 ? most : 1.0;
    for (size_t i = 0; i < p->n_parts; i++)
        hanse_claim_sum_init(&p->parts[i].sum, above < most ? above : most,
                             most);
    for_parts(p, add);
    take_sum(p, &total);
    sums.total = hanse_wide_round(&total);
    hanse_claims_outcome_of_sums(rule, &sums, out);
    if (out->status != HANSE_MODEL_OK || rule == HANSE_RULE_EQUAL ||
        rule == HANSE_RULE_PROPORTIONAL)
        return;
    out->terms = (hanse_award_terms){0};
    solve_level(rule, p, pool, &total, out);
}

static void set_part(part *p, double *claims, size_t n)
{
    p->claims = claims;
    p->n = n;
}

void hanse_claims_solve(hanse_claims_rule rule, double *claims, size_t n,
                        double pool, size_t n_threads,
                        hanse_claims_outcome *out)
{
    part only;
    problem p = {&only, 1, 1, 0.0};
    size_t n_parts = n / PART_CLAIMS;
    if (n_parts > 4 * n_threads)
        n_parts = 4 * n_threads;
    if (n_parts > N_PARTS_MAX)
        n_parts = N_PARTS_MAX;
    /* Without memory for parts the claims are one. */
    part *parts =
        n_threads > 1 && n_parts > 1 ? calloc(n_parts, sizeof *parts) : NULL;
    if (parts != NULL) {
        p = (problem){parts, n_parts, n_threads, 0.0};
        for (size_t i = 0; i < n_parts; i++)
            set_part(&parts[i], claims + n / n_parts * i,
                     i + 1 < n_parts ? n / n_parts : n - n / n_parts * i);
    } else {
        set_part(&only, claims, n);
    }
    solve_parts(rule, &p, n, pool, out);
    free(parts);
}
