/* SPDX-License-Identifier: Apache-2.0
 *
 * Linkages: the inverse multiplied back, tables small enough to be done by
 * hand, groups that are not there, and threads.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/models/dense.h"
#include "engine/models/linkages.h"
#include "engine/models/status.h"

/* Steele, Lea, Flood 2014. */
static uint64_t random_state = 3;

static double random_number(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static void assert_near(double found, double expected)
{
    if (!(fabs(found - expected) <= 1e-12 * fabs(expected)))
        fail_msg("%.17g is not %.17g", found, expected);
}

static double *random_matrix(size_t n)
{
    double *values = malloc((n * n + 1) * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < n * n; i++)
        values[i] = 2.0 * random_number() - 1.0;
    return values;
}

static void inverse_gives_back_the_unit_matrix(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 2, 3, 5, 63, 64, 65, 130, 201};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        const size_t n = sizes[s];
        double *matrix = random_matrix(n), *inverse = random_matrix(n);
        double *other = random_matrix(n);
        for (size_t n_threads = 1; n_threads <= 3; n_threads++) {
            bool singular;
            assert_int_equal(
                hanse_dense_invert(matrix, n, n_threads == 1 ? inverse : other,
                                   &singular, n_threads, NULL, NULL),
                HANSE_OK);
            assert_false(singular);
            if (n_threads > 1)
                assert_memory_equal(inverse, other, n * n * sizeof *inverse);
        }
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j < n; j++) {
                double sum = 0.0, size = 0.0;
                for (size_t k = 0; k < n; k++) {
                    const double term = matrix[i * n + k] * inverse[k * n + j];
                    sum += term;
                    size += fabs(term);
                }
                assert_true(fabs(sum - (i == j)) <=
                            (double)n * 1e-14 * (1.0 + size));
            }
        }
        free(matrix);
        free(inverse);
        free(other);
    }
}

/* Determinant of the matrix without a row and a column, of whole numbers. */
static double minor_of(const double *m, size_t row, size_t column)
{
    double d[3][3];
    for (size_t i = 0, k = 0; i < 4; i++) {
        if (i == row)
            continue;
        for (size_t j = 0, l = 0; j < 4; j++)
            if (j != column)
                d[k][l++] = m[4 * i + j];
        k++;
    }
    return d[0][0] * (d[1][1] * d[2][2] - d[1][2] * d[2][1]) -
           d[0][1] * (d[1][0] * d[2][2] - d[1][2] * d[2][0]) +
           d[0][2] * (d[1][0] * d[2][1] - d[1][1] * d[2][0]);
}

/* Cramer's rule: quotients of whole numbers below 2^53, which one division
 * rounds. */
static void inverses_are_rounded_once(void **state)
{
    (void)state;
    size_t n_checked = 0;
    while (n_checked < 20000) {
        double matrix[16], inverse[16], determinant = 0.0;
        bool singular;
        for (size_t i = 0; i < 16; i++)
            matrix[i] = floor(2000.0 * random_number()) - 1000.0;
        for (size_t j = 0; j < 4; j++)
            determinant +=
                (j % 2 == 0 ? 1.0 : -1.0) * matrix[j] * minor_of(matrix, 0, j);
        if (fabs(determinant) < 1e6)
            continue;
        assert_int_equal(
            hanse_dense_invert(matrix, 4, inverse, &singular, 1, NULL, NULL),
            HANSE_OK);
        assert_false(singular);
        for (size_t i = 0; i < 4; i++)
            for (size_t j = 0; j < 4; j++) {
                const double expected = ((i + j) % 2 == 0 ? 1.0 : -1.0) *
                                        minor_of(matrix, j, i) / determinant;
                if (!(inverse[4 * i + j] == expected))
                    fail_msg("%.17g is not %.17g", inverse[4 * i + j],
                             expected);
            }
        n_checked++;
    }
}

