/* SPDX-License-Identifier: Apache-2.0
 *
 * hanse_exp and hanse_log against values from 50-digit decimal arithmetic,
 * against the C library's long double, and against their own bits on the
 * machine where the tests were written.
 *
 * Measured maxima over 20 million arguments: exp 0.795 ulp (at the border of
 * the subnormals; 0.723 elsewhere), log 0.847 ulp (near 0.705).
 */
#include "engine/elementary.h"
#include "tests/random_numbers.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static double next_unit(uint64_t *state)
{
    return (double)(next_random(state) >> 11) * 0x1p-53;
}

static double exp_argument(uint64_t *state, size_t i)
{
    const double unit = next_unit(state);
    switch (i % 4) {
    case 0:
        return -746.0 + unit * 1456.0;
    case 1:
        return 2.0 * unit - 1.0;
    case 2:
        return ldexp(unit - 0.5, -(int)(next_random(state) % 60));
    default:
        return -708.0 - unit * 38.0;
    }
}

static double log_argument(uint64_t *state, size_t i)
{
    const double unit = next_unit(state);
    switch (i % 4) {
    case 0: /* any positive number, subnormals included */
        return from_bits(next_random(state) % UINT64_C(0x7ff0000000000000));
    case 1:
        return 0.5 + unit;
    case 2:
        return 1.0 + ldexp(unit - 0.5, -(int)(next_random(state) % 40));
    default:
        return from_bits(next_random(state) % UINT64_C(0x0010000000000000));
    }
}

/* |computed - exact| in units of the last place of a double at `exact`. */
static double ulps(double computed, long double exact)
{
    int exponent;
    frexpl(exact, &exponent);
    exponent = exponent < -1021 ? -1074 : exponent - 53;
    return (double)(fabsl((long double)computed - exact) *
                    ldexpl(1.0L, -exponent));
}

enum {
    N_RANDOM = 400000
};

static void exp_random_arguments_errs_below_one_ulp(void **state)
{
    (void)state;
    uint64_t seed = 1;
    double worst = 0.0;
    for (size_t i = 0; i < N_RANDOM; i++) {
        const double x = exp_argument(&seed, i);
        const long double exact = expl((long double)x);
        if (exact > (long double)DBL_MAX || exact == 0.0L)
            continue;
        const double error = ulps(hanse_exp(x), exact);
        worst = error > worst ? error : worst;
    }
    print_message("exp: largest error %.3f ulp\n", worst);
    assert_true(worst < 0.85);
}

static void log_random_arguments_errs_below_one_ulp(void **state)
{
    (void)state;
    uint64_t seed = 2;
    double worst = 0.0;
    for (size_t i = 0; i < N_RANDOM; i++) {
        const double x = log_argument(&seed, i);
        const long double exact = logl((long double)x);
        if (exact == 0.0L || x == 0.0)
            continue;
        const double error = ulps(hanse_log(x), exact);
        worst = error > worst ? error : worst;
    }
    print_message("log: largest error %.3f ulp\n", worst);
    assert_true(worst < 0.9);
}

/* Argument, and the exact value as the unevaluated sum of two doubles, from
 * Python's decimal module with 60 digits. */
typedef struct reference {
    double x;
    double high, low;
} reference;

