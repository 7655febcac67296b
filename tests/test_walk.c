/* SPDX-License-Identifier: Apache-2.0
 *
 * Walk sums: against series known in closed form, identities, limits that do
 * not exist, and threads.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/models/term_sum.h"
#include "engine/models/walk.h"
#include "tests/network_of.h"

static void assert_near(double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance * fabs(expected)))
        fail_msg("%.17g is not %.17g", found, expected);
}

static hanse_network build(const hanse_links *links, size_t n_rows,
                           bool normalise)
{
    const hanse_network_options options = {.n_threads = 2,
                                           .normalise = normalise};
    hanse_network network;
    assert_int_equal(network_of(links, n_rows, &options, &network, NULL),
                     HANSE_OK);
    return network;
}

static hanse_walk_report sums(const hanse_network *network, const double *start,
                              hanse_walk_spec spec, size_t n_threads,
                              double *out)
{
    hanse_walk_report report;
    const hanse_walk walk = {network, start, spec, n_threads, NULL, NULL};
    assert_int_equal(hanse_walk_sums(&walk, out, &report, NULL), HANSE_OK);
    return report;
}

/* 0 -> 1 -> 2 -> 3 with weight 0.5, and 3 -> 3. */
static const uint32_t chain_sources[] = {0, 1, 2, 3};
static const uint32_t chain_targets[] = {1, 2, 3, 3};
static const double chain_weights[] = {0.5, 0.5, 0.5, 0.5};
static const hanse_links chain = {4, chain_sources, chain_targets,
                                  chain_weights};

static void chain_gives_geometric_series(void **state)
{
    (void)state;
    const double start[] = {8, 0, 0, 1};
    double out[4];
    hanse_network network = build(&chain, 4, false);
    const size_t hops[] = {0, 1, 2, 3, 60};
    for (size_t h = 0; h < 5; h++) {
        const hanse_walk_report report =
            sums(&network, start, (hanse_walk_spec){0.5, hops[h], 1e-12, 100},
                 1, out);
        assert_int_equal(report.n_steps, hops[h]);
        assert_true(report.has_converged);
        assert_true(out[0] == 8.0);
        assert_true(out[1] == (hops[h] >= 1 ? 2.0 : 0.0));
        assert_true(out[2] == (hops[h] >= 2 ? 0.5 : 0.0));
        double last = 0.0;
        for (size_t k = 0; k <= hops[h]; k++)
            last += ldexp(1.0, -2 * (int)k) +
                    (k >= 3 ? 8 * ldexp(1.0, -2 * (int)k) : 0.0);
        assert_near(out[3], last, 1e-15);
    }
    const hanse_walk_report report =
        sums(&network, start,
             (hanse_walk_spec){0.5, HANSE_WALK_LIMIT, 1e-15, 100}, 2, out);
    assert_true(report.has_converged);
    assert_true(report.n_steps > 10 && report.n_steps < 40);
    assert_near(out[3], (1.0 + 0.125) / 0.75, 1e-14);
    hanse_network_clear(&network);
}

/* No decay, no hops: what each row has itself. Infinite values stay alone. */
static void without_decay_nothing_moves(void **state)
{
    (void)state;
    const double start[] = {INFINITY, -1, 2, 3};
    double out[4];
    hanse_network network = build(&chain, 4, false);
    const size_t hops[] = {0, 5, HANSE_WALK_LIMIT};
    for (size_t h = 0; h < 3; h++) {
        sums(&network, start, (hanse_walk_spec){0.0, hops[h], 1e-12, 9}, 1,
             out);
        assert_memory_equal(out, start, sizeof out);
    }
    hanse_network_clear(&network);
}

static void missing_rows_have_what_they_receive(void **state)
{
    (void)state;
    const double start[] = {8, NAN, NAN, NAN};
    double out[4];
    hanse_network network = build(&chain, 4, false);
    sums(&network, start, (hanse_walk_spec){0.5, 2, 1e-12, 9}, 1, out);
    assert_true(out[0] == 8.0);
    assert_true(out[1] == 2.0);
    assert_true(out[2] == 0.5);
    assert_true(isnan(out[3]));
    hanse_network_clear(&network);
}

/* A sum that is 0 in the end: its terms become small beside one another. */
static void limit_of_what_cancels_is_found(void **state)
{
    static const uint32_t sources[] = {0, 0};
    static const uint32_t targets[] = {0, 1};
    static const hanse_links links = {2, sources, targets, NULL};
    (void)state;
    const double start[] = {1, -1};
    double out[2];
    hanse_network network = build(&links, 2, false);
    const hanse_walk_report report =
        sums(&network, start,
             (hanse_walk_spec){0.5, HANSE_WALK_LIMIT, 1e-12, 100}, 2, out);
    assert_true(report.has_converged && report.n_steps < 60);
    assert_near(out[0], 2.0, 1e-11);
    assert_true(fabs(out[1]) <= 1e-11);
    hanse_network_clear(&network);
}

/* Infinities that meet, or a weight of 0, undefine a row for good; a row that
 * nothing has reached is missing. The limit waits for them. */
