/* SPDX-License-Identifier: Apache-2.0
 *
 * Coordination along links: against rounds with the dense matrix in long
 * double and against elimination for the limit; bits under permuted rows and
 * any number of threads; what undefined rows reach.
 */
#include "engine/models/coordinate.h"
#include "tests/network_of.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/models/status.h"
#include "engine/models/term_sum.h"

static uint64_t random_state = 3;

/* splitmix64: the same numbers on every machine. */
static uint64_t next_random(void)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double next_unit(void)
{
    return (double)(next_random() >> 11) * 0x1p-53;
}

/* ---- A case: rows, links, and what comes of them ------------------------ */

typedef struct sample {
    size_t n;
    size_t n_links;
    uint32_t *sources;
    uint32_t *targets;
    double *p;
    double *s;
    double *z;
    int8_t *codes;
    hanse_coordination_report report;
} sample;

static sample make_sample(size_t n, size_t n_links)
{
    sample x = {n, n_links, NULL, NULL, NULL, NULL, NULL, NULL, {0, 0, false}};
    x.sources = malloc((n_links + 1) * sizeof *x.sources);
    x.targets = malloc((n_links + 1) * sizeof *x.targets);
    x.p = malloc(n * sizeof *x.p);
    x.s = malloc(n * sizeof *x.s);
    x.z = malloc(n * sizeof *x.z);
    x.codes = malloc(n);
    assert_true(x.sources != NULL && x.targets != NULL && x.p != NULL &&
                x.s != NULL && x.z != NULL && x.codes != NULL);
    for (size_t k = 0; k < n_links; k++) {
        x.sources[k] = (uint32_t)(next_random() % n);
        x.targets[k] = (uint32_t)(next_random() % n);
    }
    for (size_t i = 0; i < n; i++) {
        x.p[i] = 200 * next_unit() - 100;
        x.s[i] = 0.05 + 0.95 * next_unit();
    }
    return x;
}

/* Row k linked with row k + 1. */
static sample make_chain(size_t n)
{
    sample x = make_sample(n, n - 1);
    for (size_t k = 0; k + 1 < n; k++) {
        x.sources[k] = (uint32_t)k;
        x.targets[k] = (uint32_t)k + 1;
    }
    return x;
}

static void drop_sample(sample *x)
{
    free(x->sources);
    free(x->targets);
    free(x->p);
    free(x->s);
    free(x->z);
    free(x->codes);
}

static hanse_coordination defaults(uint64_t rounds)
{
    hanse_coordination c = {0};
    c.rounds = rounds;
    c.tolerance = HANSE_COORDINATE_TOLERANCE;
    c.max_rounds = HANSE_COORDINATE_MAX_ROUNDS;
    c.n_threads = 1;
    return c;
}

/* Rows that take no part lose their links, as the caller has to see to. */
static hanse_status run(sample *x, hanse_coordination c, hanse_error *error)
{
    hanse_network graph;
    uint8_t *keep = malloc(x->n);
    assert_non_null(keep);
    for (size_t i = 0; i < x->n; i++)
        keep[i] = !isnan(x->p[i]) && x->s[i] >= 0.0 && x->s[i] <= 1.0;
    const hanse_links links = {x->n_links, x->sources, x->targets, NULL};
    const hanse_network_options options = {
        .n_threads = 1, .keep = keep, .undirected = true};
    assert_int_equal(network_of(&links, x->n, &options, &graph, NULL),
                     HANSE_OK);
    c.graph = &graph;
    c.strategy = x->p;
    c.independence = x->s;
    const hanse_status status =
        hanse_coordinate_links(&c, x->z, x->codes, &x->report, error);
    hanse_network_clear(&graph);
    free(keep);
    return status;
}

static void run_well(sample *x, hanse_coordination c)
{
    hanse_error error;
    if (run(x, c, &error) != HANSE_OK)
        fail_msg("%s", error.message);
}

/* ---- Oracles ------------------------------------------------------------ */

/* The dense matrix M, row by row. */
static long double *metropolis(const sample *x)
{
    const size_t n = x->n;
    long double *m = calloc(n * n, sizeof *m);
    size_t *degree = calloc(n, sizeof *degree);
    assert_true(m != NULL && degree != NULL);
    for (size_t k = 0; k < x->n_links; k++)
        if (x->sources[k] != x->targets[k]) {
            m[x->sources[k] * n + x->targets[k]] = 1;
            m[x->targets[k] * n + x->sources[k]] = 1;
        }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            degree[i] += m[i * n + j] != 0;
    for (size_t i = 0; i < n; i++) {
        long double own = 1;
        for (size_t j = 0; j < n; j++)
            if (m[i * n + j] != 0) {
                const size_t d = degree[i] > degree[j] ? degree[i] : degree[j];
                m[i * n + j] = 1 / (1 + (long double)d);
                own -= m[i * n + j];
            }
        m[i * n + i] = own;
    }
    free(degree);
    return m;
}

