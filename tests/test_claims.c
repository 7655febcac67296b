/* SPDX-License-Identifier: Apache-2.0
 *
 * Claims problems against published examples and against the rules worked out
 * with sorted whole numbers, in 128 bits.
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

#include "engine/models/claims.h"
#include "engine/models/groups.h"

typedef __int128 i128;

static uint64_t seed_state = 4711;

static uint64_t random_bits(void)
{
    seed_state = seed_state * 6364136223846793005u + 1442695040888963407u;
    return (seed_state ^ (seed_state >> 29)) * 0xbf58476d1ce4e5b9u >> 11;
}

static double random_unit(void)
{
    return (double)(random_bits() >> 1) * 0x1p-52;
}

static bool is_ranking(hanse_claims_rule rule)
{
    return rule == HANSE_RULE_LARGEST_REMAINDER || rule == HANSE_RULE_SHAPLEY;
}

/* Awards of one group through the functions for one group; ids NULL: numbers
 * of members. */
static hanse_claims_outcome award_ids(hanse_claims_rule rule,
                                      const double *claims, const uint64_t *ids,
                                      size_t n, double pool, double *awards)
{
    hanse_claims_outcome outcome;
    if (is_ranking(rule)) {
        hanse_claimant *members = calloc(n + 1, sizeof *members);
        void *spare = malloc(32 * n + 1);
        for (size_t i = 0; i < n; i++)
            members[i] = (hanse_claimant){
                .claim = claims[i], .id = ids != NULL ? ids[i] : i, .order = i};
        hanse_claims_rank(rule, members, n, pool, spare, &outcome);
        for (size_t i = 0; i < n; i++)
            awards[members[i].order] = members[i].award;
        free(members);
        free(spare);
        return outcome;
    }
    double *work = malloc((n + 1) * sizeof *work);
    uint32_t *groups = calloc(n + 1, sizeof *groups);
    if (n > 0)
        memcpy(work, claims, n * sizeof *work);
    hanse_claims_solve(rule, work, n, pool, 1, &outcome);
    hanse_claims_fill(rule, &outcome.terms, groups, claims, n, awards);
    free(work);
    free(groups);
    return outcome;
}

static hanse_claims_outcome award(hanse_claims_rule rule, const double *claims,
                                  size_t n, double pool, double *awards)
{
    return award_ids(rule, claims, NULL, n, pool, awards);
}

static void assert_near(double expected, double found, double tolerance)
{
    if (!(fabs(expected - found) <= tolerance * fabs(expected)))
        fail_msg("expected %.17g, found %.17g", expected, found);
}

static void assert_same_bits(double expected, double found)
{
    if (memcmp(&expected, &found, sizeof expected) != 0)
        fail_msg("expected %a, found %a", expected, found);
}

/* ---- Published examples -------------------------------------------------- */

/* The contested estates of the Talmud (Aumann and Maschler 1985), and the
 * constrained rules for them (Thomson 2019). */
