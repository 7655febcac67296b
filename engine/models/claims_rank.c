/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules that rank the members of a group.
 *
 * Largest remainder: t_i = E c_i/D with E a whole number and D exact. With all
 * claims in units of their last common bit, c_i = C_i u and D = D' u, the
 * quotient of the integers E C_i and D' is floor(t_i), its remainder over D'
 * the fraction. Where D' has more than 64 bits the same is done with long
 * integers: remainders are then kept rounded, and compared exactly where those
 * are equal, which rounding never turns round.
 */
#include <assert.h>
#include <math.h>

#include "engine/models/claim_sum.h"
#include "engine/models/claims.h"
#include "engine/sort.h"

typedef unsigned __int128 u128;

/* What the comparison of two members needs. */
typedef struct ranking {
    double pool;
    bool is_long;     /* ranks are rounded remainders */
    hanse_wide total; /* D, where is_long */
} ranking;

/* ---- The rest of the units ---------------------------------------------- */

/* E c - award D. */
static void remainder_of(const ranking *r, double claim, double award,
                         hanse_wide *out)
{
    hanse_wide taken;
    hanse_wide_from_double(out, claim);
    hanse_wide_scale(out, (uint64_t)r->pool);
    hanse_wide_copy(&taken, &r->total);
    hanse_wide_scale(&taken, (uint64_t)award);
    hanse_wide_subtract(out, &taken);
}

/* Apart, for its kilobytes of stack. */
static __attribute__((noinline)) int
compare_long(const ranking *r, const hanse_claimant *a, const hanse_claimant *b)
{
    hanse_wide x, y;
    remainder_of(r, a->claim, a->award, &x);
    remainder_of(r, b->claim, b->award, &y);
    hanse_wide_subtract(&x, &y);
    return x.n == 0 ? 0 : x.negative ? 1 : -1;
}

