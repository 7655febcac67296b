/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of formulas: every operator with every type and with missing values,
 * precedence, exact comparisons. Blocks and limits: test_formula_program.c;
 * messages: test_formula_errors.c; random formulas against an independent
 * evaluator: test_formula_random.c.
 */
#include "tests/formula_values.h"

static void conditions_of(const char *text, uint8_t *out)
{
    hanse_formula *formula = compile(text, HANSE_WANT_CONDITION);
    void *scratch =
        hanse_allocate(NULL, hanse_formula_scratch_bytes(formula), 1);
    uint8_t *block = hanse_allocate(NULL, HANSE_BLOCK_ROWS, 1);
    assert_non_null(scratch);
    assert_non_null(block);
    hanse_formula_condition(formula, &table_batch, 0, TABLE_ROWS, scratch,
                            block);
    memcpy(out, block, TABLE_ROWS);
    hanse_free(NULL, block, HANSE_BLOCK_ROWS, 1);
    hanse_free(NULL, scratch, hanse_formula_scratch_bytes(formula), 1);
    hanse_formula_destroy(formula);
}

/* A condition and what it is in the six rows: T, F or U (unknown). As a
 * number it is 1, 0 or missing, as a filter it keeps the rows of T. */
typedef struct truth_case {
    const char *text;
    const char *expected;
} truth_case;

static void check_truths(const truth_case *cases, size_t n_cases)
{
    for (size_t c = 0; c < n_cases; c++) {
        double numbers[TABLE_ROWS];
        uint8_t kept[TABLE_ROWS];
        char found[TABLE_ROWS + 1] = {0};
        numbers_of(cases[c].text, numbers);
        conditions_of(cases[c].text, kept);
        for (size_t i = 0; i < TABLE_ROWS; i++) {
            found[i] = isnan(numbers[i])   ? 'U'
                       : numbers[i] == 1.0 ? 'T'
                       : numbers[i] == 0.0 ? 'F'
                                           : '?';
            if (kept[i] != (cases[c].expected[i] == 'T'))
                fail_msg("%s: row %zu kept %d", cases[c].text, i, kept[i]);
        }
        if (strcmp(found, cases[c].expected) != 0)
            fail_msg("%s: %s, not %s", cases[c].text, found, cases[c].expected);
    }
}

#define CHECK_TRUTHS(cases) \
    check_truths((cases), sizeof(cases) / sizeof((cases)[0]))

typedef struct number_case {
    const char *text;
    double expected[TABLE_ROWS];
} number_case;

/* Equal to the bit, which tells zeros apart; every NaN is the same one. */
static void check_numbers(const number_case *cases, size_t n_cases)
{
    for (size_t c = 0; c < n_cases; c++) {
        double numbers[TABLE_ROWS];
        numbers_of(cases[c].text, numbers);
        for (size_t i = 0; i < TABLE_ROWS; i++)
            if (memcmp(&numbers[i], &cases[c].expected[i], sizeof(double)))
                fail_msg("%s: row %zu is %.17g, not %.17g", cases[c].text, i,
                         numbers[i], cases[c].expected[i]);
    }
}

#define CHECK_NUMBERS(cases) \
    check_numbers((cases), sizeof(cases) / sizeof((cases)[0]))

/* ---- Values ------------------------------------------------------------- */