static void dense_rounds(const sample *x, uint64_t rounds, long double *z)
{
    const size_t n = x->n;
    long double *m = metropolis(x);
    long double *old = malloc(n * sizeof *old);
    assert_non_null(old);
    for (size_t i = 0; i < n; i++)
        z[i] = x->p[i];
    for (uint64_t t = 0; t < rounds; t++) {
        memcpy(old, z, n * sizeof *old);
        for (size_t i = 0; i < n; i++) {
            long double mixed = 0;
            for (size_t j = 0; j < n; j++)
                mixed += m[i * n + j] * old[j];
            z[i] = (1 - (long double)x->s[i]) * mixed +
                   (long double)x->s[i] * x->p[i];
        }
    }
    free(old);
    free(m);
}

/* (I - diag(1 - s) M) z = s p by Gauss's elimination; the matrix is diagonally
 * dominant, so no pivot is small. */
static void dense_limit(const sample *x, long double *z)
{
    const size_t n = x->n;
    long double *a = metropolis(x);
    for (size_t i = 0; i < n; i++) {
        z[i] = (long double)x->s[i] * x->p[i];
        for (size_t j = 0; j < n; j++)
            a[i * n + j] = (i == j) - (1 - (long double)x->s[i]) * a[i * n + j];
    }
    for (size_t k = 0; k < n; k++)
        for (size_t i = k + 1; i < n; i++) {
            const long double factor = a[i * n + k] / a[k * n + k];
            for (size_t j = k; j < n; j++)
                a[i * n + j] -= factor * a[k * n + j];
            z[i] -= factor * z[k];
        }
    for (size_t i = n; i-- > 0;) {
        for (size_t j = i + 1; j < n; j++)
            z[i] -= a[i * n + j] * z[j];
        z[i] /= a[i * n + i];
    }
    free(a);
}

static void assert_all_near(const sample *x, const long double *z,
                            long double tolerance)
{
    for (size_t i = 0; i < x->n; i++) {
        assert_int_equal(x->codes[i], HANSE_MODEL_OK);
        if (!(fabsl((long double)x->z[i] - z[i]) <= tolerance))
            fail_msg("row %zu of %zu: found %.17g, expected %.20Lg", i, x->n,
                     x->z[i], z[i]);
    }
}

static void rounds_agree_with_the_dense_matrix(void **state)
{
    long double z[40];
    (void)state;
    for (size_t i = 0; i < 400; i++) {
        const size_t n = 1 + i % 40;
        sample x = make_sample(n, next_random() % (3 * n + 1));
        for (size_t k = 0; k < n && i % 3 == 0; k++)
            x.s[k] = (double)(k % 3) / 2; /* 0, 1/2, 1 */
        run_well(&x, defaults(i % 12));
        dense_rounds(&x, i % 12, z);
        assert_all_near(&x, z, 1e-12L);
        drop_sample(&x);
    }
}

static void limit_agrees_with_elimination(void **state)
{
    long double z[40];
    (void)state;
    for (size_t i = 0; i < 200; i++) {
        const size_t n = 1 + i % 40;
        sample x = make_sample(n, next_random() % (3 * n + 1));
        run_well(&x, defaults(HANSE_ROUNDS_LIMIT));
        dense_limit(&x, z);
        assert_all_near(&x, z, 3e-12L);
        assert_true(x.report.converged);
        drop_sample(&x);
    }
}

static void rounds_end_when_nothing_changes(void **state)
{
    sample x = make_chain(5);
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        x.p[i] = 0.1;
        x.s[i] = 0.0;
    }
    run_well(&x, defaults(UINT64_C(1) << 60));
    assert_int_equal(x.report.rounds, 1);
    for (size_t i = 0; i < 5; i++)
        assert_true(x.z[i] == 0.1);
    drop_sample(&x);
}

/* ---- Bits --------------------------------------------------------------- */

