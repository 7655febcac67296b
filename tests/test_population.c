/* SPDX-License-Identifier: Apache-2.0
 *
 * The random numbers against published values, and the shape of the population
 * against the parameters in datasets/README.md. Bounds are five standard
 * errors or wider, for a fixed seed: what passes once passes always.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/links.h"
#include "datasets/population.h"
#include "datasets/rng.h"
#include "datasets/zipf.h"
#include "engine/elementary.h"

enum {
    N_ROWS = 400000,
    N_MONEY = 5
};

/* Rows of a population with their memory. */
typedef struct sample {
    size_t n;
    hanse_enterprises rows;
    void *memory[14];
} sample;

static void sample_init(sample *s, size_t n)
{
    static const size_t sizes[] = {8, 4, 2, 2, 1, 1, 8, 8, 8, 8, 8, 4, 8, 8};
    s->n = n;
    for (size_t i = 0; i < 14; i++) {
        s->memory[i] = malloc(n * sizes[i]);
        assert_non_null(s->memory[i]);
        memset(s->memory[i], 0xA5, n * sizes[i]);
    }
    s->rows = (hanse_enterprises){
        .enterprise_id = s->memory[0],
        .cluster = s->memory[1],
        .chain = s->memory[2],
        .platform = s->memory[3],
        .sector = s->memory[4],
        .active = s->memory[5],
        .labour = s->memory[6],
        .equipment = s->memory[7],
        .technology = s->memory[8],
        .resource = s->memory[9],
        .information = s->memory[10],
        .quality = s->memory[11],
        .strategy = s->memory[12],
        .demand = s->memory[13],
    };
}

static void sample_clear(sample *s)
{
    for (size_t i = 0; i < 14; i++)
        free(s->memory[i]);
}

static hanse_population *create(const hanse_population_options *options)
{
    hanse_population *population = NULL;
    assert_int_equal(hanse_population_create(options, &population, NULL),
                     HANSE_OK);
    return population;
}

/* The default population's first N_ROWS rows, made once for all tests. */
static int make_shared(void **state)
{
    const hanse_population_options options = hanse_population_defaults();
    sample *s = malloc(sizeof *s);
    if (s == NULL)
        return -1;
    hanse_population *population = create(&options);
    sample_init(s, N_ROWS);
    hanse_population_fill(population, 0, N_ROWS, &s->rows);
    hanse_population_destroy(population);
    *state = s;
    return 0;
}

static int drop_shared(void **state)
{
    sample_clear(*state);
    free(*state);
    return 0;
}

/* ---- Random numbers ----------------------------------------------------- */

