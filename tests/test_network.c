/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks against the plainest way to do the same, and sums of terms against
 * 128-bit integers and against long integers.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/models/network.h"
#include "engine/models/term_sum.h"
#include "engine/wide.h"
#include "tests/network_of.h"

/* Steele, Lea, Flood 2014. */
static uint64_t random_state = 1;

static uint64_t next_random(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(size_t n)
{
    return (size_t)(next_random() % n);
}

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static void assert_same(double x, double y)
{
    if (bits_of(x) != bits_of(y))
        fail_msg("%a is not %a", x, y);
}

/* ---- Sums of terms ------------------------------------------------------ */

/* Terms are whole numbers of 53 bits times 2^0 to 2^60: their sum fits into
 * 128 bits, which the compiler's conversion rounds to nearest even. */
static void sum_of_random_terms_is_rounded_once(void **state)
{
    (void)state;
    for (int round = 0; round < 200000; round++) {
        double x[12];
        const size_t n = below(13);
        const unsigned span = (unsigned)below(61);
        __int128 sum = 0;
        for (size_t k = 0; k < n; k++) {
            const uint64_t magnitude =
                next_random() >> (11 + below(round % 2 != 0 ? 50 : 1));
            const unsigned shift = (unsigned)below(span + 1);
            /* Cancel what is there now and then. */
            if (k > 0 && below(3) == 0)
                x[k] = -x[below(k)];
            else
                x[k] = ldexp((double)magnitude, (int)shift) *
                       (below(2) == 0 ? 1 : -1);
            sum += (__int128)x[k];
        }
        assert_same(hanse_sparse_dot(NULL, x, NULL, n), (double)sum);
    }
}

static double wide_sum(const double *x, size_t n)
{
    hanse_wide sum, term;
    hanse_wide_from_double(&sum, 0.0);
    for (size_t k = 0; k < n; k++) {
        hanse_wide_from_double(&term, x[k]);
        hanse_wide_add(&sum, &term);
    }
    return hanse_wide_round(&sum);
}

static void sum_over_all_exponents_is_rounded_once(void **state)
{
    (void)state;
    for (int round = 0; round < 100000; round++) {
        double x[10];
        const size_t n = below(11);
        const uint64_t centre = below(2046), width = 1 + below(200);
        for (size_t k = 0; k < n; k++) {
            uint64_t exponent = centre + below(width);
            if (exponent > 2046)
                exponent = 2046;
            const uint64_t bits =
                (next_random() & ~((uint64_t)0x7ff << 52)) | exponent << 52;
            memcpy(&x[k], &bits, sizeof bits);
            if (k > 0 && below(4) == 0)
                x[k] = -x[k - 1];
        }
        assert_same(hanse_sparse_dot(NULL, x, NULL, n), wide_sum(x, n));
    }
}

static void ties_are_decided_by_the_smallest_term(void **state)
{
    (void)state;
    const double above[] = {1.0, 0x1p-53, 0x1p-160};
    const double half[] = {1.0, 0x1p-53};
    const double under[] = {1.0, 0x1p-52, 0x1p-53, -0x1p-400};
    const double lost[] = {0x1p100, 0x1p-60, 1.0, -0x1p100};
    assert_same(hanse_sparse_dot(NULL, above, NULL, 3), 1.0 + DBL_EPSILON);
    assert_same(hanse_sparse_dot(NULL, half, NULL, 2), 1.0);
    assert_same(hanse_sparse_dot(NULL, under, NULL, 4), 1.0 + DBL_EPSILON);
    assert_same(hanse_sparse_dot(NULL, lost, NULL, 4), 1.0);
}

static void sum_of_what_is_not_finite_is_that_of_ieee(void **state)
{
    (void)state;
    const double high[] = {1.0, INFINITY, 2.0};
    const double low[] = {-INFINITY, DBL_MAX, -INFINITY};
    const double both[] = {INFINITY, 1.0, -INFINITY};
    const double hole[] = {1.0, -NAN, INFINITY};
    const double back[] = {DBL_MAX, DBL_MAX, -DBL_MAX};
    const double beyond[] = {DBL_MAX, DBL_MAX};
    const double zeros[] = {-0.0, -0.0};
    assert_same(hanse_sparse_dot(NULL, high, NULL, 3), INFINITY);
    assert_same(hanse_sparse_dot(NULL, low, NULL, 3), -INFINITY);
    assert_same(hanse_sparse_dot(NULL, both, NULL, 3), NAN);
    assert_same(hanse_sparse_dot(NULL, hole, NULL, 3), NAN);
    assert_same(hanse_sparse_dot(NULL, back, NULL, 3), DBL_MAX);
    assert_same(hanse_sparse_dot(NULL, beyond, NULL, 2), INFINITY);
    assert_same(hanse_sparse_dot(NULL, zeros, NULL, 2), 0.0);
    assert_same(hanse_sparse_dot(NULL, zeros, NULL, 0), 0.0);
}

static void long_sums_are_rounded_once_in_any_order(void **state)
{
    (void)state;
    enum {
        N = 300000
    };
    double *x = malloc(N * sizeof *x);
    assert_non_null(x);
    for (size_t k = 0; k < N; k++)
        x[k] = ldexp((double)(int64_t)next_random(), -(int)below(100));
    const double expected = wide_sum(x, N);
    assert_same(hanse_sparse_dot(NULL, x, NULL, N), expected);
    for (size_t k = N - 1; k > 0; k--) {
        const size_t other = below(k + 1);
        const double kept = x[k];
        x[k] = x[other];
        x[other] = kept;
    }
    assert_same(hanse_sparse_dot(NULL, x, NULL, N), expected);
    free(x);
}

static void rest_is_what_the_terms_leave(void **state)
{
    (void)state;
    const double tenths[] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
    const double thirds[] = {1.0 / 3, 1.0 / 3, 1.0 / 3};
    /* 0.1 is 2^-55 * 3602879701896397 rounded up. */
    assert_same(hanse_rest_of(1.0, tenths, 10), -0x1p-54);
    assert_same(hanse_rest_of(1.0, thirds, 3), 0x1p-54);
    assert_same(hanse_rest_of(1.0, thirds, 0), 1.0);
}

/* ---- Networks ----------------------------------------------------------- */

typedef struct sample {
    size_t n_rows;
    size_t n;
    uint32_t *sources;
    uint32_t *targets;
    double *weights;
    uint8_t *keep;
    double *x;
} sample;

/* `hub`: of so many links one goes to row n_rows / 2. */
static sample make_sample(size_t n_rows, size_t n, size_t hub)
{
    sample s = {n_rows,
                n,
                malloc((n + 1) * sizeof *s.sources),
                malloc((n + 1) * sizeof *s.targets),
                malloc((n + 1) * sizeof *s.weights),
                malloc(n_rows + 1),
                malloc((n_rows + 1) * sizeof *s.x)};
    for (size_t k = 0; k < n; k++) {
        s.sources[k] = (uint32_t)below(n_rows);
        s.targets[k] = (uint32_t)(hub != 0 && below(hub) == 0 ? n_rows / 2
                                                              : below(n_rows));
        s.weights[k] =
            below(8) == 0 ? 0.0 : ldexp((double)(next_random() >> 11), -50);
    }
    for (size_t i = 0; i < n_rows; i++) {
        s.keep[i] = below(5) != 0;
        s.x[i] = ldexp((double)(int64_t)next_random(), -(int)below(80));
    }
    return s;
}

static void free_sample(sample *s)
{
    free(s->sources);
    free(s->targets);
    free(s->weights);
    free(s->keep);
    free(s->x);
}

static void shuffle_links(sample *s)
{
    for (size_t k = s->n; k > 1; k--) {
        const size_t other = below(k);
        const uint32_t source = s->sources[k - 1], target = s->targets[k - 1];
        const double weight = s->weights[k - 1];
        s->sources[k - 1] = s->sources[other];
        s->targets[k - 1] = s->targets[other];
        s->weights[k - 1] = s->weights[other];
        s->sources[other] = source;
        s->targets[other] = target;
        s->weights[other] = weight;
    }
}

static bool is_used(const sample *s, const uint8_t *keep, size_t k)
{
    return keep == NULL ||
           (keep[s->sources[k]] != 0 && keep[s->targets[k]] != 0);
}

/* The step by scattering products into lists, row by row. */
static void expected_step(const sample *s, bool weighted,
                          const hanse_network_options *options, double factor,
                          double *out)
{
    double *weights = malloc((s->n + 1) * sizeof *weights);
    double *terms = malloc((s->n + 1) * sizeof *terms);
    size_t *next = calloc(s->n_rows + 1, sizeof *next);
    for (int by_target = 0; by_target < 2; by_target++) {
        const uint32_t *rows = by_target != 0 ? s->targets : s->sources;
        memset(next, 0, (s->n_rows + 1) * sizeof *next);
        for (size_t k = 0; k < s->n; k++)
            if (is_used(s, options->keep, k))
                next[rows[k] + 1]++;
        for (size_t i = 0; i < s->n_rows; i++)
            next[i + 1] += next[i];
        for (size_t k = 0; k < s->n; k++) {
            const double weight = weighted ? s->weights[k] : 1.0;
            if (is_used(s, options->keep, k))
                terms[next[rows[k]]++] =
                    by_target != 0 ? weights[k] * s->x[s->sources[k]] : weight;
            if (by_target == 0)
                weights[k] = weight;
        }
        /* Now next[i] is the end of row i. */
        for (size_t i = 0; i < s->n_rows; i++) {
            const size_t begin = i == 0 ? 0 : next[i - 1];
            out[i] = wide_sum(terms + begin, next[i] - begin);
            if (by_target != 0)
                out[i] *= factor;
        }
        for (size_t k = 0; k < s->n && options->normalise && by_target == 0;
             k++)
            weights[k] = out[s->sources[k]] == 0.0
                             ? 0.0
                             : weights[k] / out[s->sources[k]];
    }
    free(weights);
    free(terms);
    free(next);
}

static void check_step(const sample *s, bool weighted, bool normalise,
                       const uint8_t *keep, size_t n_threads)
{
    hanse_budget budget = {0};
    const hanse_network_options options = {.n_threads = n_threads,
                                           .budget = &budget,
                                           .normalise = normalise,
                                           .keep = keep};
    const hanse_links links = {s->n, s->sources, s->targets,
                               weighted ? s->weights : NULL};
    const hanse_network_size size =
        hanse_network_bytes(s->n_rows, s->n, weighted, &options);
    double *expected = malloc((s->n_rows + 1) * sizeof *expected);
    double *found = malloc((s->n_rows + 1) * sizeof *found);
    const hanse_step step = {.factor = 0.7, .x = s->x, .out = found};
    hanse_network network;
    hanse_error error = {0};
    if (network_of(&links, s->n_rows, &options, &network, &error) != HANSE_OK)
        fail_msg("%s", error.message);
    assert_true(atomic_load(&budget.used_bytes) <= size.kept_bytes);
    assert_true(atomic_load(&budget.peak_bytes) <= size.peak_bytes);
    assert_int_equal(hanse_network_step(&network, &step, n_threads, &error),
                     HANSE_OK);
    expected_step(s, weighted, &options, 0.7, expected);
    for (size_t i = 0; i < s->n_rows; i++)
        assert_same(found[i], expected[i]);
    hanse_network_clear(&network);
    assert_int_equal(atomic_load(&budget.used_bytes), 0);
    free(expected);
    free(found);
}

static const struct {
    size_t n_rows, n, hub;
} shapes[] = {{1, 0, 0},       {1, 1, 0},           {2, 5, 0},
              {7, 3, 0},       {100, 1000, 0},      {512, 3000, 0},
              {513, 3000, 2},  {5000, 300, 0},      {3000, 200000, 3},
              {70000, 100, 0}, {200000, 150000, 0}, {150000, 400000, 2}};

enum {
    N_SHAPES = sizeof shapes / sizeof shapes[0]
};

static void step_is_that_of_the_links(void **state)
{
    (void)state;
    const size_t threads[] = {1, 2, 3, 8};
    for (size_t i = 0; i < N_SHAPES; i++) {
        sample s = make_sample(shapes[i].n_rows, shapes[i].n, shapes[i].hub);
        for (unsigned choice = 0; choice < 8; choice++) {
            check_step(&s, choice & 1, choice & 2, choice & 4 ? s.keep : NULL,
                       threads[(i + choice) % 4]);
            shuffle_links(&s);
        }
        free_sample(&s);
    }
}

static void step_does_not_depend_on_order_or_threads(void **state)
{
    (void)state;
    sample s = make_sample(20000, 200000, 4);
    double *first = malloc(s.n_rows * sizeof *first);
    double *other = malloc(s.n_rows * sizeof *other);
    for (size_t n_threads = 1; n_threads <= 8; n_threads++) {
        const hanse_links links = {s.n, s.sources, s.targets, s.weights};
        const hanse_network_options options = {.n_threads = n_threads,
                                               .normalise = true};
        hanse_network network;
        hanse_error error;
        assert_int_equal(
            network_of(&links, s.n_rows, &options, &network, &error), HANSE_OK);
        const hanse_step step = {
            .factor = 0.5, .x = s.x, .out = n_threads == 1 ? first : other};
        assert_int_equal(hanse_network_step(&network, &step, n_threads, &error),
                         HANSE_OK);
        if (n_threads > 1)
            assert_memory_equal(first, other, s.n_rows * sizeof *first);
        hanse_network_clear(&network);
        shuffle_links(&s);
    }
    free(first);
    free(other);
    free_sample(&s);
}

/* Ties, what is lost below them, overflow on the way, zeros of both signs, and
 * what is not finite. */
static double hard_value(bool finite)
{
    static const double values[] = {1.0,       -1.0,
                                    0x1p-53,   -0x1p-53,
                                    0x1p-54,   0x1p-106,
                                    -0x1p-106, 3.0,
                                    -0.0,      0.0,
                                    0x1.8p-1,  DBL_TRUE_MIN,
                                    0x1p53,    1.0 + DBL_EPSILON,
                                    DBL_MAX,   -DBL_MAX,
                                    INFINITY,  -INFINITY,
                                    NAN};
    enum {
        N_VALUES = sizeof values / sizeof values[0],
        N_NOT_FINITE = 3,
        N_LARGE = 2
    };
    return values[below(N_VALUES - (finite ? N_NOT_FINITE + N_LARGE : 0))];
}

/* Rows of up to 12 links next to each other, about three on average, one of
 * them longer than a block; what the rows with a number that is a multiple of
 * three want is any of the values, the others finite ones. */
static void make_hard_links(sample *s)
{
    size_t k = 0;
    for (size_t i = 0; i < s->n_rows; i++)
        s->x[i] = hard_value(i % 2 == 0);
    for (size_t row = 0; row < s->n_rows; row++) {
        const size_t length = row == s->n_rows / 2 ? 1500
                              : below(4) == 0      ? below(13)
                                                   : below(4);
        for (size_t t = 0; t < length && k < s->n; t++, k++) {
            s->targets[k] = (uint32_t)row;
            s->sources[k] = (uint32_t)below(s->n_rows);
            if (row % 3 != 0)
                s->sources[k] &= ~UINT32_C(1);
            s->weights[k] = below(4) == 0 ? 0.5 : 1.0;
        }
    }
    s->n = k;
}

/* Rows of a step against their terms added as long integers. */
static void check_rows(const hanse_network *network, const double *x,
                       const double *found)
{
    for (size_t i = 0; i < network->n_rows; i++) {
        const uint64_t start = network->starts[i];
        const double *weights =
            network->weights == NULL ? NULL : network->weights + start;
        assert_same(found[i], hanse_sparse_dot_slowly(
                                  weights, x, network->sources + start,
                                  hanse_network_degree(network, i)));
    }
}

static void hard_rows_are_rounded_once(void **state)
{
    (void)state;
    for (size_t round = 0; round < 20; round++) {
        sample s = make_sample(4000 + below(1000), 20000, 0);
        make_hard_links(&s);
        double *found = malloc(s.n_rows * sizeof *found);
        const hanse_links links = {s.n, s.sources, s.targets,
                                   round % 2 == 0 ? s.weights : NULL};
        const hanse_network_options options = {.n_threads = 2};
        const hanse_step step = {.factor = 1.0, .x = s.x, .out = found};
        hanse_network network;
        assert_int_equal(network_of(&links, s.n_rows, &options, &network, NULL),
                         HANSE_OK);
        assert_int_equal(
            hanse_network_step(&network, &step, 1 + round % 3, NULL), HANSE_OK);
        check_rows(&network, s.x, found);
        hanse_network_clear(&network);
        free(found);
        free_sample(&s);
    }
}

typedef struct told {
    const double *out;
    uint8_t *times; /* [row] */
} told;

static void note_rows(void *context, size_t begin, size_t end)
{
    const told *t = context;
    for (size_t i = begin; i < end; i++)
        t->times[i] = (uint8_t)(t->times[i] + 1 + (t->out[i] == -1.0));
}

/* `then` hears of every row once, when its number is there. */
static void step_tells_of_every_row_once(void **state)
{
    (void)state;
    sample s = make_sample(150000, 400000, 2);
    double *out = malloc(s.n_rows * sizeof *out);
    told t = {out, calloc(s.n_rows, 1)};
    const hanse_links links = {s.n, s.sources, s.targets, NULL};
    const hanse_network_options options = {.n_threads = 3};
    hanse_network network;
    for (size_t i = 0; i < s.n_rows; i++) {
        s.x[i] = 1.0;
        out[i] = -1.0; /* no row has that */
    }
    const hanse_step step = {1.0, s.x, out, note_rows, &t};
    assert_int_equal(network_of(&links, s.n_rows, &options, &network, NULL),
                     HANSE_OK);
    assert_int_equal(hanse_network_step(&network, &step, 3, NULL), HANSE_OK);
    for (size_t i = 0; i < s.n_rows; i++)
        assert_int_equal(t.times[i], 1);
    hanse_network_clear(&network);
    free(t.times);
    free(out);
    free_sample(&s);
}

/* Self-links and infinities go through as they are. */
static void infinities_travel_along_links(void **state)
{
    (void)state;
    const uint32_t sources[] = {0, 0, 1, 2, 2, 3};
    const uint32_t targets[] = {0, 1, 1, 2, 3, 3};
    const double weights[] = {0.5, 0.0, 1.0, 2.0, 1.0, 1.0};
    const double x[] = {INFINITY, 1.0, DBL_MAX, -INFINITY};
    const hanse_links links = {6, sources, targets, weights};
    const hanse_network_options options = {.n_threads = 1};
    hanse_network network;
    double out[4];
    const hanse_step step = {.factor = 1.0, .x = x, .out = out};
    assert_int_equal(network_of(&links, 4, &options, &network, NULL), HANSE_OK);
    assert_int_equal(hanse_network_step(&network, &step, 1, NULL), HANSE_OK);
    assert_same(out[0], INFINITY);
    assert_true(isnan(out[1])); /* 0 * Inf */
    assert_same(out[2], INFINITY);
    assert_same(out[3], -INFINITY);
    hanse_network_clear(&network);
}

/* Wherever the others of the links dealt with it, and by whichever thread. */
static void first_wrong_weight_is_named(void **state)
{
    (void)state;
    const double wrong[] = {-0.5, INFINITY, NAN, -DBL_TRUE_MIN};
    const char *const texts[] = {"-0.5", "inf", "nan", "-4.94066e-324"};
    sample s = make_sample(500, 20000, 0);
    for (size_t i = 0; i < 4; i++) {
        const size_t first = below(s.n);
        double *weights = malloc(s.n * sizeof *weights);
        char expected[200];
        memcpy(weights, s.weights, s.n * sizeof *weights);
        weights[first] = wrong[i];
        weights[first + below(s.n - first)] = wrong[i];
        weights[s.n - 1] = wrong[i];
        (void)snprintf(expected, sizeof expected,
                       "link %zu, from row %u to row %u: its weight is %s, it "
                       "must be 0 or more and finite",
                       first, s.sources[first], s.targets[first], texts[i]);
        const hanse_links links = {s.n, s.sources, s.targets, weights};
        for (size_t n_threads = 1; n_threads < 4; n_threads++) {
            const hanse_network_options options = {.n_threads = n_threads,
                                                   .keep = s.keep};
            hanse_network network;
            hanse_error error;
            assert_int_equal(
                network_of(&links, s.n_rows, &options, &network, &error),
                HANSE_ERR_FORMAT);
            assert_string_equal(error.message, expected);
        }
        free(weights);
    }
    free_sample(&s);
}

static void too_many_rows_are_refused(void **state)
{
    (void)state;
    const hanse_links links = {0};
    const hanse_network_options options = {.n_threads = 1};
    hanse_network network;
    hanse_error error;
    assert_int_equal(network_of(&links, UINT32_MAX, &options, &network, &error),
                     HANSE_ERR_LIMIT);
    assert_non_null(strstr(error.message, "4294967295 rows, the most is "
                                          "4294967294"));
}

/* Each link is in its row: sums of bits do not depend on order. */
static void check_links(const sample *s, const hanse_network *network)
{
    uint64_t *sums = calloc(s->n_rows, sizeof *sums);
    for (size_t k = 0; k < s->n; k++)
        sums[s->targets[k]] += bits_of(s->weights[k]) ^ s->sources[k];
    for (size_t i = 0; i < s->n_rows; i++) {
        for (uint64_t k = network->starts[i]; k < network->starts[i + 1]; k++)
            sums[i] -= bits_of(network->weights[k]) ^ network->sources[k];
        assert_int_equal(sums[i], 0);
    }
    assert_int_equal(network->starts[s->n_rows], s->n);
    free(sums);
}

/* While the network is made the links that it is made of are given back, so
 * that both are never there in full, unless most links go to few rows, or a
 * thread sleeps. */
static void links_are_given_back_while_rows_are_made(void **state)
{
    (void)state;
    for (unsigned choice = 0; choice < 4; choice++) {
        const size_t n_threads = choice % 2 == 0 ? 1 : 3;
        sample s = make_sample(100000, 3000000, choice / 2 == 0 ? 0 : 2);
        hanse_budget budget = {0};
        const hanse_links links = {s.n, s.sources, s.targets, s.weights};
        const hanse_network_options options = {.n_threads = n_threads,
                                               .budget = &budget};
        const hanse_network_size size =
            hanse_network_bytes(s.n_rows, s.n, true, &options);
        hanse_network network;
        assert_int_equal(network_of(&links, s.n_rows, &options, &network, NULL),
                         HANSE_OK);
        const uint64_t peak = atomic_load(&budget.peak_bytes);
        assert_true(peak >= size.least_bytes);
        assert_true(peak <= size.peak_bytes);
        if (choice == 0)
            assert_true(peak <= size.dealt_bytes + size.kept_bytes / 2);
        check_links(&s, &network);
        hanse_network_clear(&network);
        assert_int_equal(atomic_load(&budget.used_bytes), 0);
        free_sample(&s);
    }
}

/* ---- Undirected graphs -------------------------------------------------- */

static bool are_linked(const sample *s, const uint8_t *keep, uint32_t a,
                       uint32_t b)
{
    for (size_t k = 0; k < s->n; k++)
        if (is_used(s, keep, k) &&
            ((s->sources[k] == a && s->targets[k] == b) ||
             (s->sources[k] == b && s->targets[k] == a)))
            return true;
    return false;
}

static void undirected_graph_is_simple(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 40; round++) {
        const size_t n_rows = 1 + below(60);
        sample s = make_sample(n_rows, below(400), round % 3);
        const uint8_t *keep = round % 2 != 0 ? s.keep : NULL;
        const hanse_links links = {s.n, s.sources, s.targets, s.weights};
        const hanse_network_options options = {
            .n_threads = 1 + round % 3, .keep = keep, .undirected = true};
        hanse_network network;
        assert_int_equal(network_of(&links, n_rows, &options, &network, NULL),
                         HANSE_OK);
        assert_null(network.weights);
        size_t at = 0;
        for (uint32_t a = 0; a < n_rows; a++) {
            assert_int_equal(network.starts[a], at);
            for (uint32_t b = 0; b < n_rows; b++)
                if (a != b && are_linked(&s, keep, a, b))
                    assert_int_equal(network.sources[at++], b);
        }
        assert_int_equal(network.starts[n_rows], at);
        assert_int_equal(network.n_links, at);
        hanse_network_clear(&network);
        free_sample(&s);
    }
}