static void awards_of_the_talmud_example(void **state)
{
    (void)state;
    static const double claims[] = {100, 200, 300};
    static const struct {
        double pool;
        double cea[3];
        double cel[3];
        double talmud[3];
    } cases[] = {
        {100,
         {100 / 3.0, 100 / 3.0, 100 / 3.0},
         {0, 0, 100},
         {100 / 3.0, 100 / 3.0, 100 / 3.0}},
        {200, {200 / 3.0, 200 / 3.0, 200 / 3.0}, {0, 50, 150}, {50, 75, 75}},
        {300, {100, 100, 100}, {0, 100, 200}, {50, 100, 150}},
        {400,
         {100, 150, 150},
         {100 - 200 / 3.0, 200 - 200 / 3.0, 300 - 200 / 3.0},
         {50, 125, 225}},
        {600, {100, 200, 300}, {100, 200, 300}, {100, 200, 300}},
        {0, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        double found[3];
        (void)award(HANSE_RULE_CEA, claims, 3, cases[k].pool, found);
        for (int i = 0; i < 3; i++)
            assert_near(cases[k].cea[i], found[i], 1e-15);
        (void)award(HANSE_RULE_CEL, claims, 3, cases[k].pool, found);
        for (int i = 0; i < 3; i++)
            assert_near(cases[k].cel[i], found[i], 1e-15);
        (void)award(HANSE_RULE_TALMUD, claims, 3, cases[k].pool, found);
        for (int i = 0; i < 3; i++)
            assert_near(cases[k].talmud[i], found[i], 1e-15);
        (void)award(HANSE_RULE_PROPORTIONAL, claims, 3, cases[k].pool, found);
        for (int i = 0; i < 3; i++)
            assert_near(cases[k].pool * claims[i] / 600.0, found[i], 1e-15);
        (void)award(HANSE_RULE_EQUAL, claims, 3, cases[k].pool, found);
        for (int i = 0; i < 3; i++)
            assert_near(cases[k].pool / 3.0, found[i], 1e-15);
    }
}

/* Airport game: runways of 1, 3 and 6 units. */
static void shapley_shares_each_stretch_among_its_users(void **state)
{
    (void)state;
    static const double claims[] = {6, 1, 3, 3};
    static const double expected[] = {0.25 + 2 / 3.0 + 3, 0.25, 0.25 + 2 / 3.0,
                                      0.25 + 2 / 3.0};
    double found[4];
    const hanse_claims_outcome outcome =
        award(HANSE_RULE_SHAPLEY, claims, 4, 0.0, found);
    assert_int_equal(outcome.status, HANSE_MODEL_OK);
    assert_true(outcome.shared == 6.0);
    for (int i = 0; i < 4; i++)
        assert_near(expected[i], found[i], 1e-15);
}

/* ---- Whole numbers ------------------------------------------------------- */

static int compare_numbers(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* L of sum min(c, L) = p/q for sorted whole claims, from prefix sums. */
static double sorted_level(const double *sorted, size_t n, i128 p, i128 q)
{
    i128 paid = 0;
    for (size_t k = 0; k < n; k++) {
        /* L = (p/q - paid)/(n - k) */
        const i128 numerator = p - paid * q;
        const i128 denominator = q * (i128)(n - k);
        if ((i128)sorted[k] * denominator >= numerator)
            return (double)numerator / (double)denominator;
        paid += (i128)sorted[k];
    }
    return (double)INFINITY;
}

static void fill_claims(double *claims, size_t n, i128 *total, int kind)
{
    *total = 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t r = random_bits();
        claims[i] = kind == 0   ? (double)(r % 10)
                    : kind == 1 ? (double)(r % 1000000)
                    : kind == 2 ? ldexp(1.0, (int)(i % 40))
                                : floor(1e6 / (random_unit() + 1e-4));
        *total += (i128)claims[i];
    }
}

static void levels_are_those_of_sorted_claims(void **state)
{
    (void)state;
    for (int round = 0; round < 4000; round++) {
        double claims[200], sorted[200], found[200];
        const size_t n = 1 + random_bits() % (round % 10 == 0 ? 200 : 9);
        i128 total;
        fill_claims(claims, n, &total, round % 4);
        memcpy(sorted, claims, n * sizeof *claims);
        qsort(sorted, n, sizeof *sorted, compare_numbers);
        const i128 pool = (i128)(random_unit() * (double)(total + 1));
        const double cea = sorted_level(sorted, n, pool, 1);
        const double cel = sorted_level(sorted, n, total - pool, 1);
        const bool is_upper = 2 * pool > total;
        const double talmud =
            0.5 *
            sorted_level(sorted, n, 2 * (is_upper ? total - pool : pool), 1);
        hanse_claims_outcome out =
            award(HANSE_RULE_CEA, claims, n, (double)pool, found);
        assert_int_equal(out.status, HANSE_MODEL_OK);
        for (size_t i = 0; i < n; i++)
            assert_same_bits(fmin(claims[i], cea), found[i]);
        (void)award(HANSE_RULE_CEL, claims, n, (double)pool, found);
        for (size_t i = 0; i < n; i++)
            assert_same_bits(fmax(0.0, claims[i] - cel), found[i]);
        (void)award(HANSE_RULE_TALMUD, claims, n, (double)pool, found);
        for (size_t i = 0; i < n; i++) {
            const double part = fmin(0.5 * claims[i], talmud);
            assert_same_bits(is_upper ? claims[i] - part : part, found[i]);
        }
    }
}

/* Units by rank in 128 bits: fractions are (E c mod D)/D. */
static void rank_units(const i128 *claims, size_t n, i128 pool, i128 total,
                       double *expected)
{
    i128 left = pool;
    bool has_more[64] = {false};
    for (size_t i = 0; i < n; i++) {
        expected[i] = (double)(pool * claims[i] / total);
        left -= pool * claims[i] / total;
    }
    for (; left > 0; left--) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < n; i++) {
            if (has_more[i])
                continue;
            const i128 rest = pool * claims[i] % total;
            const i128 most =
                best == SIZE_MAX ? -1 : pool * claims[best] % total;
            if (rest > most || (rest == most && claims[i] > claims[best]))
                best = i;
        }
        has_more[best] = true;
        expected[best] += 1.0;
    }
}