static void infinities_that_meet_are_undefined(void **state)
{
    static const uint32_t sources[] = {0, 1, 2, 4, 5, 6};
    static const uint32_t targets[] = {3, 3, 3, 5, 6, 7};
    static const double weights[] = {0.5, 0.5, 0.5, 0.5, 0.5, 0};
    static const hanse_links links = {6, sources, targets, weights};
    (void)state;
    const double start[] = {INFINITY, -INFINITY, 5, NAN, INFINITY,
                            NAN,      1,         2, NAN};
    const size_t hops[] = {1, 4, HANSE_WALK_LIMIT};
    double out[9];
    hanse_network network = build(&links, 9, false);
    for (size_t h = 0; h < 3; h++) {
        sums(&network, start, (hanse_walk_spec){0.5, hops[h], 1e-12, 50}, 1,
             out);
        assert_true(isnan(out[3]) && hanse_walk_is_undefined(out[3]));
        assert_true(isnan(out[8]) && !hanse_walk_is_undefined(out[8]));
        assert_true(out[5] == INFINITY && out[2] == 5.0);
        assert_true(h == 0 ? out[6] == 1.0 : out[6] == INFINITY);
        assert_true(h == 0 ? out[7] == 2.0 : hanse_walk_is_undefined(out[7]));
    }
    hanse_network_clear(&network);
}

/* Two rows that give each other 1.25 times what they have. */
static void limit_that_does_not_exist_is_not_found(void **state)
{
    (void)state;
    const uint32_t sources[] = {0, 1, 2}, targets[] = {1, 0, 0};
    /* A start that only a tiny link leads into the circle from. */
    const double weights[] = {1.25, 1.25, 1e-30};
    const double start[] = {0, 0, 1};
    const hanse_links links = {3, sources, targets, weights};
    double out[3];
    hanse_network network = build(&links, 3, false);
    const hanse_walk_spec beyond = {0.9, HANSE_WALK_LIMIT, 1e-9, 500};
    hanse_walk_report report = sums(&network, start, beyond, 1, out);
    assert_false(report.has_converged);
    for (size_t i = 0; i < 3; i++)
        assert_true(isnan(out[i]));
    /* Below it there is one: q_0 = c / (1 - g^2), g = 0.9375, c = 0.75e-30 */
    const hanse_walk_spec within = {0.75, HANSE_WALK_LIMIT, 1e-15, 2000};
    report = sums(&network, start, within, 1, out);
    assert_true(report.has_converged);
    assert_near(out[0], 0.75e-30 / (1.0 - 0.9375 * 0.9375), 1e-12);
    /* But not in three steps. */
    const hanse_walk_spec brief = {0.75, HANSE_WALK_LIMIT, 1e-15, 3};
    report = sums(&network, start, brief, 1, out);
    assert_false(report.has_converged);
    assert_true(isnan(out[0]));
    hanse_network_clear(&network);
}

static bool go_twice(void *context)
{
    return --*(int *)context >= 0;
}

static void walk_stops_when_told_to(void **state)
{
    (void)state;
    const double start[] = {8, 0, 0, 1};
    double out[4];
    int left = 2;
    hanse_walk_report report;
    hanse_network network = build(&chain, 4, false);
    const hanse_walk walk = {&network, start,    {0.5, 3, 1, 1},
                             1,        go_twice, &left};
    assert_int_equal(hanse_walk_sums(&walk, out, &report, NULL),
                     HANSE_ERR_INTERRUPTED);
    assert_int_equal(left, -1);
    hanse_network_clear(&network);
}

static void normalised_walk_keeps_its_sum(void **state)
{
    (void)state;
    enum {
        N = 70000,
        PER_ROW = 3,
        N_LINKS = N * PER_ROW
    };
    uint32_t *sources = malloc(N_LINKS * sizeof *sources);
    uint32_t *targets = malloc(N_LINKS * sizeof *targets);
    double *weights = malloc(N_LINKS * sizeof *weights);
    double *start = malloc(N * sizeof *start);
    double *one = malloc(N * sizeof *one), *other = malloc(N * sizeof *other);
    for (uint32_t k = 0; k < N_LINKS; k++) {
        sources[k] = k / PER_ROW;
        targets[k] = (uint32_t)((k * (uint64_t)2654435761u >> 5) % N);
        weights[k] = 0.1 + (k % 17);
    }
    for (size_t i = 0; i < N; i++)
        start[i] = (double)(i % 1000) / 7;
    const hanse_links links = {N_LINKS, sources, targets, weights};
    hanse_network network = build(&links, N, true);
    double factor = 1.0, expected = 1.0;
    for (size_t hops = 1; hops <= 4; hops++) {
        factor *= 0.7;
        expected += factor;
        sums(&network, start, (hanse_walk_spec){0.7, hops, 1, 1}, 1, one);
        assert_near(hanse_sparse_dot(NULL, one, NULL, N),
                    expected * hanse_sparse_dot(NULL, start, NULL, N), 1e-13);
    }
    for (size_t n_threads = 1; n_threads <= 8; n_threads += n_threads) {
        const hanse_walk_report report =
            sums(&network, start,
                 (hanse_walk_spec){0.7, HANSE_WALK_LIMIT, 1e-14, 500},
                 n_threads, n_threads == 1 ? one : other);
        assert_true(report.has_converged);
        if (n_threads > 1)
            assert_memory_equal(one, other, N * sizeof *one);
    }
    assert_near(hanse_sparse_dot(NULL, one, NULL, N),
                hanse_sparse_dot(NULL, start, NULL, N) / 0.3, 1e-12);
    hanse_network_clear(&network);
    free(sources);
    free(targets);
    free(weights);
    free(start);
    free(one);
    free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chain_gives_geometric_series),
        cmocka_unit_test(without_decay_nothing_moves),
        cmocka_unit_test(missing_rows_have_what_they_receive),
        cmocka_unit_test(limit_of_what_cancels_is_found),
        cmocka_unit_test(infinities_that_meet_are_undefined),
        cmocka_unit_test(limit_that_does_not_exist_is_not_found),
        cmocka_unit_test(walk_stops_when_told_to),
        cmocka_unit_test(normalised_walk_keeps_its_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