static void column_of_each_type_gives_its_numbers(void **state)
{
    (void)state;
    static const number_case cases[] = {
        {"active", {1, 0, 1, 1, 0, 2}},
        {"chain", {-5, 0, 7, 300, NAN, 7}},
        {"big",
         {-0x1p+63, 0x1p+63, 0x1p+53, 0x1p+53, -1, NAN}}, /* to nearest even */
        {"ubig", {0, 0x1p+64, 0x1p+53, 0x1p+63, 0x1p+63, 1}},
        {"labour", {1.5, -2, NAN, 0, INFINITY, 1e308}},
        {"quality", {0.1f, 0.5, NAN, 1, -0.0, 0.25}},
        {"flag", {1, 0, NAN, 1, 0, 1}},
        {"sector", {1, 2, 3, 1, NAN, 9}},
        {"`my col`", {1, 2, 3, 4, 5, 6}},
        {"small", {-128, -1, 0, 1, 127, 5}},
        {"word", {0, 1, 255, 256, 65535, 5}},
        {"count", {0, 1, 255, 65536, 4294967295.0, 5}},
        {"former", {1, 3, 3, 2, 2, 9}},
        {"marked", {1, 2, NAN, 4, 5, 6}},
        {"qualit\xc3\xa9", {1, 2, 3, 4, 5, 6}},
        {"`or`", {1, 3, 3, 2, 2, 9}},
        {"`a``b`", {1, 2, 3, 4, 5, 6}},
    };
    CHECK_NUMBERS(cases);
}

static void literals_are_read_exactly(void **state)
{
    (void)state;
#define SAME(x)                      \
    {                                \
        (x), (x), (x), (x), (x), (x) \
    }
    static const number_case cases[] = {
        {"1", SAME(1)},
        {"1.5", SAME(1.5)},
        {".5", SAME(0.5)},
        {"5.", SAME(5)},
        {"1e3", SAME(1000)},
        {"1.25E-2", SAME(0.0125)},
        {"1e+2", SAME(100)},
        {"0.1", SAME(0.1)},
        {"9007199254740993", SAME(9007199254740992.0)},
        {"9007199254740993.0000000001", SAME(9007199254740994.0)},
        {"18446744073709551615", SAME(0x1p+64)},
        {"99999999999999999999999", SAME(1e23)},
        {"1.7976931348623157e308", SAME(0x1.fffffffffffffp+1023)},
        {"4.9e-324", SAME(0x1p-1074)},
        {"1e-400", SAME(0.0)},
        {"-0", SAME(0.0)},
        {"-0.0", SAME(-0.0)},
        {"true", SAME(1)},
        {"false", SAME(0)},
    };
    CHECK_NUMBERS(cases);
}

static void arithmetic_follows_ieee_and_passes_missing_on(void **state)
{
    (void)state;
    static const number_case cases[] = {
        {"labour + 1", {2.5, -1, NAN, 1, INFINITY, 1e308}},
        {"1 + labour", {2.5, -1, NAN, 1, INFINITY, 1e308}},
        {"labour - 1", {0.5, -3, NAN, -1, INFINITY, 1e308}},
        {"1 - labour", {-0.5, 3, NAN, 1, -INFINITY, -1e308}},
        {"labour - labour", {0, 0, NAN, 0, NAN, 0}},
        {"labour * 10", {15, -20, NAN, 0, INFINITY, INFINITY}},
        {"10 * labour", {15, -20, NAN, 0, INFINITY, INFINITY}},
        {"labour * `my col`", {1.5, -4, NAN, 0, INFINITY, INFINITY}},
        {"`my col` / 2", {0.5, 1, 1.5, 2, 2.5, 3}},
        {"6 / `my col`", {6, 3, 2, 1.5, 6.0 / 5, 1}},
        {"labour / labour", {1, 1, NAN, NAN, NAN, 1}},
        {"1 / labour", {1 / 1.5, -0.5, NAN, INFINITY, 0, 1 / 1e308}},
        {"chain / 0", {-INFINITY, NAN, INFINITY, INFINITY, NAN, INFINITY}},
        {"chain + active", {-4, 0, 8, 301, NAN, 9}},
        {"flag + flag * 2", {3, 0, NAN, 3, 0, 3}},
        {"(chain > 5) * 10", {0, 0, 10, 10, NAN, 10}},
        {"-labour", {-1.5, 2, NAN, -0.0, -INFINITY, -1e308}},
        {"-chain", {5, -0.0, -7, -300, NAN, -7}},
        {"--chain", {-5, 0, 7, 300, NAN, 7}},
        {"-flag", {-1, -0.0, NAN, -1, -0.0, -1}},
        {"sector * 2", {2, 4, 6, 2, NAN, 18}},
        {"0.4*labour + 0.6*`my col`",
         {0.4 * 1.5 + 0.6 * 1, 0.4 * -2 + 0.6 * 2, NAN, 0.6 * 4, INFINITY,
          0.4 * 1e308 + 0.6 * 6}},
    };
    CHECK_NUMBERS(cases);
}