/* With large shifts the claims have more than 64 bits. */
static void check_remainders(int n_shifts, int shift)
{
    double claims[40], found[40], expected[40];
    i128 whole[40], total = 0;
    const size_t n = 1 + random_bits() % 40;
    for (size_t i = 0; i < n; i++) {
        const int s = shift * (int)(random_bits() % (uint64_t)n_shifts);
        whole[i] = (i128)(random_bits() % 30) << s;
        claims[i] = (double)whole[i];
        total += whole[i];
    }
    const i128 pool = random_bits() % 300;
    if (total == 0)
        return;
    rank_units(whole, n, pool, total, expected);
    const hanse_claims_outcome out =
        award(HANSE_RULE_LARGEST_REMAINDER, claims, n, (double)pool, found);
    assert_int_equal(out.status, HANSE_MODEL_OK);
    for (size_t i = 0; i < n; i++)
        if (expected[i] != found[i])
            fail_msg("shift %d, member %zu of %zu: expected %g, found %g",
                     shift, i, n, expected[i], found[i]);
}

static void remainders_are_compared_exactly(void **state)
{
    (void)state;
    for (int round = 0; round < 3000; round++) {
        check_remainders(1, 0);
        check_remainders(3, 29);
        check_remainders(2, 70);
    }
}

static void remainders_without_claims_go_by_id(void **state)
{
    (void)state;
    static const double claims[4] = {0};
    double found[4];
    (void)award(HANSE_RULE_LARGEST_REMAINDER, claims, 4, 6.0, found);
    assert_true(found[0] == 2.0 && found[1] == 2.0);
    assert_true(found[2] == 1.0 && found[3] == 1.0);
}

/* ---- Statuses ------------------------------------------------------------ */

static void check_status(hanse_claims_rule rule, const double *claims, size_t n,
                         double pool, hanse_model_status expected)
{
    double found[8];
    const hanse_claims_outcome out = award(rule, claims, n, pool, found);
    if (out.status != expected)
        fail_msg("%s: expected %s, found %s", hanse_claims_rule_name(rule),
                 hanse_model_status_meaning((int)expected),
                 hanse_model_status_meaning((int)out.status));
    for (size_t i = 0; i < n; i++)
        if (expected != HANSE_MODEL_OK && expected != HANSE_MODEL_INFEASIBLE)
            assert_true(isnan(found[i]));
}