/* kat_vectors of the Random123 distribution, philox4x32 10. */
static void philox_known_counters_give_published_words(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4];
        uint64_t key;
        uint32_t expected[4];
    } cases[] = {
        {{0, 0, 0, 0}, 0, {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}},
        {{~0u, ~0u, ~0u, ~0u},
         ~UINT64_C(0),
         {0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}},
        {{0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u},
         UINT64_C(0x299f31d0a4093822),
         {0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hanse_philox counter;
        memcpy(counter.word, cases[i].counter, sizeof counter.word);
        const hanse_philox block = hanse_philox_block(counter, cases[i].key);
        assert_memory_equal(block.word, cases[i].expected, sizeof block.word);
    }
}

static void uniform_extreme_words_stay_inside(void **state)
{
    (void)state;
    assert_true(hanse_uniform(0) > 0.0);
    assert_true(hanse_uniform(UINT32_MAX) < 1.0);
    assert_true(hanse_uniform_fine(0, 0) > 0.0);
    assert_true(hanse_uniform_fine(UINT32_MAX, UINT32_MAX) < 1.0);
    assert_int_equal(hanse_uniform_index(UINT32_MAX, 1), 0);
    assert_int_equal(hanse_uniform_index(UINT32_MAX, 7), 6);
    assert_int_equal(hanse_uniform_index(0, 7), 0);
}

/* Against the C library's error function, in all three branches. */
static void normal_quantile_inverts_distribution(void **state)
{
    (void)state;
    assert_true(fabs(hanse_normal_quantile(0.975) - 1.959963984540054) < 1e-6);
    assert_true(hanse_normal_quantile(0.5) == 0.0);
    for (int i = 1; i < 320; i++) {
        /* From 1e-16 to 1/2. */
        const double p = 0.5 * exp(-0.1125 * (i - 1));
        const double z = hanse_normal_quantile(p);
        const double back = 0.5 * erfc(-z / sqrt(2.0));
        /* An error of z is multiplied by about z in log p. */
        assert_true(fabs(back / p - 1.0) < 2e-7 * (1.0 + z * z));
        if (p > 1e-9)
            assert_true(fabs(hanse_normal_quantile(1.0 - p) + z) < 1e-5);
    }
}

/* A step that loses a bit makes numbers meet that differ in one bit before
 * it, which is one or two (20 apart) before the shift ahead of it. */
static void scramble_of_changed_bits_differs(void **state)
{
    (void)state;
    const uint64_t mask = (UINT64_C(1) << 40) - 1;
    for (uint64_t i = 0; i < 2000; i++) {
        const uint64_t x = i * UINT64_C(0x9E3779B97F4A7C15) & mask;
        const uint64_t y = hanse_scramble_40(x, 0);
        assert_true(y <= mask);
        for (int bit = 0; bit < 40; bit++) {
            const uint64_t one = UINT64_C(1) << bit;
            assert_true(hanse_scramble_40(x ^ one, 0) != y);
            assert_true(hanse_scramble_40(x ^ (one | one >> 20), 0) != y);
        }
    }
}

static int compare_ids(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void zipf_ranks_follow_weights(void **state)
{
    (void)state;
    enum {
        N = 50,
        DRAWS = 200000
    };
    hanse_zipf zipf;
    assert_int_equal(hanse_zipf_init(&zipf, N, 1.5, NULL), HANSE_OK);
    double sum = 0.0;
    for (int k = 1; k <= N; k++)
        sum += pow(k, -1.5);
    int counts[N] = {0};
    for (int i = 0; i < DRAWS; i++) {
        const uint32_t rank = hanse_zipf_rank(&zipf, (i + 0.5) / DRAWS);
        assert_true(rank < N);
        counts[rank]++;
    }
    /* Evenly spaced numbers: each count is off by one at most. */
    for (int k = 0; k < N; k++)
        assert_true(fabs(counts[k] - DRAWS * pow(k + 1, -1.5) / sum) <= 1.001);
    hanse_zipf_clear(&zipf);
}

/* Boundaries of the cumulative table are where a guide entry could be off. */
static void zipf_at_boundaries_finds_next_rank(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 2, 3, 10, 49, 1000, 4097};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        hanse_zipf zipf;
        assert_int_equal(hanse_zipf_init(&zipf, sizes[s], 0.0, NULL), HANSE_OK);
        for (uint32_t k = 0; k < sizes[s]; k++) {
            const double end = zipf.cumulative[k];
            assert_int_equal(hanse_zipf_rank(&zipf, nextafter(end, 0.0)), k);
            if (k + 1 < sizes[s])
                assert_int_equal(hanse_zipf_rank(&zipf, end), k + 1);
        }
        hanse_zipf_clear(&zipf);
    }
}

/* ---- Rows --------------------------------------------------------------- */