static const reference exp_references[] = {
    {0x1.0000000000000p+0, 0x1.5bf0a8b145769p+1, 0x1.4d57ee2b1013ap-53},
    {-0x1.0000000000000p+0, 0x1.78b56362cef38p-2, -0x1.ca8a4270fadf5p-57},
    {0x1.0000000000000p-1, 0x1.a61298e1e069cp+0, -0x1.b4690082a4906p-55},
    {-0x1.0000000000000p-1, 0x1.368b2fc6f960ap-1, -0x1.85314b9559e64p-61},
    {0x1.62e42fefa39efp-2, 0x1.6a09e667f3bccp+0, 0x1.f68d3de197eeap-54},
    {-0x1.62e42fefa39efp-2, 0x1.6a09e667f3bcdp-1, -0x1.7233c057e4796p-55},
    {0x1.56e1fc2f8f359p-997, 0x1.0000000000000p+0, 0x0.0p+0},
    {-0x1.70ef54646d497p-57, 0x1.0000000000000p+0, -0x1.70ef54646d497p-57},
    {0x1.fb49140a1644fp-53, 0x1.0000000000001p+0, -0x1.2dbafd7a6ec01p-59},
    {0x1.4000000000000p+3, 0x1.5829dcf950560p+14, -0x1.83e055cfea4bbp-40},
    {-0x1.4000000000000p+3, 0x1.7cd79b5647c9bp-15, -0x1.8e936e2abd9dep-69},
    {0x1.9000000000000p+6, 0x1.3494a9b171bf5p+144, -0x1.4cf76bdb3376fp+90},
    {-0x1.9000000000000p+6, 0x1.a8c1f14e2af5dp-145, -0x1.43089bb228e2cp-199},
    {0x1.5e00000000000p+9, 0x1.d945df4f8ec8ep+1009, 0x1.183392684a46ep+954},
    {0x1.62e3d70a3d70ap+9, 0x1.fe9ce5c4c52b4p+1023, 0x1.a8a120488d827p+969},
    {-0x1.6231eb851eb85p+9, 0x1.01a5ff6ed496bp-1022, 0x0.0p+0},
    {-0x1.5e00000000000p+9, 0x1.14f2b0fb9307fp-1010, 0x0.00000000000acp-1022},
    {0x1.62e42fefa39efp-1, 0x1.0000000000000p+1, -0x1.abc9e3b39803fp-55},
    {0x1.4f8b588e368f1p-17, 0x1.0000a7c5e340ep+0, 0x1.bf6ba1f2a2657p-54},
    {0x1.921fb54442d18p+1, 0x1.724046eb09339p+4, -0x1.6b372e7bb60c0p-51},
    {-0x1.a6cd2637a3f0ep+7, 0x1.025e3bd945574p-305, -0x1.6a5cce967563dp-359},
    {-0x1.a2fb223ec6c72p+8, 0x1.73c0d692cf254p-605, -0x1.9dedf84115f77p-669},
    {0x1.6a3e23e67c65cp+7, 0x1.3bce9150acedap+261, -0x1.f48685996ebefp+207},
    {-0x1.0089c94f6788ap+9, 0x1.b9c44fe20b1d1p-741, 0x1.0538c67324682p-795},
    {0x1.58779d20f4c00p+5, 0x1.163b8b010b8dep+62, 0x1.7767767add5acp+8},
    {-0x1.4258babd29e1ap+7, 0x1.6415e1ea7f505p-233, 0x1.c1dcf8f723ca8p-288},
    {-0x1.09335d7ac5aeap+9, 0x1.bb78043e58caap-766, -0x1.018f8f0eb6a84p-820},
    {0x1.1d883b468d200p+3, 0x1.d4da961655586p+12, 0x1.35c041b6ffc98p-43},
    {-0x1.1580aab78dd03p+9, 0x1.3a75f26630d2dp-801, 0x1.48f11befcaa33p-855},
    {-0x1.3e802f1518c20p+6, 0x1.1732dbf8f7676p-115, -0x1.ecb5f5d7a1c02p-169},
    {-0x1.021634f9f3454p+9, 0x1.3f5d7d3caf6f8p-745, -0x1.a77f1718decb7p-800},
    {-0x1.eb24f65957c92p+8, 0x1.5884718c5eddbp-709, 0x1.306d912abd96cp-763},
};