static void functions_give_values_and_missing(void **state)
{
    (void)state;
    static const number_case cases[] = {
        {"abs(labour)", {1.5, 2, NAN, 0, INFINITY, 1e308}},
        {"abs(chain)", {5, 0, 7, 300, NAN, 7}},
        {"abs(quality)", {0.1f, 0.5, NAN, 1, 0, 0.25}},
        {"abs(-3)", SAME(3)},
        {"sqrt(`my col` * `my col`)", {1, 2, 3, 4, 5, 6}},
        {"sqrt(chain - 3)", {NAN, NAN, 2, 17.233687939614086, NAN, 2}},
        {"exp(labour * 0)", {1, 1, NAN, 1, NAN, 1}},
        {"log(active)", {0, -INFINITY, 0, 0, -INFINITY, 0x1.62e42fefa39efp-1}},
        {"log(small)",
         {NAN, NAN, -INFINITY, 0, 4.8441870864585912, 0x1.9c041f7ed8d33p+0}},
        {"log(-1)", SAME(NAN)},
        {"exp(1)", SAME(0x1.5bf0a8b145769p+1)},
        {"log(2)", SAME(0x1.62e42fefa39efp-1)},
        {"min(labour, 1)", {1, -2, NAN, 0, 1, 1}},
        {"min(1, labour)", {1, -2, NAN, 0, 1, 1}},
        {"max(labour, 1)", {1.5, 1, NAN, 1, INFINITY, 1e308}},
        {"max(1, labour)", {1.5, 1, NAN, 1, INFINITY, 1e308}},
        {"min(`my col`, 3, chain)", {-5, 0, 3, 3, NAN, 3}},
        {"max(`my col`, 3, chain)", {3, 3, 7, 300, NAN, 7}},
        {"max(flag, quality)", {1, 0.5, NAN, 1, 0, 1}},
        {"min(quality, 0)", {0, 0, NAN, 0, -0.0, 0}},
        {"min(0, quality)", {0, 0, NAN, 0, -0.0, 0}},
        {"max(quality, 0.0)", {0.1f, 0.5, NAN, 1, 0, 0.25}},
        {"max(-0.0, quality)", {0.1f, 0.5, NAN, 1, -0.0, 0.25}},
        {"min(-0.0, 0.0)", SAME(-0.0)},
        {"max(0.0, -0.0)", SAME(0.0)},
        {"min(1, 0/0)", SAME(NAN)},
        {"max(0/0, 1)", SAME(NAN)},
        {"max(1, 2, 3, 4, min(9, 8))", SAME(8)},
    };
    CHECK_NUMBERS(cases);
}

static void operators_bind_as_documented(void **state)
{
    (void)state;
    static const number_case cases[] = {
        {"2+3*4", SAME(14)},
        {"2*3+4", SAME(10)},
        {"(2+3)*4", SAME(20)},
        {"10-4-3", SAME(3)},
        {"10-(4-3)", SAME(9)},
        {"100/10/5", SAME(2)},
        {"100/(10/5)", SAME(50)},
        {"12/3*2", SAME(8)},
        {"-2*3", SAME(-6)},
        {"2*-3", SAME(-6)},
        {"2 - -3", SAME(5)},
        {"-(2+3)", SAME(-5)},
        {"1+2 == 3", SAME(1)},
        {"1 == 2 || 3 == 3", SAME(1)},
        {"true || true && false", SAME(1)},
        {"(true || true) && false", SAME(0)},
        {"true or true and false", SAME(1)},
        {"!false && false", SAME(0)},
        {"!(false && false)", SAME(1)},
        {"not 1 == 2", SAME(1)},
        {"!1 == 2", SAME(1)},
        {"not not true", SAME(1)},
        {"(1 < 2) == true", SAME(1)},
        {"1 < 2 && 2 < 3", SAME(1)},
        {"1 = 1", SAME(1)},
        {"1 <> 1", SAME(0)},
    };
    CHECK_NUMBERS(cases);
}