static void assert_same_rows(const hanse_enterprises *a, size_t at,
                             const hanse_enterprises *b, size_t n)
{
    assert_memory_equal(a->enterprise_id + at, b->enterprise_id, 8 * n);
    assert_memory_equal(a->cluster + at, b->cluster, 4 * n);
    assert_memory_equal(a->chain + at, b->chain, 2 * n);
    assert_memory_equal(a->platform + at, b->platform, 2 * n);
    assert_memory_equal(a->sector + at, b->sector, n);
    assert_memory_equal(a->active + at, b->active, n);
    assert_memory_equal(a->labour + at, b->labour, 8 * n);
    assert_memory_equal(a->equipment + at, b->equipment, 8 * n);
    assert_memory_equal(a->technology + at, b->technology, 8 * n);
    assert_memory_equal(a->resource + at, b->resource, 8 * n);
    assert_memory_equal(a->information + at, b->information, 8 * n);
    assert_memory_equal(a->quality + at, b->quality, 4 * n);
    assert_memory_equal(a->strategy + at, b->strategy, 8 * n);
    assert_memory_equal(a->demand + at, b->demand, 8 * n);
}

static void fill_any_piece_equals_whole(void **state)
{
    const sample *whole = *state;
    static const struct {
        size_t first;
        size_t n;
    } pieces[] = {
        {0, 1}, {1, 255}, {255, 258}, {256, 256}, {N_ROWS - 777, 777}};
    const hanse_population_options options = hanse_population_defaults();
    hanse_population *population = create(&options);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        sample part;
        sample_init(&part, pieces[i].n);
        hanse_population_fill(population, pieces[i].first, part.n, &part.rows);
        assert_same_rows(&whole->rows, pieces[i].first, &part.rows, part.n);
        sample_clear(&part);
    }
    hanse_population_destroy(population);
}

static void fill_other_seed_gives_other_rows(void **state)
{
    const sample *whole = *state;
    hanse_population_options options = hanse_population_defaults();
    options.seed = 2;
    hanse_population *population = create(&options);
    sample other;
    sample_init(&other, 1000);
    hanse_population_fill(population, 0, 1000, &other.rows);
    size_t n_equal = 0;
    for (size_t i = 0; i < 1000; i++)
        n_equal += other.rows.labour[i] == whole->rows.labour[i] ||
                   other.rows.enterprise_id[i] == whole->rows.enterprise_id[i];
    assert_int_equal(n_equal, 0);
    sample_clear(&other);
    hanse_population_destroy(population);
}

/* The draws are counted by the row's full 64-bit number. */
static void fill_rows_beyond_32_bits_differ(void **state)
{
    const sample *whole = *state;
    const hanse_population_options options = hanse_population_defaults();
    hanse_population *population = create(&options);
    sample far;
    sample_init(&far, 100);
    hanse_population_fill(population, UINT64_C(1) << 32, 100, &far.rows);
    size_t n_equal = 0;
    for (size_t i = 0; i < 100; i++)
        n_equal += far.rows.labour[i] == whole->rows.labour[i];
    assert_int_equal(n_equal, 0);
    sample_clear(&far);
    hanse_population_destroy(population);
}

static void ids_are_unique_and_in_range(void **state)
{
    const sample *s = *state;
    int64_t *ids = malloc(s->n * sizeof *ids);
    assert_non_null(ids);
    memcpy(ids, s->rows.enterprise_id, s->n * sizeof *ids);
    qsort(ids, s->n, sizeof *ids, compare_ids);
    assert_true(ids[0] >= 1);
    assert_true(ids[s->n - 1] <= INT64_C(1) << 40);
    for (size_t i = 1; i < s->n; i++)
        assert_true(ids[i - 1] < ids[i]);
    size_t n_rising = 0;
    for (size_t i = 1; i < s->n; i++)
        n_rising += s->rows.enterprise_id[i] > s->rows.enterprise_id[i - 1];
    assert_true(n_rising > s->n * 48 / 100 && n_rising < s->n * 52 / 100);
    free(ids);
}