static void singular_matrices_are_found(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 100; n += 33) {
        double *matrix = random_matrix(n), *inverse = random_matrix(n);
        bool singular = false;
        /* The last row is the sum of the others. */
        for (size_t j = 0; j < n; j++) {
            matrix[(n - 1) * n + j] = 0.0;
            for (size_t i = 0; i + 1 < n; i++)
                matrix[(n - 1) * n + j] += matrix[i * n + j];
        }
        assert_int_equal(
            hanse_dense_invert(matrix, n, inverse, &singular, 2, NULL, NULL),
            HANSE_OK);
        assert_true(singular);
        free(matrix);
        free(inverse);
    }
}

/* Miller and Blair's first example: two sectors. */
static void two_sectors_as_in_the_book(void **state)
{
    (void)state;
    const double flows[] = {150, 500, 200, 100};
    const double totals[] = {1000, 2000};
    const double input[] = {0.15, 0.25, 0.2, 0.05};
    /* Determinant 0.85 * 0.95 - 0.25 * 0.2 = 0.7575. */
    const double leontief[] = {0.95 / 0.7575, 0.25 / 0.7575, 0.2 / 0.7575,
                               0.85 / 0.7575};
    hanse_budget budget = {0};
    hanse_linkages l;
    assert_int_equal(
        hanse_linkages_compute(flows, totals, 2, 1, &budget, &l, NULL),
        HANSE_OK);
    const double all = 2.25 / 0.7575;
    for (size_t i = 0; i < 2; i++) {
        const size_t o = 1 - i;
        for (size_t j = 0; j < 2; j++) {
            assert_near(
                hanse_linkages_input(&l, flows[2 * i + j], totals[j], i, j),
                input[2 * i + j]);
            assert_near(l.leontief[2 * i + j], leontief[2 * i + j]);
            assert_near(
                hanse_linkages_output(&l, flows[2 * i + j], totals[i], i, j),
                flows[2 * i + j] / totals[i]);
            assert_near(hanse_linkages_ghosh(&l, totals[i], totals[j], i, j),
                        leontief[2 * i + j] * totals[j] / totals[i]);
        }
        assert_int_equal(l.status[i], HANSE_MODEL_OK);
        assert_near(l.backward_direct[i], input[i] + input[2 + i]);
        assert_near(l.backward_total[i], leontief[i] + leontief[2 + i]);
        assert_near(l.forward_direct[i],
                    (flows[2 * i] + flows[2 * i + 1]) / totals[i]);
        assert_near(l.forward_total[i], leontief[3 * i] + leontief[2 * i + o] *
                                                              totals[o] /
                                                              totals[i]);
        assert_near(l.power[i], 2 * (leontief[i] + leontief[2 + i]) / all);
        assert_near(l.sensitivity[i],
                    2 * (leontief[2 * i] + leontief[2 * i + 1]) / all);
    }
    hanse_linkages_clear(&l);
    assert_int_equal(atomic_load(&budget.used_bytes), 0);
}

/* With groups that have no total in between, the others are what they are
 * without them, to the bit. */