static void three_valued_logic_follows_kleene(void **state)
{
    (void)state;
    /* flag: T F U T F T; labour > 1: T F U F T T; chain > 5: F F T T U T */
    static const truth_case cases[] = {
        {"flag", "TFUTFT"},
        {"labour > 1", "TFUFTT"},
        {"chain > 5", "FFTTUT"},
        {"flag && labour > 1", "TFUFFT"},
        {"flag || labour > 1", "TFUTTT"},
        {"flag && chain > 5", "FFUTFT"},
        {"flag || chain > 5", "TFTTUT"},
        {"labour > 1 && chain > 5", "FFUFUT"},
        {"labour > 1 or chain > 5", "TFTTTT"},
        {"!flag", "FTUFTF"},
        {"not (flag and flag)", "FTUFTF"},
        {"flag && true", "TFUTFT"},
        {"flag && false", "FFFFFF"},
        {"true || flag", "TTTTTT"},
        {"false || flag", "TFUTFT"},
        {"0/0 > 1", "UUUUUU"},
        {"flag && 0/0 > 1", "UFUUFU"},
        {"flag || 0/0 > 1", "TUUTUT"},
        {"!(0/0 > 1)", "UUUUUU"},
        {"true && 0/0 > 1", "UUUUUU"},
        {"false && 0/0 > 1", "FFFFFF"},
        {"true", "TTTTTT"},
        {"false", "FFFFFF"},
    };
    CHECK_TRUTHS(cases);
}

static void isnan_is_never_unknown(void **state)
{
    (void)state;
    static const truth_case cases[] = {
        {"isnan(labour)", "FFTFFF"},
        {"isnan(quality)", "FFTFFF"},
        {"isnan(chain)", "FFFFTF"},
        {"isnan(big)", "FFFFFT"},
        {"isnan(ubig)", "FFFFFF"},
        {"isnan(sector)", "FFFFTF"},
        {"isnan(flag)", "FFTFFF"},
        {"isnan(region)", "FFFFTF"},
        {"isnan(town)", "FFFFFF"},
        {"isnan(marked)", "FFTFFF"},
        {"isnan(flag || labour > 1)", "FFTFFF"},
        {"isnan(labour / labour)", "FFTTTF"},
        {"isnan(sqrt(labour))", "FTTFFF"},
        {"isnan(chain + 1)", "FFFFTF"},
        {"!isnan(chain)", "TTTTFT"},
        {"isnan(chain > 5)", "FFFFTF"},
        {"isnan(1)", "FFFFFF"},
        {"isnan(1.5)", "FFFFFF"},
        {"isnan('x')", "FFFFFF"},
        {"isnan(true)", "FFFFFF"},
        {"isnan(0/0)", "TTTTTT"},
        {"isnan(0/0 > 1)", "TTTTTT"},
    };
    CHECK_TRUTHS(cases);
}