static void keys_stay_in_their_ranges(void **state)
{
    (void)state;
    const hanse_population_options cases[] = {
        {1, 1000, 100, 50, HANSE_SECTOR_COUNT},
        {7, 1, 1, 1, HANSE_SECTOR_ENERGY},
        {UINT64_MAX, 3, 32767, 2, HANSE_SECTOR_MEDICAL},
    };
    sample s;
    sample_init(&s, 20000);
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        hanse_population *population = create(&cases[c]);
        hanse_population_fill(population, 0, s.n, &s.rows);
        for (size_t i = 0; i < s.n; i++) {
            assert_in_range(s.rows.cluster[i], 1, cases[c].n_clusters);
            assert_in_range(s.rows.chain[i], 1, cases[c].n_chains);
            assert_in_range(s.rows.platform[i], 1, cases[c].n_platforms);
            assert_in_range(s.rows.active[i], 0, 1);
            assert_in_range(s.rows.sector[i], 0, 2);
            if (cases[c].sector != HANSE_SECTOR_COUNT)
                assert_int_equal(s.rows.sector[i], cases[c].sector);
        }
        hanse_population_destroy(population);
    }
    sample_clear(&s);
}

static void create_number_out_of_range_fails(void **state)
{
    (void)state;
    const hanse_population_options cases[] = {
        {1, 0, 1, 1, HANSE_SECTOR_COUNT},
        {1, HANSE_MAX_CLUSTERS + 1, 1, 1, HANSE_SECTOR_COUNT},
        {1, 1, 0, 1, HANSE_SECTOR_COUNT},
        {1, 1, 32768, 1, HANSE_SECTOR_COUNT},
        {1, 1, 1, 32768, HANSE_SECTOR_COUNT},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        hanse_population *population = NULL;
        hanse_error error = {0};
        assert_int_equal(
            hanse_population_create(&cases[c], &population, &error),
            HANSE_ERR_ARGUMENT);
        assert_null(population);
        assert_non_null(strstr(error.message, "expected 1 to"));
    }
}

/* ---- Shape -------------------------------------------------------------- */

static int compare_counts_down(const void *a, const void *b)
{
    const int x = *(const int *)a;
    const int y = *(const int *)b;
    return (x < y) - (x > y);
}

static void cluster_sizes_follow_power_law(void **state)
{
    const sample *s = *state;
    int counts[1001] = {0};
    for (size_t i = 0; i < s->n; i++)
        counts[s->rows.cluster[i]]++;
    qsort(counts + 1, 1000, sizeof counts[0], compare_counts_down);
    /* Slope of log count over log rank, ranks 1 to 300. */
    double sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int k = 1; k <= 300; k++) {
        const double x = log(k);
        const double y = log(counts[k]);
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    const double slope = (300 * sxy - sx * sy) / (300 * sxx - sx * sx);
    assert_true(slope > -1.03 && slope < -0.97);
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Values that are there, sorted; *n of them. From malloc. */
static double *sorted_values(const double *values, size_t n_rows, size_t *n)
{
    double *sorted = malloc(n_rows * sizeof *sorted);
    assert_non_null(sorted);
    *n = 0;
    for (size_t i = 0; i < n_rows; i++)
        if (!isnan(values[i]))
            sorted[(*n)++] = values[i];
    qsort(sorted, *n, sizeof *sorted, compare_doubles);
    return sorted;
}

/* Labour is size times a narrow noise: its tail index is that of size. */
static void labour_has_pareto_tail(void **state)
{
    const sample *s = *state;
    size_t n;
    double *sorted = sorted_values(s->rows.labour, s->n, &n);
    const size_t k = 2000;
    double sum = 0;
    for (size_t i = n - k; i < n; i++)
        sum += log(sorted[i] / sorted[n - k - 1]);
    const double tail_index = (double)k / sum; /* Hill's estimate */
    assert_true(tail_index > 1.05 && tail_index < 1.35);
    free(sorted);
}

/* Median and quartiles of the log-normal body: deviation of the log is
 * sqrt(1.2^2 + 0.35^2 + 0.3^2) = 1.285, less what big clusters' shifts do. */
static void labour_has_log_normal_body(void **state)
{
    const sample *s = *state;
    size_t n;
    double *sorted = sorted_values(s->rows.labour, s->n, &n);
    const double low = log(sorted[n / 4]);
    const double middle = log(sorted[n / 2]);
    const double high = log(sorted[n / 4 * 3]);
    assert_true(fabs(middle - (log(38000.0) + 1.8)) < 0.3);
    assert_true(fabs((high - low) / 1.349 - 1.285) < 0.08);
    assert_true(fabs(high + low - 2 * middle) < 0.06);
    free(sorted);
}

static double correlation_of_logs(const double *a, const double *b, size_t n)
{
    double m = 0, sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(a[i]) || isnan(b[i]) || a[i] <= 0 || b[i] <= 0)
            continue;
        const double x = log(a[i]);
        const double y = log(b[i]);
        m += 1;
        sa += x;
        sb += y;
        saa += x * x;
        sbb += y * y;
        sab += x * y;
    }
    return (m * sab - sa * sb) /
           sqrt((m * saa - sa * sa) * (m * sbb - sb * sb));
}

