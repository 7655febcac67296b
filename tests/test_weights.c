/* SPDX-License-Identifier: Apache-2.0
 *
 * Weights of indicators against the definitions, worked out on the values.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/models/weights.h"

enum {
    N = 5,
    M = 3
};

/* Two benefits and, last, a cost. */
static const double raw[M][N] = {
    {1, 4, 2, 8, 3}, {10, 10, 30, 20, 50}, {0.5, 0.1, 0.9, 0.4, 0.3}};

static void assert_near(double expected, double found)
{
    if (!(fabs(expected - found) <= 1e-13 * fabs(expected)))
        fail_msg("expected %.17g, found %.17g", expected, found);
}

/* Min-max values. */
static void normalise(double y[M][N])
{
    for (int j = 0; j < M; j++) {
        double low = raw[j][0], high = raw[j][0];
        for (int i = 1; i < N; i++) {
            low = fmin(low, raw[j][i]);
            high = fmax(high, raw[j][i]);
        }
        for (int i = 0; i < N; i++)
            y[j][i] = (j == M - 1 ? high - raw[j][i] : raw[j][i] - low) /
                      (high - low);
    }
}

static double mean(const double *x)
{
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += x[i];
    return sum / N;
}

static double covariance(const double *x, const double *y)
{
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += (x[i] - mean(x)) * (y[i] - mean(y));
    return sum / (N - 1);
}

static double correlation(const double *x, const double *y)
{
    return covariance(x, y) / sqrt(covariance(x, x) * covariance(y, y));
}

/* What a pass finds, and the correlations of the raw values. */
static void summarise(hanse_indicator_sums *sums, double *correlations)
{
    double y[M][N];
    normalise(y);
    for (int j = 0; j < M; j++) {
        sums[j] = (hanse_indicator_sums){.given = j + 1.0,
                                         .is_cost = j == M - 1,
                                         .sd = sqrt(covariance(y[j], y[j]))};
        for (int i = 0; i < N; i++) {
            sums[j].sum_y += y[j][i];
            if (y[j][i] > 0)
                sums[j].sum_y_log_y += y[j][i] * log(y[j][i]);
        }
        for (int k = 0; k < M; k++)
            correlations[j * M + k] = correlation(raw[j], raw[k]);
    }
}

static void fixed_and_equal_weights_sum_to_one(void **state)
{
    (void)state;
    hanse_indicator_sums sums[M];
    double correlations[M * M], w[M];
    summarise(sums, correlations);
    assert_int_equal(hanse_weigh(HANSE_WEIGHTS_FIXED, sums, M, N, NULL, w),
                     HANSE_MODEL_OK);
    for (int j = 0; j < M; j++)
        assert_near((j + 1) / 6.0, w[j]);
    assert_int_equal(hanse_weigh(HANSE_WEIGHTS_EQUAL, sums, M, N, NULL, w),
                     HANSE_MODEL_OK);
    for (int j = 0; j < M; j++)
        assert_near(1 / 3.0, w[j]);
}

static void entropy_weights_are_those_of_shares(void **state)
{
    (void)state;
    hanse_indicator_sums sums[M];
    double correlations[M * M], w[M], y[M][N], d[M], total = 0;
    summarise(sums, correlations);
    normalise(y);
    for (int j = 0; j < M; j++) {
        double entropy = 0;
        for (int i = 0; i < N; i++) {
            const double p = y[j][i] / (N * mean(y[j]));
            entropy -= p > 0 ? p * log(p) / log(N) : 0;
        }
        d[j] = 1 - entropy;
        total += d[j];
    }
    assert_int_equal(hanse_weigh(HANSE_WEIGHTS_ENTROPY, sums, M, N, NULL, w),
                     HANSE_MODEL_OK);
    for (int j = 0; j < M; j++)
        assert_near(d[j] / total, w[j]);
}

static void critic_weights_are_those_of_normalised_values(void **state)
{
    (void)state;
    hanse_indicator_sums sums[M];
    double correlations[M * M], w[M], y[M][N], c[M], total = 0;
    summarise(sums, correlations);
    normalise(y);
    for (int j = 0; j < M; j++) {
        c[j] = 0;
        for (int k = 0; k < M; k++)
            if (k != j)
                c[j] += 1 - correlation(y[j], y[k]);
        c[j] *= sqrt(covariance(y[j], y[j]));
        total += c[j];
    }
    assert_int_equal(
        hanse_weigh(HANSE_WEIGHTS_CRITIC, sums, M, N, correlations, w),
        HANSE_MODEL_OK);
    for (int j = 0; j < M; j++)
        assert_near(c[j] / total, w[j]);
}