static void groups_without_total_change_nothing(void **state)
{
    (void)state;
    enum {
        N = 40,
        M = N + 8
    };
    static double flows[N * N], totals[N], more[M * M], more_totals[M];
    size_t place[N], n = 0;
    for (size_t i = 0; i < N * N; i++)
        flows[i] = random_number();
    for (size_t i = 0; i < N; i++)
        totals[i] = 30.0 + random_number();
    for (size_t i = 0; i < M; i++) {
        more_totals[i] = i % 6 != 1 ? totals[n]
                         : i == 1   ? -1.0
                         : i == 7   ? INFINITY
                                    : 0.0;
        if (i % 6 != 1)
            place[n++] = i;
    }
    assert_int_equal(n, N);
    for (size_t i = 0; i < M * M; i++)
        more[i] = random_number();
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            more[place[i] * M + place[j]] = flows[i * N + j];
    hanse_linkages a, b;
    assert_int_equal(
        hanse_linkages_compute(flows, totals, N, 1, NULL, &a, NULL), HANSE_OK);
    assert_int_equal(
        hanse_linkages_compute(more, more_totals, M, 3, NULL, &b, NULL),
        HANSE_OK);
    assert_int_equal(b.status[1], HANSE_MODEL_NEGATIVE);
    assert_int_equal(b.status[7], HANSE_MODEL_NOT_FINITE);
    assert_int_equal(b.status[13], HANSE_MODEL_ZERO);
    assert_true(isnan(b.power[13]));
    assert_true(isnan(b.forward_direct[13]));
    assert_true(hanse_linkages_input(&b, more[13], more_totals[13], 0, 13) ==
                0.0);
    assert_true(b.leontief[13 * M + 13] == 0.0);
    for (size_t i = 0; i < N; i++) {
        const size_t k = place[i];
        assert_int_equal(b.status[k], HANSE_MODEL_OK);
        assert_true(a.backward_direct[i] == b.backward_direct[k]);
        assert_true(a.backward_total[i] == b.backward_total[k]);
        assert_true(a.forward_direct[i] == b.forward_direct[k]);
        assert_true(a.forward_total[i] == b.forward_total[k]);
        assert_true(a.power[i] == b.power[k]);
        assert_true(a.sensitivity[i] == b.sensitivity[k]);
        for (size_t j = 0; j < N; j++)
            assert_true(a.leontief[i * N + j] == b.leontief[k * M + place[j]]);
    }
    hanse_linkages_clear(&a);
    hanse_linkages_clear(&b);
}

static void rounds_without_end_are_not_summed(void **state)
{
    (void)state;
    /* All that is made goes round. */
    const double flows[] = {1, 2, 0, 3, 1, 0, 0, 0, 1};
    const double totals[] = {4, 3, 2};
    hanse_linkages l;
    assert_int_equal(
        hanse_linkages_compute(flows, totals, 3, 1, NULL, &l, NULL), HANSE_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(l.status[i], HANSE_MODEL_NOT_CONVERGED);
        assert_true(isnan(l.backward_total[i]));
        assert_true(isnan(l.power[i]));
    }
    assert_near(l.backward_direct[2], 0.5);
    hanse_linkages_clear(&l);

    const double hole[] = {1, NAN, 0, 1};
    assert_int_equal(hanse_linkages_compute(hole, totals, 2, 1, NULL, &l, NULL),
                     HANSE_OK);
    assert_int_equal(l.status[0], HANSE_MODEL_NOT_FINITE);
    assert_true(isnan(l.forward_direct[1]));
    hanse_linkages_clear(&l);
}

static void limits_are_kept(void **state)
{
    (void)state;
    const double flows[] = {1, 2, 3, 4}, totals[] = {9, 9};
    hanse_error error;
    hanse_linkages l;
    assert_int_equal(hanse_linkages_compute(flows, totals,
                                            HANSE_LINKAGES_GROUPS_MAX + 1, 1,
                                            NULL, &l, &error),
                     HANSE_ERR_LIMIT);
    unsigned n_refused = 0;
    hanse_status status = HANSE_ERR_LIMIT;
    for (uint64_t limit = 10; status != HANSE_OK; limit += 50) {
        hanse_budget budget = {.limit_bytes = limit};
        status =
            hanse_linkages_compute(flows, totals, 2, 1, &budget, &l, &error);
        if (status == HANSE_OK)
            hanse_linkages_clear(&l);
        else
            assert_int_equal(status, HANSE_ERR_LIMIT);
        n_refused += status != HANSE_OK;
        assert_int_equal(atomic_load(&budget.used_bytes), 0);
    }
    assert_true(n_refused > 5);
    assert_int_equal(hanse_linkages_compute(NULL, NULL, 0, 1, NULL, &l, NULL),
                     HANSE_OK);
    hanse_linkages_clear(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inverse_gives_back_the_unit_matrix),
        cmocka_unit_test(inverses_are_rounded_once),
        cmocka_unit_test(singular_matrices_are_found),
        cmocka_unit_test(two_sectors_as_in_the_book),
        cmocka_unit_test(groups_without_total_change_nothing),
        cmocka_unit_test(rounds_without_end_are_not_summed),
        cmocka_unit_test(limits_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