static void statuses_are_those_of_the_rules(void **state)
{
    (void)state;
    static const double good[] = {1, 2, 3};
    static const double bad[] = {1, -2, 3};
    static const double endless[] = {1, (double)INFINITY, 3};
    for (int r = 0; r < HANSE_RULE_COUNT; r++) {
        const hanse_claims_rule rule = (hanse_claims_rule)r;
        check_status(rule, good, 3, 3, HANSE_MODEL_OK);
        check_status(rule, bad, 3, 3, HANSE_MODEL_NEGATIVE);
        check_status(rule, endless, 3, 3, HANSE_MODEL_NOT_FINITE);
        check_status(rule, NULL, 0, 0, HANSE_MODEL_EMPTY);
        if (rule == HANSE_RULE_SHAPLEY)
            continue;
        check_status(rule, good, 3, -1, HANSE_MODEL_NEGATIVE);
        check_status(rule, good, 3, (double)NAN, HANSE_MODEL_NOT_FINITE);
    }
    check_status(HANSE_RULE_LARGEST_REMAINDER, good, 3, 2.5,
                 HANSE_MODEL_INFEASIBLE);
    check_status(HANSE_RULE_LARGEST_REMAINDER, good, 3, 0x1p54,
                 HANSE_MODEL_INFEASIBLE);
}

static void more_than_all_claims_leaves_a_reserve(void **state)
{
    (void)state;
    static const double claims[] = {1, 0, 3};
    static const hanse_claims_rule rules[] = {HANSE_RULE_CEA, HANSE_RULE_CEL,
                                              HANSE_RULE_TALMUD};
    for (size_t r = 0; r < 3; r++) {
        double found[3];
        const hanse_claims_outcome out = award(rules[r], claims, 3, 10, found);
        assert_int_equal(out.status, HANSE_MODEL_INFEASIBLE);
        assert_true(out.reserve == 6.0 && out.shared == 4.0);
        assert_memory_equal(found, claims, sizeof claims);
    }
}

static void single_members_get_the_pool_or_the_claim(void **state)
{
    (void)state;
    for (int r = 0; r < HANSE_RULE_SHAPLEY; r++) {
        const double claim = 10.1, pool = 4.0;
        double found;
        (void)award((hanse_claims_rule)r, &claim, 1, pool, &found);
        assert_true(found == pool);
    }
}

static void proportions_do_not_overflow(void **state)
{
    (void)state;
    static const double claims[] = {0x1p-1000, 0x1.8p-999};
    double found[2];
    (void)award(HANSE_RULE_PROPORTIONAL, claims, 2, 0x1p1000, found);
    assert_near(0x1p998, found[0], 1e-15);
    assert_near(0x1.8p999, found[1], 1e-15);
    static const double large[] = {0x1p1021, 0x1.8p1022};
    (void)award(HANSE_RULE_PROPORTIONAL, large, 2, 0x1p-900, found);
    assert_near(0x1p-902, found[0], 1e-15);
    (void)award(HANSE_RULE_PROPORTIONAL, large, 2, 0x1p1023, found);
    assert_near(0x1.8p1022, found[1], 1e-15);
}

/* ---- Whole tables -------------------------------------------------------- */

typedef struct sample {
    size_t n_rows;
    size_t n_groups;
    uint32_t *groups;
    double *claims;
    uint64_t *ids;
    double *pools;
    double *awards; /* by id */
} sample;

/* A third of the rows in one group when it is `uneven`. */
static sample make_sample(size_t n_rows, size_t n_groups, bool uneven)
{
    sample s = {.n_rows = n_rows, .n_groups = n_groups};
    s.groups = malloc(n_rows * sizeof *s.groups);
    s.claims = malloc(n_rows * sizeof *s.claims);
    s.ids = malloc(n_rows * sizeof *s.ids);
    s.pools = calloc(n_groups, sizeof *s.pools);
    s.awards = malloc(n_rows * sizeof *s.awards);
    for (size_t i = 0; i < n_rows; i++) {
        const uint64_t r = random_bits();
        s.groups[i] = uneven && r % 3 == 0 ? 1 : (uint32_t)(r % n_groups);
        s.claims[i] = r % 7 == 0 ? 12.5 : 100.0 * random_unit();
        if (r % 50 == 0)
            s.groups[i] = HANSE_NO_GROUP;
        if (r % 51 == 0)
            s.claims[i] = (double)NAN;
        if (s.groups[i] != HANSE_NO_GROUP && s.claims[i] > 0)
            s.pools[s.groups[i]] += s.claims[i];
        s.ids[i] = i;
    }
    for (size_t g = 0; g < n_groups; g++)
        s.pools[g] = floor(s.pools[g] * random_unit());
    return s;
}