static void comparison_of_floats_is_unknown_where_missing(void **state)
{
    (void)state;
    /* labour 1.5 -2 NaN 0 inf 1e308, quality 0.1f 0.5 NaN 1 -0 0.25 */
    static const truth_case cases[] = {
        {"labour == 0", "FFUTFF"},
        {"labour != 0", "TTUFTT"},
        {"labour < 0", "FTUFFF"},
        {"labour <= 0", "FTUTFF"},
        {"labour > 0", "TFUFTT"},
        {"labour >= 0", "TFUTTT"},
        {"0 == labour", "FFUTFF"},
        {"0 != labour", "TTUFTT"},
        {"0 > labour", "FTUFFF"},
        {"0 >= labour", "FTUTFF"},
        {"0 < labour", "TFUFTT"},
        {"0 <= labour", "TFUTTT"},
        {"labour == quality", "FFUFFF"},
        {"labour != quality", "TTUTTT"},
        {"labour < quality", "FTUTFF"},
        {"labour <= quality", "FTUTFF"},
        {"labour > quality", "TFUFTT"},
        {"labour >= quality", "TFUFTT"},
        {"quality == 0", "FFUFTF"},   /* -0 equals 0 */
        {"quality == 0.1", "FFUFFF"}, /* a float32 is not rounded decimal */
        {"quality > 0.1", "TTUTFT"},
        {"quality == marked", "FFUFFF"},
        {"marked <= 4", "TTUTFF"},
        {"labour > 0/0", "UUUUUU"},
        {"0/0 != quality + 1", "UUUUUU"},
        {"flag == 0/0", "UUUUUU"},
        {"labour > 1e308", "FFUFTF"},
        {"flag == 1", "TFUTFT"},
        {"flag == true", "TFUTFT"},
        {"flag == false", "FTUFTF"},
        {"flag != true", "FTUFTF"},
        {"flag < 0.5", "FTUFTF"},
        {"flag >= 0", "TTUTTT"},
        {"2 > flag", "TTUTTT"},
        {"flag == 7", "FFUFFF"},
        {"flag == 9007199254740993", "FFUFFF"},
        {"flag == quality", "FFUTTF"},
        {"flag == active", "TTUTTF"},
        {"flag <= chain", "FTUTUT"},
        {"flag != big", "TTUTTU"},
        {"(labour > 1) == flag", "TTUFFT"},
        {"(labour > 1) < flag", "FFUTFF"},
    };
    CHECK_TRUTHS(cases);
}

static void comparison_of_integers_is_exact(void **state)
{
    (void)state;
    /* big min max 2^53 2^53+1 -1 U; ubig 0 max 2^53 2^63 2^63-1 1 */
    static const truth_case cases[] = {
        {"big == 9007199254740993", "FFFTFU"},
        {"big != 9007199254740993", "TTTFTU"},
        {"big > 9007199254740992", "FTFTFU"},
        {"big >= 9007199254740993", "FTFTFU"},
        {"big < 9007199254740993", "TFTFTU"},
        {"9007199254740993 <= big", "FTFTFU"},
        {"big == -9223372036854775808", "TFFFFU"},
        {"big <= -9223372036854775808", "TFFFFU"},
        {"big < -9223372036854775808", "FFFFFU"},
        {"big >= 9223372036854775807", "FTFFFU"},
        {"big > 9223372036854775807", "FFFFFU"},
        {"big == 9223372036854775808", "FFFFFU"},
        {"big < 18446744073709551615", "TTTTTU"},
        {"big != 18446744073709551615", "TTTTTU"},
        {"ubig == 18446744073709551615", "FTFFFF"},
        {"ubig > 9223372036854775807", "FTFTFF"},
        {"ubig > -1", "TTTTTT"},
        {"ubig == -1", "FFFFFF"},
        {"ubig != -1", "TTTTTT"},
        {"ubig < 99999999999999999999", "TTTTTT"},
        {"big == ubig", "FFTFFU"},
        {"big != ubig", "TTFTTU"},
        {"big < ubig", "TTFTTU"},
        {"big <= ubig", "TTTTTU"},
        {"big > ubig", "FFFFFU"},
        {"big >= ubig", "FFTFFU"},
        {"ubig > big", "TTFTTU"},
        {"ubig <= big", "FFTFFU"},
        {"ubig == ubig", "TTTTTT"},
        {"ubig < kind", "TFFFFT"},
        {"ubig >= kind", "FTTTTF"},
        {"chain < small", "FFFFUF"},
        {"chain > small", "TTTTUT"},
        {"chain == active", "FTFFUF"},
        {"active <= word", "FTTTTT"},
        {"count > word", "FFFTTF"},
        {"former == active", "TFFFFF"},
        {"chain == chain", "TTTTUT"},
        {"chain == 300", "FFFTUF"},
        {"chain < 40000", "TTTTUT"},
        {"chain > 40000", "FFFFUF"},
        {"chain != 40000", "TTTTUT"},
        {"small < -128", "FFFFFF"},
        {"small <= -128", "TFFFFF"},
        {"small >= 127", "FFFFTF"},
        {"word == 65536", "FFFFFF"},
        {"count >= 4294967295", "FFFFTF"},
        {"active == 1", "TFTTFF"},
        {"active != 0", "TFTTFT"},
        {"active == true", "TFTTFF"},
        {"1 == 1", "TTTTTT"},
        {"9007199254740993 == 9007199254740992", "FFFFFF"},
        {"-1 < 18446744073709551615", "TTTTTT"},
        {"-(5) == -5", "TTTTTT"},
    };
    CHECK_TRUTHS(cases);
}