static void constant_indicators_have_no_weight(void **state)
{
    (void)state;
    static const hanse_weighting of_data[] = {HANSE_WEIGHTS_ENTROPY,
                                              HANSE_WEIGHTS_CRITIC};
    for (int a = 0; a < 2; a++) {
        hanse_indicator_sums sums[M];
        double correlations[M * M], w[M];
        summarise(sums, correlations);
        sums[1] = (hanse_indicator_sums){.is_constant = true};
        for (int k = 0; k < M; k++)
            correlations[M + k] = correlations[k * M + 1] = (double)NAN;
        assert_int_equal(hanse_weigh(of_data[a], sums, M, N, correlations, w),
                         HANSE_MODEL_CONSTANT);
        assert_true(w[1] == 0.0 && w[0] > 0.0);
        assert_near(1.0, w[0] + w[2]);
        for (int j = 0; j < M; j++)
            sums[j].is_constant = true;
        assert_int_equal(hanse_weigh(of_data[a], sums, M, N, correlations, w),
                         HANSE_MODEL_CONSTANT);
        for (int j = 0; j < M; j++)
            assert_near(1 / 3.0, w[j]);
    }
}

static void too_few_records_have_equal_weights(void **state)
{
    (void)state;
    hanse_indicator_sums sums[M];
    double correlations[M * M], w[M];
    summarise(sums, correlations);
    assert_int_equal(hanse_weigh(HANSE_WEIGHTS_ENTROPY, sums, M, 1, NULL, w),
                     HANSE_MODEL_FEW);
    assert_near(1 / 3.0, w[0]);
    assert_int_equal(
        hanse_weigh(HANSE_WEIGHTS_CRITIC, sums, M, 0, correlations, w),
        HANSE_MODEL_EMPTY);
    assert_near(1 / 3.0, w[2]);
    assert_int_equal(
        hanse_weigh(HANSE_WEIGHTS_CRITIC, sums, 1, N, correlations, w),
        HANSE_MODEL_FEW);
    assert_true(w[0] == 1.0);
}

static void indicators_without_a_total_have_no_weight(void **state)
{
    (void)state;
    hanse_indicator_sums sums[M];
    double correlations[M * M], w[M];
    summarise(sums, correlations);
    sums[0].sum_y = sums[0].sum_y_log_y = 0.0;
    assert_int_equal(hanse_weigh(HANSE_WEIGHTS_ENTROPY, sums, M, N, NULL, w),
                     HANSE_MODEL_OK);
    assert_true(w[0] == 0.0);
    assert_near(1.0, w[1] + w[2]);
    for (int j = 0; j < M; j++)
        sums[j].sum_y = 0.0;
    assert_int_equal(hanse_weigh(HANSE_WEIGHTS_ENTROPY, sums, M, N, NULL, w),
                     HANSE_MODEL_ZERO);
    assert_near(1 / 3.0, w[1]);
}

static void bad_weights_are_infeasible(void **state)
{
    (void)state;
    static const double bad[][M] = {
        {1, -1, 2}, {0, 0, 0}, {1, (double)NAN, 1}, {1, (double)INFINITY, 1}};
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        hanse_indicator_sums sums[M] = {0};
        double w[M];
        for (int j = 0; j < M; j++)
            sums[j].given = bad[k][j];
        assert_int_equal(hanse_weigh(HANSE_WEIGHTS_FIXED, sums, M, N, NULL, w),
                         HANSE_MODEL_INFEASIBLE);
        assert_true(isnan(w[0]));
    }
    hanse_indicator_sums sums[M];
    double correlations[M * M], w[M];
    summarise(sums, correlations);
    sums[2].sum_y = (double)INFINITY;
    assert_int_equal(hanse_weigh(HANSE_WEIGHTS_ENTROPY, sums, M, N, NULL, w),
                     HANSE_MODEL_NOT_FINITE);
    assert_true(isnan(w[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_and_equal_weights_sum_to_one),
        cmocka_unit_test(entropy_weights_are_those_of_shares),
        cmocka_unit_test(critic_weights_are_those_of_normalised_values),
        cmocka_unit_test(constant_indicators_have_no_weight),
        cmocka_unit_test(too_few_records_have_equal_weights),
        cmocka_unit_test(indicators_without_a_total_have_no_weight),
        cmocka_unit_test(bad_weights_are_infeasible),
    };
    return cmocka_run_group_tests_name("weights", tests, NULL, NULL);
}