static void metropolis_weights_are_doubly_stochastic(void **state)
{
    (void)state;
    sample s = make_sample(3000, 20000, 10);
    hanse_budget budget = {0};
    const hanse_links links = {s.n, s.sources, s.targets, NULL};
    const hanse_network_options options = {
        .n_threads = 2, .budget = &budget, .undirected = true};
    const hanse_network_size size =
        hanse_network_bytes(s.n_rows, s.n, false, &options);
    const uint64_t weights_bytes = 2 * s.n * sizeof(double) + HANSE_ALIGNMENT;
    hanse_network network;
    double *own = malloc(s.n_rows * sizeof *own);
    double *terms = malloc((s.n_rows + 1) * sizeof *terms);
    assert_int_equal(network_of(&links, s.n_rows, &options, &network, NULL),
                     HANSE_OK);
    assert_true(atomic_load(&budget.used_bytes) <= size.kept_bytes);
    assert_true(atomic_load(&budget.peak_bytes) <= size.peak_bytes);
    assert_int_equal(hanse_network_metropolis(&network, own, 2, NULL),
                     HANSE_OK);
    assert_true(atomic_load(&budget.used_bytes) <=
                size.kept_bytes + weights_bytes);
    for (size_t i = 0; i < s.n_rows; i++) {
        const size_t n = hanse_network_degree(&network, i);
        for (size_t k = 0; k < n; k++) {
            const size_t link = (size_t)network.starts[i] + k;
            const size_t m =
                hanse_network_degree(&network, network.sources[link]);
            assert_same(network.weights[link],
                        1.0 / (1.0 + fmax((double)n, (double)m)));
            terms[k] = -network.weights[link];
        }
        terms[n] = 1.0;
        assert_same(own[i], wide_sum(terms, n + 1));
        assert_true(own[i] > 0.0);
    }
    hanse_network_clear(&network);
    assert_int_equal(atomic_load(&budget.used_bytes), 0);
    free(own);
    free(terms);
    free_sample(&s);
}