/* Negative when a goes before b. */
static int compare(const ranking *r, const hanse_claimant *a,
                   const hanse_claimant *b)
{
    if (a->rank != b->rank)
        return a->rank > b->rank ? -1 : 1;
    const int order = r->is_long ? compare_long(r, a, b) : 0;
    if (order != 0)
        return order;
    if (a->claim != b->claim)
        return a->claim > b->claim ? -1 : 1;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static void swap(hanse_claimant *a, hanse_claimant *b)
{
    const hanse_claimant other = *a;
    *a = *b;
    *b = other;
}

/* Index of the middle one of three. */
static size_t middle(const ranking *r, const hanse_claimant *m, size_t a,
                     size_t b, size_t c)
{
    const bool ab = compare(r, &m[a], &m[b]) < 0;
    const bool bc = compare(r, &m[b], &m[c]) < 0;
    if (ab == bc)
        return b;
    return (compare(r, &m[a], &m[c]) < 0) == ab ? c : a;
}

/* Brings the k members that go first to the front (Hoare's quickselect; the
 * order is total, so there is one such set). */
static void select_first(const ranking *r, hanse_claimant *m, size_t n,
                         size_t k)
{
    uint64_t random = 0x9e3779b97f4a7c15u;
    size_t low = 0, high = n; /* the border lies in [low, high) */
    while (k > low && k < high && high - low > 1) {
        size_t sample[3];
        for (int s = 0; s < 3; s++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            sample[s] = low + (size_t)((random >> 20) % (high - low));
        }
        swap(&m[low], &m[middle(r, m, sample[0], sample[1], sample[2])]);
        size_t i = low, j = high;
        for (;;) { /* m[low] is the pivot */
            while (++i < high && compare(r, &m[i], &m[low]) < 0)
                ;
            while (compare(r, &m[--j], &m[low]) > 0)
                ;
            if (i >= j)
                break;
            swap(&m[i], &m[j]);
        }
        swap(&m[low], &m[j]);
        if (j < k)
            low = j + 1;
        else
            high = j;
    }
}

/* ---- Largest remainder -------------------------------------------------- */

/* Claims in units of 2^low; false when E C_i or D' are too long for that. */
static bool divide_short(hanse_claimant *members, size_t n, uint64_t pool,
                         const hanse_wide *total, int low)
{
    hanse_wide sum;
    hanse_wide_copy(&sum, total);
    if (sum.exponent > low)
        hanse_wide_lower(&sum, sum.exponent - low);
    /* Bits below `low` are zero. */
    const int shift = low - sum.exponent;
    if (hanse_wide_bits(&sum) - shift > 64 || sum.n > 2)
        return false;
    const u128 words = (u128)(sum.n > 1 ? sum.word[1] : 0) << 64 | sum.word[0];
    const uint64_t divisor = (uint64_t)(words >> shift);
    for (size_t i = 0; i < n; i++) {
        /* C_i <= D' < 2^64, E <= 2^53. */
        const u128 units = (u128)(uint64_t)ldexp(members[i].claim, -low) * pool;
        members[i].award = (double)(uint64_t)(units / divisor);
        members[i].rank = (uint64_t)(units % divisor);
    }
    return true;
}

/* floor(E c/D), and the remainder, as the bits of a number that is not
 * negative; the quotient of doubles is off by one at most. */
static void divide_long(const ranking *r, double total, hanse_claimant *m)
{
    hanse_wide rest;
    int of_claim, of_total;
    const double claim = frexp(m->claim, &of_claim);
    const double divisor = frexp(total, &of_total);
    double award = floor(ldexp(r->pool * claim / divisor, of_claim - of_total));
    for (;;) {
        remainder_of(r, m->claim, award, &rest);
        if (rest.n != 0 && rest.negative) {
            award -= 1.0;
            continue;
        }
        hanse_wide beyond;
        hanse_wide_copy(&beyond, &rest);
        hanse_wide_subtract(&beyond, &r->total);
        if (beyond.n != 0 && beyond.negative)
            break;
        award += 1.0;
    }
    const double rounded = hanse_wide_round(&rest);
    m->award = award;
    memcpy(&m->rank, &rounded, sizeof m->rank);
}

/* Exponent of the last bit of any claim. */
static int last_bit(const hanse_claimant *members, size_t n)
{
    int low = INT32_MAX;
    for (size_t i = 0; i < n; i++)
        if (members[i].claim != 0.0) {
            const hanse_bits bits = hanse_bits_of(members[i].claim, false);
            low = bits.exponent < low ? bits.exponent : low;
        }
    return low;
}

static void divide_all(ranking *r, hanse_claimant *members, size_t n,
                       const hanse_wide *total)
{
    const uint64_t pool = (uint64_t)r->pool;
    if (pool == 0 || total->n == 0) { /* without claims all are alike */
        for (size_t i = 0; i < n; i++) {
            members[i].award = (double)(pool / n);
            members[i].rank = 0;
        }
        return;
    }
    if (divide_short(members, n, pool, total, last_bit(members, n)))
        return;
    r->is_long = true;
    hanse_wide_copy(&r->total, total);
    const double rounded = hanse_wide_round(total);
    for (size_t i = 0; i < n; i++)
        divide_long(r, rounded, &members[i]);
}

static void divide_units(hanse_claimant *members, size_t n, double pool,
                         const hanse_wide *total)
{
    ranking r = {.pool = pool};
    uint64_t given = 0;
    divide_all(&r, members, n, total);
    for (size_t i = 0; i < n; i++)
        given += (uint64_t)members[i].award;
    const size_t n_more = (size_t)((uint64_t)pool - given);
    assert(n_more < n || n_more == 0);
    select_first(&r, members, n, n_more);
    for (size_t i = 0; i < n_more; i++)
        members[i].award += 1.0;
}

/* ---- A common facility -------------------------------------------------- */

/* The sum of the shares so far is kept as a pair of numbers (Dekker 1971), so
 * that n additions lose nothing that shows. */
static void share_cost(hanse_claimant *members, size_t n, void *spare)
{
    hanse_sort_entry *entries = spare;
    hanse_sort_entry *other = entries + n;
    for (size_t i = 0; i < n; i++) {
        const double claim = members[i].claim + 0.0; /* no -0 */
        entries[i].index = (uint32_t)i;
        memcpy(&entries[i].key, &claim, sizeof claim);
    }
    hanse_sort(entries, other, n);
    double high = 0.0, low = 0.0, before = 0.0;
    for (size_t k = 0; k < n; k++) {
        hanse_claimant *m = &members[entries[k].index];
        if (m->claim != before) {
            const double step = (m->claim - before) / (double)(n - k);
            const double sum = high + step;
            const double part = sum - high;
            low += (high - (sum - part)) + (step - part);
            high = sum;
            before = m->claim;
        }
        m->award = high + low;
    }
}

/* ---- One group ---------------------------------------------------------- */

/* Sums and the exact total; *total is set only where claims can be added. */
static hanse_claims_sums sum_claims(const hanse_claimant *members, size_t n,
                                    hanse_wide *total, double *most)
{
    double least = (double)INFINITY, above = (double)INFINITY;
    double product = 0.0; /* NaN once a claim is not finite */
    *most = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double c = members[i].claim;
        product += c * 0.0;
        least = c < least ? c : least;
        above = c > 0.0 && c < above ? c : above;
        *most = c > *most ? c : *most;
    }
    hanse_claims_sums sums = {n, product, least, 0.0};
    if (product != 0.0 || least < 0.0)
        return sums;
    hanse_claim_sum sum;
    hanse_claim_sum_init(&sum, *most > 0.0 ? above : 1.0,
                         *most > 0.0 ? *most : 1.0);
    for (size_t i = 0; i < n; i++)
        hanse_claim_sum_add(&sum, members[i].claim);
    hanse_claim_sum_get(&sum, total);
    sums.total = hanse_wide_round(total);
    return sums;
}

void hanse_claims_rank(hanse_claims_rule rule, hanse_claimant *members,
                       size_t n, double pool, void *spare,
                       hanse_claims_outcome *out)
{
    hanse_wide total;
    double most;
    hanse_claims_sums sums = sum_claims(members, n, &total, &most);
    sums.pool = rule == HANSE_RULE_SHAPLEY ? most : pool;
    hanse_claims_outcome_of_sums(rule, &sums, out);
    if (out->status == HANSE_MODEL_OK && rule == HANSE_RULE_LARGEST_REMAINDER &&
        (pool != floor(pool) || pool > 0x1p53)) {
        out->status = HANSE_MODEL_INFEASIBLE;
        out->shared = (double)NAN;
    }
    out->terms = (hanse_award_terms){.level = (double)NAN};
    if (out->status == HANSE_MODEL_OK && rule == HANSE_RULE_SHAPLEY)
        share_cost(members, n, spare);
    else if (out->status == HANSE_MODEL_OK)
        divide_units(members, n, pool, &total);
    else
        for (size_t i = 0; i < n; i++)
            members[i].award = (double)NAN;
}