static void measures_are_correlated(void **state)
{
    const hanse_enterprises *rows = &((const sample *)*state)->rows;
    const double *columns[] = {
        rows->labour,      rows->equipment, rows->technology, rows->resource,
        rows->information, rows->strategy,  rows->demand};
    for (size_t i = 0; i < 7; i++)
        for (size_t j = 0; j < i; j++) {
            const double r =
                correlation_of_logs(columns[i], columns[j], N_ROWS);
            assert_true(r > 0.3 && r < 0.99);
        }
}

static void money_is_in_cents(void **state)
{
    const sample *s = *state;
    const double *columns[N_MONEY] = {s->rows.labour, s->rows.equipment,
                                      s->rows.technology, s->rows.resource,
                                      s->rows.demand};
    for (size_t c = 0; c < N_MONEY; c++)
        for (size_t i = 0; i < s->n; i++) {
            const double value = columns[c][i];
            if (isnan(value))
                continue;
            assert_true(value > 0.0 && value < 9e13);
            assert_true((double)llround(value * 100.0) / 100.0 == value);
        }
}

static void scores_stay_in_their_ranges(void **state)
{
    const sample *s = *state;
    for (size_t i = 0; i < s->n; i++) {
        if (!isnan(s->rows.quality[i]))
            assert_true(s->rows.quality[i] >= 0 && s->rows.quality[i] <= 1);
        if (!isnan(s->rows.strategy[i]))
            assert_true(s->rows.strategy[i] >= 0 && s->rows.strategy[i] <= 100);
        if (!isnan(s->rows.information[i]))
            assert_true(s->rows.information[i] > 0);
    }
}

static void assert_share(double found, double expected)
{
    const double error = sqrt(expected * (1 - expected) / N_ROWS);
    assert_true(fabs(found / N_ROWS - expected) < 5 * error + 1e-5);
}

static void missing_and_inactive_have_documented_shares(void **state)
{
    const hanse_enterprises *rows = &((const sample *)*state)->rows;
    const struct {
        const double *column;
        double share;
    } cases[] = {
        {rows->labour, 0.01},      {rows->equipment, 0.02},
        {rows->technology, 0.04},  {rows->resource, 0.01},
        {rows->information, 0.03}, {rows->strategy, 0.03},
        {rows->demand, 0.02},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        double n = 0;
        for (size_t i = 0; i < N_ROWS; i++)
            n += isnan(cases[c].column[i]) != 0;
        assert_share(n, cases[c].share);
    }
    double n_quality = 0;
    double n_active = 0;
    for (size_t i = 0; i < N_ROWS; i++) {
        n_quality += isnan(rows->quality[i]) != 0;
        n_active += rows->active[i];
    }
    assert_share(n_quality, 0.02);
    assert_share(n_active, 0.95);
}

/* Share of the rows of the largest cluster that have its most frequent value
 * of another key, against the share in all rows. */