/* Each time a little more memory, until it is enough. */
static void too_little_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    sample s = make_sample(2000, 10000, 0);
    const hanse_links links = {s.n, s.sources, s.targets, s.weights};
    for (int kind = 0; kind < 2; kind++) {
        unsigned n_refused = 0;
        hanse_status status = HANSE_ERR_LIMIT;
        for (uint64_t limit = 1000; status != HANSE_OK; limit += 10000) {
            hanse_budget budget = {.limit_bytes = limit};
            const hanse_network_options options = {.n_threads = 2,
                                                   .budget = &budget,
                                                   .normalise = true,
                                                   .undirected = kind == 1};
            hanse_network network;
            hanse_error error;
            status = network_of(&links, s.n_rows, &options, &network, &error);
            if (status == HANSE_OK)
                hanse_network_clear(&network);
            else
                assert_int_equal(status, HANSE_ERR_LIMIT);
            n_refused += status != HANSE_OK;
            assert_int_equal(atomic_load(&budget.used_bytes), 0);
        }
        assert_true(n_refused > 5);
    }
    free_sample(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sum_of_random_terms_is_rounded_once),
        cmocka_unit_test(sum_over_all_exponents_is_rounded_once),
        cmocka_unit_test(ties_are_decided_by_the_smallest_term),
        cmocka_unit_test(sum_of_what_is_not_finite_is_that_of_ieee),
        cmocka_unit_test(long_sums_are_rounded_once_in_any_order),
        cmocka_unit_test(rest_is_what_the_terms_leave),
        cmocka_unit_test(step_is_that_of_the_links),
        cmocka_unit_test(step_does_not_depend_on_order_or_threads),
        cmocka_unit_test(hard_rows_are_rounded_once),
        cmocka_unit_test(step_tells_of_every_row_once),
        cmocka_unit_test(infinities_travel_along_links),
        cmocka_unit_test(first_wrong_weight_is_named),
        cmocka_unit_test(too_many_rows_are_refused),
        cmocka_unit_test(links_are_given_back_while_rows_are_made),
        cmocka_unit_test(undirected_graph_is_simple),
        cmocka_unit_test(metropolis_weights_are_doubly_stochastic),
        cmocka_unit_test(too_little_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