static const reference log_references[] = {
    {0x1.0000000000000p+1, 0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56},
    {0x1.0000000000000p-1, -0x1.62e42fefa39efp-1, -0x1.abc9e3b39803fp-56},
    {0x1.4000000000000p+3, 0x1.26bb1bbb55516p+1, -0x1.f48ad494ea3e9p-53},
    {0x1.5bf0a8b145769p+1, 0x1.0000000000000p+0, -0x1.ea8556644e4cdp-55},
    {0x1.0000000000001p+0, 0x1.fffffffffffffp-53, 0x1.5555555555554p-158},
    {0x1.fffffffffffffp-1, -0x1.0000000000000p-53, -0x1.0000000000000p-107},
    {0x1.6a09e667f3bccp-1, -0x1.62e42fefa39f1p-2, 0x1.8d8f957c3d43cp-57},
    {0x1.6a09e667f3bcdp-1, -0x1.62e42fefa39eep-2, 0x1.716fdfdbc882ep-60},
    {0x1.6a09e667f3bcdp+0, 0x1.62e42fefa39f0p-2, 0x1.c2e0e1b1548c2p-56},
    {0x1.6a09e667f3bccp+0, 0x1.62e42fefa39eep-2, -0x1.8d6e518e495a3p-56},
    {0x0.730d67819e8d2p-1022, -0x1.62991d5d62a5ep+9, 0x1.e597ce98c3489p-47},
    {0x0.0000000000001p-1022, -0x1.74385446d71c3p+9, -0x1.8e569fa8ee781p-45},
    {0x1.fffffffffffffp+1023, 0x1.62e42fefa39efp+9, 0x1.a9c9e3b39803fp-46},
    {0x1.8000000000000p+1, 0x1.193ea7aad030bp+0, -0x1.a256f99caabebp-54},
    {0x1.999999999999ap-4, -0x1.26bb1bbb55515p+1, -0x1.8b752b6b15c17p-53},
    {0x1.2a05f20000000p+33, 0x1.7069e2aa2aa5bp+4, -0x1.c6b626e89338fp-52},
    {0x1.fae147ae147aep-1, -0x1.495453e6fd4bcp-7, 0x1.004bec099ed61p-61},
    {0x1.028f5c28f5c29p+0, 0x1.460d6ccca367cp-7, -0x1.b91e884162e7ep-62},
    {0x1.68f32378ab0c9p-1, -0x1.65f9d4f3f9e6ep-2, 0x1.15ad615b345e0p-59},
    {0x1.cb317b0dafffep-44, -0x1.dea07d7ba3745p+4, -0x1.0472acf2baf0cp-54},
    {0x1.0994ab7075b8ep-48, -0x1.09dfe4d893153p+5, 0x1.77b5956c934d3p-55},
    {0x1.923cd17491c30p+12, 0x1.18a0d277d7a62p+3, -0x1.6a19a527ea954p-55},
    {0x1.f08d9bb81f8c4p+49, 0x1.1503885e2d383p+5, 0x1.4206daa579360p-56},
    {0x1.0e6e7850495c0p-40, -0x1.babc9a77a8513p+4, 0x1.f0ed6b9d29ca0p-55},
    {0x1.d8b27d8ce5e1bp-104, -0x1.1de567e5aa407p+6, -0x1.0f444f0295741p-54},
    {0x1.5f00561194622p-76, -0x1.a2e8991121536p+5, 0x1.b00548a9f99b3p-56},
    {0x1.e1df074d3f477p+21, 0x1.e608ee597c512p+3, -0x1.ccf168f954586p-55},
    {0x1.07ce772a343cbp+5, 0x1.bf7588c3a4d10p+1, -0x1.32dd03355434fp-55},
    {0x1.10dcfc8e95168p-55, -0x1.3079732b5a9a6p+5, -0x1.8a7250ed739d0p-54},
    {0x1.2631b22cac936p+31, 0x1.5a06a7ed4c02fp+4, -0x1.20c3cf60e840dp-54},
    {0x1.8528945e0606ap-45, -0x1.ec5d7205b8115p+4, 0x1.0c01042cb163ep-54},
};

static void check_references(const reference *references, size_t n,
                             double (*function)(double))
{
    for (size_t i = 0; i < n; i++) {
        const reference *r = &references[i];
        const double step = nextafter(fabs(r->high), INFINITY) - fabs(r->high);
        const double error = (function(r->x) - r->high) - r->low;
        if (!(fabs(error) < 0.85 * step))
            fail_msg("at %a: %a, not %a", r->x, function(r->x), r->high);
    }
}

static void exp_table_of_decimals_is_met(void **state)
{
    (void)state;
    check_references(exp_references,
                     sizeof exp_references / sizeof exp_references[0],
                     hanse_exp);
}

static void log_table_of_decimals_is_met(void **state)
{
    (void)state;
    check_references(log_references,
                     sizeof log_references / sizeof log_references[0],
                     hanse_log);
}

static void assert_bits(double value, double expected)
{
    assert_int_equal(bits_of(value), bits_of(expected));
}

static void exp_special_values_follow_ieee(void **state)
{
    (void)state;
    assert_bits(hanse_exp(0.0), 1.0);
    assert_bits(hanse_exp(-0.0), 1.0);
    assert_bits(hanse_exp(INFINITY), INFINITY);
    assert_bits(hanse_exp(-INFINITY), 0.0);
    assert_bits(hanse_exp(DBL_MAX), INFINITY);
    assert_bits(hanse_exp(-DBL_MAX), 0.0);
    assert_bits(hanse_exp(NAN), NAN);
    assert_bits(hanse_exp(-NAN), NAN);
    assert_bits(hanse_exp(from_bits(UINT64_C(0x7ff80000deadbeef))), NAN);
    assert_bits(hanse_exp(0x1.62e42fefa39efp+9), 0x1.fffffffffff2ap+1023);
    assert_bits(hanse_exp(0x1.62e42fefa39f0p+9), INFINITY);
    assert_bits(hanse_exp(-0x1.74385446d71c3p+9), 0x1p-1074);
    assert_bits(hanse_exp(-0x1.74910d52d3052p+9), 0.0);
    assert_bits(hanse_exp(DBL_TRUE_MIN), 1.0);
}