static void comparison_of_integer_with_float_is_exact(void **state)
{
    (void)state;
    static const truth_case cases[] = {
        {"chain > 6.5", "FFTTUT"},
        {"chain >= 6.5", "FFTTUT"},
        {"chain < 6.5", "TTFFUF"},
        {"chain <= 6.5", "TTFFUF"},
        {"chain == 6.5", "FFFFUF"},
        {"chain != 6.5", "TTTTUT"},
        {"chain > -5.5", "TTTTUT"},
        {"chain < -4.5", "TFFFUF"},
        {"chain == 7.0", "FFTFUT"},
        {"chain >= 7.0", "FFTTUT"},
        {"chain > 7.0", "FFFTUF"},
        {"chain < 7.0", "TTFFUF"},
        {"chain <= 7.0", "TTTFUT"},
        {"chain < 1e300", "TTTTUT"},
        {"chain > 1/0", "FFFFUF"},
        {"chain > -1/0", "TTTTUT"},
        {"chain == 0/0", "UUUUUU"},
        {"6.5 < chain", "FFTTUT"},
        {"big == 9007199254740992.0", "FFTFFU"},
        {"big > 9007199254740992.0", "FTFTFU"},
        {"big <= 9223372036854775808.0", "TTTTTU"},
        {"big == 9223372036854775808.0", "FFFFFU"},
        {"ubig >= 9223372036854775808.0", "FTFTFF"},
        {"ubig == 18446744073709551616.0", "FFFFFF"},
        {"9007199254740993 == 9007199254740992.0", "FFFFFF"},
        {"9007199254740992.0 < 9007199254740993", "TTTTTT"},
        {"9007199254740994.0 > 9007199254740993", "TTTTTT"},
        {"9007199254740994.0 <= 9007199254740993", "FFFFFF"},
        {"9007199254740993 != 0/0", "UUUUUU"},
        /* columns: labour 1.5 -2 NaN 0 inf 1e308; marked 1 2 U 4 5 6 */
        {"chain < labour", "TFUFUT"},
        {"chain >= marked", "FFUTUT"},
        {"big < labour", "TFUFTU"},
        {"labour > big", "TFUFTU"},
        {"big == labour", "FFUFFU"},
        {"ubig < labour", "TFUFTT"},
        /* big + 0.0 is big rounded: 2^63 above int64's largest, 2^53 below
         * 2^53 + 1 */
        {"big == big + 0.0", "TFTFTU"},
        {"big < big + 0.0", "FTFFFU"},
        {"big > big + 0.0", "FFFTFU"},
        {"big >= big + 0.0", "TFTTTU"},
        {"big != big + 0.0", "FTFTFU"},
        {"big + 0.0 <= big", "TFTTTU"},
        {"ubig == ubig + 0.0", "TFTTFT"},
        {"ubig < ubig + 0.0", "FTFFTF"},
        {"ubig >= 1.0 * big", "TTTTTU"},
        {"`my col` * 0 + 9007199254740992 < 9007199254740993", "TTTTTT"},
        {"`my col` * 0 + 9007199254740992 == 9007199254740993", "FFFFFF"},
        {"`my col` * 0 + 9007199254740992 != 9007199254740993", "TTTTTT"},
        {"`my col` * 0 + 9007199254740994 <= 9007199254740993", "FFFFFF"},
        {"`my col` * 0 + 9007199254740994 > 9007199254740993", "TTTTTT"},
        {"`my col` * 0 + 9007199254740992 > 9007199254740993", "FFFFFF"},
        {"`my col` * 0 + 9007199254740992 >= 9007199254740993", "FFFFFF"},
        {"`my col` * 0 + 9007199254740994 < 9007199254740995", "TTTTTT"},
        {"`my col` * 0 + 9007199254740994 >= 9007199254740995", "FFFFFF"},
        {"`my col` * 0 + 9007199254740996 <= 9007199254740995", "FFFFFF"},
        {"`my col` * 0 + 9007199254740996 > 9007199254740995", "TTTTTT"},
        {"labour * 0 != 9007199254740993", "TTUTUT"},
    };
    CHECK_TRUTHS(cases);
}