static void chain_and_platform_depend_on_cluster(void **state)
{
    const hanse_enterprises *rows = &((const sample *)*state)->rows;
    static int counts[1001], all_platforms[51], platforms[51], sectors[3];
    for (size_t i = 0; i < N_ROWS; i++) {
        counts[rows->cluster[i]]++;
        all_platforms[rows->platform[i]]++;
    }
    int largest = 1;
    for (int c = 2; c <= 1000; c++)
        if (counts[c] > counts[largest])
            largest = c;
    for (size_t i = 0; i < N_ROWS; i++)
        if (rows->cluster[i] == largest) {
            platforms[rows->platform[i]]++;
            sectors[rows->sector[i]]++;
        }
    int home = 1;
    for (int p = 2; p <= 50; p++)
        if (platforms[p] > platforms[home])
            home = p;
    const double n = counts[largest];
    assert_true(platforms[home] / n > 0.5);
    assert_true(platforms[home] / n > 1.3 * all_platforms[home] / N_ROWS);
    const int most = sectors[0] > sectors[1] ? 0 : 1;
    assert_true(fmax(sectors[most], sectors[2]) / n > 0.85);
}

/* ---- Links -------------------------------------------------------------- */

typedef struct link_sample {
    size_t n;
    int64_t *source;
    int64_t *target;
    float *rate;
} link_sample;

static void link_sample_init(link_sample *s, size_t n)
{
    s->n = n;
    s->source = malloc((n + 1) * sizeof *s->source);
    s->target = malloc((n + 1) * sizeof *s->target);
    s->rate = malloc((n + 1) * sizeof *s->rate);
    assert_true(s->source != NULL && s->target != NULL && s->rate != NULL);
}

static void link_sample_clear(link_sample *s)
{
    free(s->source);
    free(s->target);
    free(s->rate);
}

static void check_links(const link_sample *s, int64_t n_rows)
{
    for (size_t i = 0; i < s->n; i++) {
        assert_true(s->source[i] >= 0 && s->source[i] < n_rows);
        assert_true(s->target[i] >= 0 && s->target[i] < n_rows);
        assert_true(s->source[i] != s->target[i]);
        assert_true(i == 0 || s->source[i - 1] <= s->source[i]);
        assert_true(s->rate[i] > 0.0f && s->rate[i] <= 1.0f);
    }
}

static void links_are_valid_sorted_and_mostly_at_home(void **state)
{
    const hanse_enterprises *rows = &((const sample *)*state)->rows;
    const hanse_population_options options = hanse_population_defaults();
    hanse_population *population = create(&options);
    hanse_links *links = NULL;
    hanse_link_window *window = NULL;
    link_sample s;
    assert_int_equal(hanse_links_create(population, N_ROWS, 2, &links, NULL),
                     HANSE_OK);
    assert_int_equal(hanse_link_window_create(links, &window, NULL), HANSE_OK);
    link_sample_init(&s, hanse_links_count(links));
    hanse_links_fill(links, window, 0, s.n, s.source, s.target, s.rate);
    check_links(&s, N_ROWS);
    const double mean = (double)s.n / N_ROWS;
    assert_true(mean > 2.8 && mean < 3.1);
    size_t n_home = 0;
    size_t longest = 0;
    for (size_t i = 0, begin = 0; i < s.n; i++) {
        n_home += rows->cluster[s.source[i]] == rows->cluster[s.target[i]];
        if (s.source[i] != s.source[begin])
            begin = i;
        if (i - begin + 1 > longest)
            longest = i - begin + 1;
    }
    assert_true((double)n_home / (double)s.n > 0.8);
    assert_true((double)n_home / (double)s.n < 0.95);
    assert_true(longest > 300 && longest <= HANSE_MAX_LINKS_OF_ONE);
    link_sample_clear(&s);
    hanse_link_window_destroy(window);
    hanse_links_destroy(links);
    hanse_population_destroy(population);
}