static void same_bits_for_permuted_rows_and_any_threads(void **state)
{
    (void)state;
    const size_t n = 20000, n_links = 60000;
    sample x = make_sample(n, n_links);
    for (size_t k = 0; k < 3000; k++) /* a row with many neighbours */
        x.sources[k] = 7;
    sample y = make_sample(n, n_links);
    uint32_t *place = malloc(n * sizeof *place);
    assert_non_null(place);
    for (uint32_t i = 0; i < n; i++)
        place[i] = i;
    for (size_t i = n; i-- > 1;) {
        const size_t j = next_random() % (i + 1);
        const uint32_t swap = place[i];
        place[i] = place[j];
        place[j] = swap;
    }
    for (size_t i = 0; i < n; i++) {
        y.p[place[i]] = x.p[i];
        y.s[place[i]] = x.s[i];
    }
    for (size_t k = 0; k < n_links; k++) {
        y.sources[n_links - 1 - k] = place[x.targets[k]];
        y.targets[n_links - 1 - k] = place[x.sources[k]];
    }
    run_well(&x, defaults(6));
    for (size_t threads = 1; threads <= 8; threads++) {
        hanse_coordination c = defaults(6);
        c.n_threads = threads;
        run_well(&y, c);
        for (size_t i = 0; i < n; i++)
            if (memcmp(&x.z[i], &y.z[place[i]], sizeof x.z[i]) != 0)
                fail_msg("%zu threads, row %zu: %a is not %a", threads, i,
                         x.z[i], y.z[place[i]]);
        assert_true(x.report.change == y.report.change);
    }
    free(place);
    drop_sample(&x);
    drop_sample(&y);
}

static void one_independence_keeps_the_sum(void **state)
{
    (void)state;
    const double all[] = {0.0, 0.3, 1.0};
    for (size_t k = 0; k < 3; k++) {
        sample x = make_sample(5000, 20000);
        double size = 0;
        for (size_t i = 0; i < x.n; i++) {
            x.p[i] = ldexp(x.p[i], (int)(next_random() % 40));
            x.s[i] = all[k];
            size += fabs(x.p[i]);
        }
        run_well(&x, defaults(50));
        const double before = hanse_sparse_dot(NULL, x.p, NULL, x.n);
        const double after = hanse_sparse_dot(NULL, x.z, NULL, x.n);
        if (!(fabs(after - before) <= 1e-14 * size))
            fail_msg("%.17g became %.17g", before, after);
        drop_sample(&x);
    }
}

/* ---- What has no value -------------------------------------------------- */

static void assert_codes(const sample *x, const char *expected)
{
    for (size_t i = 0; i < x->n; i++) {
        if (x->codes[i] != expected[i] - '0')
            fail_msg("row %zu: code %d, expected %c", i, x->codes[i],
                     expected[i]);
        assert_int_equal(isnan(x->z[i]) != 0, x->codes[i] != HANSE_MODEL_OK);
    }
}

static void missing_rows_take_no_part(void **state)
{
    sample x = make_chain(6);
    (void)state;
    x.p[2] = (double)NAN;
    x.s[4] = 1.5;
    run_well(&x, defaults(3));
    assert_codes(&x, "001060");
    assert_true(x.z[3] == x.p[3] && x.z[5] == x.p[5]);
    x.s[4] = (double)NAN;
    run_well(&x, defaults(HANSE_ROUNDS_LIMIT));
    assert_codes(&x, "001060");
    drop_sample(&x);
}

static void infinite_strategy_reaches_as_far_as_the_rounds(void **state)
{
    sample x = make_chain(8), y = make_chain(8);
    (void)state;
    memcpy(y.p, x.p, 8 * sizeof *x.p);
    memcpy(y.s, x.s, 8 * sizeof *x.s);
    x.p[1] = (double)INFINITY;
    y.p[1] = 1e6;
    run_well(&x, defaults(0));
    assert_codes(&x, "08000000");
    run_well(&x, defaults(3));
    run_well(&y, defaults(3));
    assert_codes(&x, "88888000");
    for (size_t i = 5; i < 8; i++)
        assert_true(x.z[i] == y.z[i]);
    x.s[3] = 1.0; /* who does not listen is not reached */
    run_well(&x, defaults(UINT64_C(1) << 40));
    assert_codes(&x, "88800000");
    run_well(&x, defaults(HANSE_ROUNDS_LIMIT));
    assert_codes(&x, "88800000");
    drop_sample(&x);
    drop_sample(&y);
}