static void clear_sample(sample *s)
{
    free(s->groups);
    free(s->claims);
    free(s->ids);
    free(s->pools);
    free(s->awards);
}

static void shuffle(sample *s)
{
    for (size_t i = s->n_rows; i-- > 1;) {
        const size_t k = random_bits() % (i + 1);
        const uint32_t group = s->groups[i];
        const double claim = s->claims[i];
        const uint64_t id = s->ids[i];
        s->groups[i] = s->groups[k];
        s->claims[i] = s->claims[k];
        s->ids[i] = s->ids[k];
        s->groups[k] = group;
        s->claims[k] = claim;
        s->ids[k] = id;
    }
}

static void award_sample(sample *s, hanse_claims_rule rule, size_t n_threads,
                         hanse_claims_outcome *outcomes)
{
    double *awards = malloc(s->n_rows * sizeof *awards);
    const hanse_claims_table table = {.rule = rule,
                                      .n_rows = s->n_rows,
                                      .groups = s->groups,
                                      .claims = s->claims,
                                      .ids = s->ids,
                                      .n_groups = s->n_groups,
                                      .pools = s->pools,
                                      .n_threads = n_threads};
    assert_int_equal(hanse_claims_award_all(&table, awards, outcomes, NULL),
                     HANSE_OK);
    for (size_t i = 0; i < s->n_rows; i++)
        s->awards[s->ids[i]] = awards[i];
    free(awards);
}

/* Group by group, in the order of rows. */
static void check_sample(const sample *s, hanse_claims_rule rule,
                         const hanse_claims_outcome *outcomes)
{
    double *claims = malloc(s->n_rows * sizeof *claims);
    double *expected = malloc(s->n_rows * sizeof *expected);
    size_t *rows = malloc(s->n_rows * sizeof *rows);
    uint64_t *ids = malloc(s->n_rows * sizeof *ids);
    for (size_t g = 0; g < s->n_groups; g++) {
        size_t n = 0;
        for (size_t i = 0; i < s->n_rows; i++)
            if (s->groups[i] == g && !isnan(s->claims[i])) {
                rows[n] = i;
                ids[n] = s->ids[i];
                claims[n++] = s->claims[i];
            }
        const hanse_claims_outcome out =
            award_ids(rule, claims, ids, n, s->pools[g], expected);
        assert_int_equal(out.status, outcomes[g].status);
        if (!isnan(out.shared))
            assert_same_bits(out.shared, outcomes[g].shared);
        for (size_t i = 0; i < n; i++)
            assert_same_bits(expected[i], s->awards[s->ids[rows[i]]]);
    }
    free(claims);
    free(expected);
    free(rows);
    free(ids);
}

static void check_table(size_t n_rows, size_t n_groups, bool uneven)
{
    static const size_t threads[] = {2, 3, 8};
    sample s = make_sample(n_rows, n_groups, uneven);
    hanse_claims_outcome *outcomes = calloc(n_groups, sizeof *outcomes);
    for (int r = 0; r < HANSE_RULE_COUNT; r++) {
        const hanse_claims_rule rule = (hanse_claims_rule)r;
        sample other = s;
        other.awards = malloc(n_rows * sizeof *other.awards);
        award_sample(&s, rule, 1, outcomes);
        if (n_groups < 100 && n_rows < 10000)
            check_sample(&s, rule, outcomes);
        for (size_t i = 0; i < n_rows; i++)
            if (s.groups[i] == HANSE_NO_GROUP || isnan(s.claims[i]))
                assert_true(isnan(s.awards[s.ids[i]]));
        for (size_t t = 0; t < 3; t++) {
            award_sample(&other, rule, threads[t], outcomes);
            assert_memory_equal(s.awards, other.awards,
                                n_rows * sizeof *s.awards);
            shuffle(&other);
        }
        free(other.awards);
    }
    free(outcomes);
    clear_sample(&s);
}