static void log_special_values_follow_ieee(void **state)
{
    (void)state;
    assert_bits(hanse_log(1.0), 0.0);
    assert_bits(hanse_log(0.0), -INFINITY);
    assert_bits(hanse_log(-0.0), -INFINITY);
    assert_bits(hanse_log(INFINITY), INFINITY);
    assert_bits(hanse_log(-INFINITY), NAN);
    assert_bits(hanse_log(-DBL_TRUE_MIN), NAN);
    assert_bits(hanse_log(-1.0), NAN);
    assert_bits(hanse_log(NAN), NAN);
    assert_bits(hanse_log(-NAN), NAN);
    assert_bits(hanse_log(from_bits(UINT64_C(0xfff80000deadbeef))), NAN);
}

/* Monotone where it is easy to go wrong: at the borders between the ranges
 * that have different k. */
static void log_borders_of_ranges_keep_order(void **state)
{
    (void)state;
    for (int k = -1060; k <= 1020; k += 20) {
        double x = ldexp(0x1.6a09e667f3bc0p-1, k);
        for (int i = 0; i < 64; i++) {
            const double above = nextafter(x, INFINITY);
            assert_true(hanse_log(x) <= hanse_log(above));
            x = above;
        }
    }
}

/* All sizes past several vectors, in place and not, equal to one by one. */
static void block_any_size_equals_single_values(void **state)
{
    (void)state;
    uint64_t seed = 3;
    double x[67] = {0}, out[67], in_place[67];
    for (size_t n = 0; n <= 67; n++) {
        for (size_t i = 0; i < n; i++)
            x[i] = exp_argument(&seed, i);
        memcpy(in_place, x, n * sizeof x[0]);
        hanse_exp_block(x, out, n);
        hanse_exp_block(in_place, in_place, n);
        for (size_t i = 0; i < n; i++) {
            assert_bits(out[i], hanse_exp(x[i]));
            assert_bits(in_place[i], out[i]);
        }
        memcpy(in_place, x, n * sizeof x[0]);
        hanse_log_block(x, out, n);
        hanse_log_block(in_place, in_place, n);
        for (size_t i = 0; i < n; i++) {
            assert_bits(out[i], hanse_log(x[i]));
            assert_bits(in_place[i], out[i]);
        }
    }
}

/* FNV-1a over the bits of many results: the same with every compiler, every
 * level of optimisation and every instruction set. */
static void results_on_any_machine_have_the_same_bits(void **state)
{
    (void)state;
    uint64_t seed = 4;
    uint64_t exp_hash = UINT64_C(0xcbf29ce484222325);
    uint64_t log_hash = exp_hash;
    for (size_t i = 0; i < N_RANDOM; i++) {
        const uint64_t e = bits_of(hanse_exp(exp_argument(&seed, i)));
        const uint64_t l = bits_of(hanse_log(log_argument(&seed, i)));
        exp_hash = (exp_hash ^ e) * UINT64_C(0x100000001b3);
        log_hash = (log_hash ^ l) * UINT64_C(0x100000001b3);
    }
    print_message("exp %016" PRIx64 ", log %016" PRIx64 "\n", exp_hash,
                  log_hash);
    assert_int_equal(exp_hash, UINT64_C(0x206f696e1f6d3407));
    assert_int_equal(log_hash, UINT64_C(0x51aeb4a912ec5b5b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_random_arguments_errs_below_one_ulp),
        cmocka_unit_test(log_random_arguments_errs_below_one_ulp),
        cmocka_unit_test(exp_table_of_decimals_is_met),
        cmocka_unit_test(log_table_of_decimals_is_met),
        cmocka_unit_test(exp_special_values_follow_ieee),
        cmocka_unit_test(log_special_values_follow_ieee),
        cmocka_unit_test(log_borders_of_ranges_keep_order),
        cmocka_unit_test(block_any_size_equals_single_values),
        cmocka_unit_test(results_on_any_machine_have_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