static void limit_needs_independence_where_there_are_links(void **state)
{
    sample x = make_chain(5);
    (void)state;
    x.n_links = 3; /* row 4 is alone */
    x.s[0] = 0.0;
    x.s[4] = 0.0;
    x.s[2] = 1.0;
    run_well(&x, defaults(4));
    assert_codes(&x, "00000");
    run_well(&x, defaults(HANSE_ROUNDS_LIMIT));
    assert_codes(&x, "66000");
    assert_true(x.z[4] == x.p[4]);
    x.p[1] = -(double)INFINITY;
    run_well(&x, defaults(HANSE_ROUNDS_LIMIT));
    assert_codes(&x, "88000");
    drop_sample(&x);
}

/* A change is measured by the rows that it can come from, not by a large one
 * that has no links to them. */
static void limit_knows_no_scale_of_strangers(void **state)
{
    sample x = make_chain(6), y = make_chain(6);
    (void)state;
    x.n_links = y.n_links = 2; /* rows 3 to 5 are alone */
    for (size_t i = 0; i < 6; i++) {
        y.p[i] = x.p[i];
        y.s[i] = x.s[i] = 0.1;
    }
    x.p[4] = 1e30;
    run_well(&x, defaults(HANSE_ROUNDS_LIMIT));
    run_well(&y, defaults(HANSE_ROUNDS_LIMIT));
    assert_true(x.report.rounds > 10 && x.report.rounds == y.report.rounds);
    for (size_t i = 0; i < 3; i++)
        assert_true(x.z[i] == y.z[i]);
    assert_true(x.z[4] == 1e30);
    drop_sample(&x);
    drop_sample(&y);
}

static void limit_out_of_reach_is_said(void **state)
{
    sample x = make_chain(5);
    hanse_coordination c = defaults(HANSE_ROUNDS_LIMIT);
    (void)state;
    x.n_links = 3;
    x.s[1] = 1.0;
    c.max_rounds = 2;
    run_well(&x, c);
    assert_codes(&x, "70770");
    assert_true(!x.report.converged && x.report.rounds == 2);
    c.tolerance = 1.0; /* any change will do */
    run_well(&x, c);
    assert_codes(&x, "00000");
    assert_true(x.report.converged && x.report.rounds == 1);
    drop_sample(&x);
}

/* ---- Failures ----------------------------------------------------------- */

static bool three_times(void *context)
{
    size_t *left = context;
    return (*left)-- != 0;
}

static void interruption_is_noticed(void **state)
{
    sample x = make_chain(5);
    hanse_coordination c = defaults(10);
    hanse_error error;
    size_t left = 3;
    (void)state;
    c.go_on = three_times;
    c.go_on_context = &left;
    assert_int_equal(run(&x, c, &error), HANSE_ERR_INTERRUPTED);
    assert_non_null(strstr(error.message, "round 4"));
    drop_sample(&x);
}

static void every_refusal_of_memory_is_a_failure(void **state)
{
    sample x = make_chain(1000);
    hanse_budget budget = {0};
    hanse_coordination c = defaults(10);
    hanse_status status = HANSE_ERR_LIMIT;
    size_t failures = 0;
    (void)state;
    x.p[500] = (double)INFINITY;
    c.budget = &budget;
    for (budget.limit_bytes = 1; status == HANSE_ERR_LIMIT;
         budget.limit_bytes += 1000) {
        hanse_error error;
        budget.refused = false;
        status = run(&x, c, &error);
        failures += status == HANSE_ERR_LIMIT;
        assert_int_equal(budget.used_bytes, 0);
    }
    assert_int_equal(status, HANSE_OK);
    assert_true(failures > 30);
    assert_true(budget.peak_bytes <= hanse_coordinate_bytes(1000));
    drop_sample(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_agree_with_the_dense_matrix),
        cmocka_unit_test(limit_agrees_with_elimination),
        cmocka_unit_test(rounds_end_when_nothing_changes),
        cmocka_unit_test(same_bits_for_permuted_rows_and_any_threads),
        cmocka_unit_test(one_independence_keeps_the_sum),
        cmocka_unit_test(missing_rows_take_no_part),
        cmocka_unit_test(infinite_strategy_reaches_as_far_as_the_rounds),
        cmocka_unit_test(limit_needs_independence_where_there_are_links),
        cmocka_unit_test(limit_knows_no_scale_of_strangers),
        cmocka_unit_test(limit_out_of_reach_is_said),
        cmocka_unit_test(interruption_is_noticed),
        cmocka_unit_test(every_refusal_of_memory_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