static void tables_are_their_groups(void **state)
{
    (void)state;
    check_table(5000, 40, false);
    check_table(5000, 40, true);
    check_table(20000, 7000, false);
}

/* Groups that all threads share. */
static void a_giant_group_is_shared(void **state)
{
    (void)state;
    check_table(2200000, 3, true);
}

/* Geometric claims make the rounds end late: one claim is paid in each. */
static void slow_rounds_end_in_sorting(void **state)
{
    (void)state;
    enum {
        N = 4000
    };
    static double claims[N], sorted[N], found[N];
    i128 total = 0;
    for (size_t i = 0; i < N; i++) {
        /* Each claim a little below the mean of the ones above. */
        claims[i] = floor(0x1p50 / pow((double)(i + 1), 0.99));
        total += (i128)claims[i];
    }
    memcpy(sorted, claims, sizeof claims);
    qsort(sorted, N, sizeof *sorted, compare_numbers);
    for (int k = 1; k <= 50; k++) {
        const i128 pool = total - total / ((i128)1 << k);
        const double rounded = (double)pool;
        const double level = sorted_level(sorted, N, (i128)rounded, 1);
        (void)award(HANSE_RULE_CEA, claims, N, rounded, found);
        for (size_t i = 0; i < N; i++)
            assert_same_bits(fmin(claims[i], level), found[i]);
    }
}

static void exhausted_budgets_are_reported(void **state)
{
    (void)state;
    sample s = make_sample(1000, 10, false);
    hanse_claims_outcome outcomes[10];
    double awards[1000];
    for (int r = 0; r < HANSE_RULE_COUNT; r++) {
        hanse_budget budget = {.limit_bytes = 1};
        hanse_claims_table table = {.rule = (hanse_claims_rule)r,
                                    .n_rows = s.n_rows,
                                    .groups = s.groups,
                                    .claims = s.claims,
                                    .n_groups = s.n_groups,
                                    .pools = s.pools,
                                    .n_threads = 2,
                                    .budget = &budget};
        hanse_error error;
        size_t n_failures = 0;
        while (hanse_claims_award_all(&table, awards, outcomes, &error) !=
               HANSE_OK) {
            assert_int_equal(error.status, HANSE_ERR_LIMIT);
            assert_int_equal(budget.used_bytes, 0);
            budget.limit_bytes += 4096;
            n_failures++;
        }
        assert_true(n_failures > 1);
        assert_int_equal(budget.used_bytes, 0);
    }
    clear_sample(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(awards_of_the_talmud_example),
        cmocka_unit_test(shapley_shares_each_stretch_among_its_users),
        cmocka_unit_test(levels_are_those_of_sorted_claims),
        cmocka_unit_test(remainders_are_compared_exactly),
        cmocka_unit_test(remainders_without_claims_go_by_id),
        cmocka_unit_test(statuses_are_those_of_the_rules),
        cmocka_unit_test(more_than_all_claims_leaves_a_reserve),
        cmocka_unit_test(single_members_get_the_pool_or_the_claim),
        cmocka_unit_test(proportions_do_not_overflow),
        cmocka_unit_test(tables_are_their_groups),
        cmocka_unit_test(a_giant_group_is_shared),
        cmocka_unit_test(slow_rounds_end_in_sorting),
        cmocka_unit_test(exhausted_budgets_are_reported),
    };
    return cmocka_run_group_tests_name("claims", tests, NULL, NULL);
}