static void texts_compare_by_bytes(void **state)
{
    (void)state;
    /* region north south "" zoë U it's; town north east. z zoë z s\xff */
    static const truth_case cases[] = {
        {"region == 'north'", "TFFFUF"},  {"region = \"north\"", "TFFFUF"},
        {"'north' == region", "TFFFUF"},  {"region != 'north'", "FTTTUT"},
        {"region == ''", "FFTFUF"},       {"region < ''", "FFFFUF"},
        {"region >= ''", "TTTTUT"},       {"region == 'nor'", "FFFFUF"},
        {"region > 'nor'", "TTFTUF"},     {"region < 'north'", "FFTFUT"},
        {"'north' > region", "FFTFUT"},   {"region <= 'north'", "TFTFUT"},
        {"region >= 'north'", "TTFTUF"},  {"region == 'zo\xc3\xab'", "FFFTUF"},
        {"region > 'zoe'", "FFFTUF"},     {"region == 'it''s'", "FFFFUT"},
        {"region == \"it's\"", "FFFFUT"}, {"town == '\"'", "FFFFFF"},
        {"town == \"\"\"\"", "FFFFFF"},   {"region == town", "TFFTUF"},
        {"region != town", "FTTFUT"},     {"region < town", "FFTFUT"},
        {"region <= town", "TFTTUT"},     {"region > town", "FTFFUF"},
        {"region >= town", "TTFTUF"},     {"town > region", "FFTFUT"},
        {"town > 's~'", "FFTTTT"},        {"'a' < 'b'", "TTTTTT"},
        {"'a' == 'A'", "FFFFFF"},         {"'b' <= 'a'", "FFFFFF"},
    };
    CHECK_TRUTHS(cases);
}

static void labels_stand_for_their_codes(void **state)
{
    (void)state;
    static const truth_case cases[] = {
        {"sector == 'energy'", "FTFFUF"},
        {"sector != 'energy'", "TFTTUT"},
        {"'medical' == sector", "FFTFUF"},
        {"sector == 9", "FFFFUT"},
        {"sector < 2", "TFFTUF"},
        {"sector == former", "TFTFUT"},
        {"sector == active", "TFFTUF"},
        {"kind == 'b'", "FTFTFT"},
        {"sector == 'energy' or sector = \"medical\"", "FTTFUF"},
    };
    CHECK_TRUTHS(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(column_of_each_type_gives_its_numbers),
        cmocka_unit_test(literals_are_read_exactly),
        cmocka_unit_test(arithmetic_follows_ieee_and_passes_missing_on),
        cmocka_unit_test(functions_give_values_and_missing),
        cmocka_unit_test(operators_bind_as_documented),
        cmocka_unit_test(three_valued_logic_follows_kleene),
        cmocka_unit_test(isnan_is_never_unknown),
        cmocka_unit_test(comparison_of_floats_is_unknown_where_missing),
        cmocka_unit_test(comparison_of_integers_is_exact),
        cmocka_unit_test(comparison_of_integer_with_float_is_exact),
        cmocka_unit_test(texts_compare_by_bytes),
        cmocka_unit_test(labels_stand_for_their_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