/* Any piece, in any order, with a window that was elsewhere before. */
static void links_any_piece_equals_whole(void **state)
{
    (void)state;
    const hanse_population_options options = hanse_population_defaults();
    hanse_population *population = create(&options);
    hanse_links *links = NULL;
    hanse_link_window *window = NULL;
    link_sample whole;
    link_sample part;
    assert_int_equal(hanse_links_create(population, 150000, 3, &links, NULL),
                     HANSE_OK);
    assert_int_equal(hanse_link_window_create(links, &window, NULL), HANSE_OK);
    link_sample_init(&whole, hanse_links_count(links));
    hanse_links_fill(links, window, 0, whole.n, whole.source, whole.target,
                     whole.rate);
    const size_t n = 1237;
    link_sample_init(&part, n);
    for (size_t k = 0; k < 40; k++) {
        const size_t first = k * 7919 * 10007 % (whole.n - n);
        hanse_links_fill(links, window, first, n, part.source, part.target,
                         part.rate);
        assert_memory_equal(whole.source + first, part.source, 8 * n);
        assert_memory_equal(whole.target + first, part.target, 8 * n);
        assert_memory_equal(whole.rate + first, part.rate, 4 * n);
    }
    link_sample_clear(&part);
    link_sample_clear(&whole);
    hanse_link_window_destroy(window);
    hanse_links_destroy(links);
    hanse_population_destroy(population);
}

static void links_of_tiny_populations_are_valid(void **state)
{
    (void)state;
    const hanse_population_options options = {9, 1000, 1, 1,
                                              HANSE_SECTOR_COUNT};
    hanse_population *population = create(&options);
    for (uint64_t n_rows = 0; n_rows < 12; n_rows++) {
        hanse_links *links = NULL;
        hanse_link_window *window = NULL;
        link_sample s;
        assert_int_equal(
            hanse_links_create(population, n_rows, 1, &links, NULL), HANSE_OK);
        assert_int_equal(hanse_link_window_create(links, &window, NULL),
                         HANSE_OK);
        link_sample_init(&s, hanse_links_count(links));
        hanse_links_fill(links, window, 0, s.n, s.source, s.target, s.rate);
        check_links(&s, (int64_t)n_rows);
        assert_true(n_rows > 1 || s.n == 0);
        link_sample_clear(&s);
        hanse_link_window_destroy(window);
        hanse_links_destroy(links);
    }
    hanse_population_destroy(population);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_known_counters_give_published_words),
        cmocka_unit_test(uniform_extreme_words_stay_inside),
        cmocka_unit_test(normal_quantile_inverts_distribution),
        cmocka_unit_test(scramble_of_changed_bits_differs),
        cmocka_unit_test(zipf_ranks_follow_weights),
        cmocka_unit_test(zipf_at_boundaries_finds_next_rank),
        cmocka_unit_test(fill_any_piece_equals_whole),
        cmocka_unit_test(fill_other_seed_gives_other_rows),
        cmocka_unit_test(fill_rows_beyond_32_bits_differ),
        cmocka_unit_test(ids_are_unique_and_in_range),
        cmocka_unit_test(keys_stay_in_their_ranges),
        cmocka_unit_test(create_number_out_of_range_fails),
        cmocka_unit_test(cluster_sizes_follow_power_law),
        cmocka_unit_test(labour_has_pareto_tail),
        cmocka_unit_test(labour_has_log_normal_body),
        cmocka_unit_test(measures_are_correlated),
        cmocka_unit_test(money_is_in_cents),
        cmocka_unit_test(scores_stay_in_their_ranges),
        cmocka_unit_test(missing_and_inactive_have_documented_shares),
        cmocka_unit_test(chain_and_platform_depend_on_cluster),
        cmocka_unit_test(links_are_valid_sorted_and_mostly_at_home),
        cmocka_unit_test(links_any_piece_equals_whole),
        cmocka_unit_test(links_of_tiny_populations_are_valid),
    };
    return cmocka_run_group_tests_name("population", tests, make_shared,
                                       drop_shared);
}
