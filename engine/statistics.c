/* SPDX-License-Identifier: Apache-2.0
 *
 * From exact states to published numbers, each rounded once.
 */
#include "engine/statistics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/wide.h"

const char *hanse_statistic_words(hanse_statistic statistic)
{
    switch (statistic) {
    case HANSE_STAT_COUNT:
        return "number of values";
    case HANSE_STAT_MISSING:
        return "number of missing values";
    case HANSE_STAT_TOTAL:
        return "total";
    case HANSE_STAT_MEAN:
        return "mean";
    case HANSE_STAT_MIN:
        return "minimum";
    case HANSE_STAT_MAX:
        return "maximum";
    case HANSE_STAT_VAR:
        return "variance, divisor n - 1";
    case HANSE_STAT_RANGE:
        return "range, maximum - minimum";
    case HANSE_STAT_SUM_SQUARES:
        return "sum of squares";
    default:
        return "standard deviation, divisor n - 1";
    }
}

const char *hanse_statistic_cell_method(hanse_statistic statistic)
{
    switch (statistic) {
    case HANSE_STAT_TOTAL:
        return "enterprise: sum";
    case HANSE_STAT_MEAN:
        return "enterprise: mean";
    case HANSE_STAT_MIN:
        return "enterprise: minimum";
    case HANSE_STAT_MAX:
        return "enterprise: maximum";
    case HANSE_STAT_VAR:
        return "enterprise: variance";
    case HANSE_STAT_STD:
        return "enterprise: standard_deviation";
    case HANSE_STAT_RANGE:
        return "enterprise: range";
    case HANSE_STAT_SUM_SQUARES:
        return "enterprise: sum_of_squares";
    default:
        return NULL;
    }
}

bool hanse_statistic_units(hanse_statistic statistic, const char *units,
                           char *out, size_t size)
{
    if (statistic == HANSE_STAT_COUNT || statistic == HANSE_STAT_MISSING)
        units = "1";
    if (units == NULL)
        return false;
    const bool squared =
        (statistic == HANSE_STAT_VAR || statistic == HANSE_STAT_SUM_SQUARES) &&
        strcmp(units, "1") != 0;
    return snprintf(out, size, squared ? "(%s)2" : "%s", units) < (int)size;
}

/* ---- One group ---------------------------------------------------------- */

static const hanse_states *states_of(const hanse_statistic_input *input)
{
    return &input->fold->states[input->grouping];
}

static hanse_rare rare_of(const hanse_statistic_input *input, size_t group)
{
    const hanse_rare *rare = states_of(input)->rare[input->measure];
    return rare == NULL ? (hanse_rare){0} : rare[group];
}

static uint64_t count_of(const hanse_statistic_input *input, size_t group)
{
    return (uint64_t)hanse_states_count(states_of(input), &input->fold->layout,
                                        group) -
           rare_of(input, group).missing;
}

static hanse_number number_of(const hanse_statistic_input *input)
{
    return input->fold->plan->measures[input->measure].number;
}

static const hanse_addend *addend_of(const hanse_statistic_input *input,
                                     bool square)
{
    const size_t n_measures = input->fold->plan->n_measures;
    return &input->fold->layout
                .addends[input->measure + (square ? n_measures : 0)];
}

static const int64_t *limbs_of(const hanse_statistic_input *input,
                               const hanse_addend *addend, size_t group,
                               int64_t buffer[2])
{
    return hanse_states_limbs(states_of(input), &input->fold->layout, addend,
                              group, buffer);
}

/* The sum where infinities or only -0.0 were added; false: an ordinary sum. */
static bool rare_sum(const hanse_statistic_input *input, size_t group,
                     double *out)
{
    const hanse_rare rare = rare_of(input, group);
    if (rare.infinities == (HANSE_RARE_PLUS_INF | HANSE_RARE_MINUS_INF))
        *out = (double)NAN;
    else if (rare.infinities != 0)
        *out = rare.infinities == HANSE_RARE_PLUS_INF ? HUGE_VAL : -HUGE_VAL;
    else if (rare.negative_zeros != 0 &&
             rare.negative_zeros == count_of(input, group))
        *out = -0.0;
    else
        return false;
    return true;
}

static double total_of(const hanse_statistic_input *input, size_t group)
{
    int64_t buffer[2];
    double total;
    if (rare_sum(input, group, &total))
        return total;
    const hanse_addend *addend = addend_of(input, false);
    return hanse_limbs_round(limbs_of(input, addend, group, buffer),
                             &addend->window);
}

static double mean_of(const hanse_statistic_input *input, size_t group)
{
    int64_t buffer[2];
    const uint64_t n = count_of(input, group);
    double mean;
    if (n == 0)
        return (double)NAN;
    if (rare_sum(input, group, &mean))
        return mean;
    const hanse_addend *addend = addend_of(input, false);
    hanse_wide sum;
    hanse_wide_from_limbs(&sum, limbs_of(input, addend, group, buffer),
                          &addend->window);
    return hanse_wide_divide(&sum, n, 1);
}

/* (n sum x^2 - (sum x)^2) / (n (n - 1)), all of it exact but the division. */
static double variance_of(const hanse_statistic_input *input, size_t group)
{
    int64_t buffer[2];
    const uint64_t n = count_of(input, group);
    if (n < 2 || rare_of(input, group).infinities != 0)
        return (double)NAN;
    const hanse_addend *values = addend_of(input, false);
    const hanse_addend *squares = addend_of(input, true);
    hanse_wide sum, sum_squared, numerator;
    hanse_wide_from_limbs(&sum, limbs_of(input, values, group, buffer),
                          &values->window);
    hanse_wide_square(&sum_squared, &sum);
    hanse_wide_from_limbs(&numerator, limbs_of(input, squares, group, buffer),
                          &squares->window);
    hanse_wide_scale(&numerator, n);
    hanse_wide_subtract(&numerator, &sum_squared);
    return hanse_wide_divide(&numerator, n, n - 1);
}

static double sum_squares_of(const hanse_statistic_input *input, size_t group)
{
    int64_t buffer[2];
    if (rare_of(input, group).infinities != 0)
        return (double)NAN;
    const hanse_addend *squares = addend_of(input, true);
    return hanse_limbs_round(limbs_of(input, squares, group, buffer),
                             &squares->window);
}

/* The extreme as an unsigned number of the same order (kernels/extremes.h),
 * and whether the group has any value. */
static bool extreme_of(const hanse_statistic_input *input,
                       hanse_statistic statistic, size_t group, uint64_t *out)
{
    const hanse_layout *layout = &input->fold->layout;
    const int64_t *row = states_of(input)->rows + group * layout->stride;
    *out = statistic == HANSE_STAT_MAX
               ? (uint64_t)row[hanse_layout_high_lane(layout, input->measure)]
               : ~(uint64_t)row[hanse_layout_low_lane(layout, input->measure)];
    return count_of(input, group) != 0;
}

static const uint64_t sign_bit = (uint64_t)1 << 63;

static double float_extreme(const hanse_statistic_input *input,
                            hanse_statistic statistic, size_t group)
{
    uint64_t order;
    if (!extreme_of(input, statistic, group, &order))
        return (double)NAN;
    if (number_of(input) == HANSE_NUMBER_INT)
        return (double)(int64_t)(order ^ sign_bit);
    if (number_of(input) == HANSE_NUMBER_UINT)
        return (double)order;
    const uint64_t bits = (order & sign_bit) != 0 ? order ^ sign_bit : ~order;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Largest minus smallest value of integers. */
static uint64_t span_of(const hanse_statistic_input *input, size_t group)
{
    uint64_t low, high;
    (void)extreme_of(input, HANSE_STAT_MIN, group, &low);
    (void)extreme_of(input, HANSE_STAT_MAX, group, &high);
    return high - low;
}

/* The difference of two floats is rounded once. */
static double float_range(const hanse_statistic_input *input, size_t group)
{
    if (count_of(input, group) == 0 || rare_of(input, group).infinities != 0)
        return (double)NAN;
    if (number_of(input) != HANSE_NUMBER_FLOAT)
        return (double)span_of(input, group);
    return float_extreme(input, HANSE_STAT_MAX, group) -
           float_extreme(input, HANSE_STAT_MIN, group);
}

/* An integer total as a 128-bit number; windows of integers start at bit 0. */
static __int128 integer_total(const hanse_statistic_input *input, size_t group)
{
    int64_t buffer[2];
    const hanse_addend *addend = addend_of(input, false);
    const int64_t *limbs = limbs_of(input, addend, group, buffer);
    __int128 total = 0;
    for (int k = addend->window.n_limbs; k-- > 0;)
        total = total * ((__int128)1 << HANSE_LIMB_BITS) + limbs[k];
    return total;
}

/* ---- Types -------------------------------------------------------------- */

static hanse_type total_type(const hanse_statistic_input *input)
{
    for (size_t r = 0; r < input->n; r++)
        if (integer_total(input, input->groups[r]) > INT64_MAX &&
            number_of(input) == HANSE_NUMBER_UINT)
            return HANSE_UINT64;
    return HANSE_INT64;
}

static hanse_type extreme_type(const hanse_statistic_input *input,
                               hanse_statistic statistic)
{
    hanse_type type = HANSE_INT64;
    for (size_t r = 0; r < input->n; r++) {
        uint64_t order;
        if (!extreme_of(input, statistic, input->groups[r], &order))
            return HANSE_FLOAT64;
        if (number_of(input) == HANSE_NUMBER_UINT && order > INT64_MAX)
            type = HANSE_UINT64;
    }
    return type;
}

/* As the extremes; the range of integers of 64 bits may need uint64. */
static hanse_type range_type(const hanse_statistic_input *input)
{
    hanse_type type = HANSE_INT64;
    for (size_t r = 0; r < input->n; r++) {
        const size_t group = input->groups[r];
        if (count_of(input, group) == 0)
            return HANSE_FLOAT64;
        if (span_of(input, group) > INT64_MAX)
            type = HANSE_UINT64;
    }
    return type;
}

hanse_type hanse_statistic_type(const hanse_statistic_input *input,
                                hanse_statistic statistic)
{
    if (statistic == HANSE_STAT_COUNT || statistic == HANSE_STAT_MISSING)
        return HANSE_INT64;
    if (number_of(input) == HANSE_NUMBER_FLOAT)
        return HANSE_FLOAT64;
    if (statistic == HANSE_STAT_TOTAL)
        return total_type(input);
    if (statistic == HANSE_STAT_MIN || statistic == HANSE_STAT_MAX)
        return extreme_type(input, statistic);
    if (statistic == HANSE_STAT_RANGE)
        return range_type(input);
    return HANSE_FLOAT64;
}

/* ---- Columns ------------------------------------------------------------ */

static double float_value(const hanse_statistic_input *input,
                          hanse_statistic statistic, size_t group)
{
    switch (statistic) {
    case HANSE_STAT_TOTAL:
        return total_of(input, group);
    case HANSE_STAT_MEAN:
        return mean_of(input, group);
    case HANSE_STAT_VAR:
        return variance_of(input, group);
    case HANSE_STAT_STD:
        return sqrt(variance_of(input, group));
    case HANSE_STAT_RANGE:
        return float_range(input, group);
    case HANSE_STAT_SUM_SQUARES:
        return sum_squares_of(input, group);
    default:
        return float_extreme(input, statistic, group);
    }
}

/* Returns false when the value does not fit the type. */
static bool integer_value(const hanse_statistic_input *input,
                          hanse_statistic statistic, hanse_type type,
                          size_t group, int64_t *out)
{
    switch (statistic) {
    case HANSE_STAT_COUNT:
        *out = (int64_t)count_of(input, group);
        return true;
    case HANSE_STAT_MISSING:
        *out = (int64_t)rare_of(input, group).missing;
        return true;
    case HANSE_STAT_TOTAL: {
        const __int128 total = integer_total(input, group);
        *out = (int64_t)total;
        return type == HANSE_UINT64 ? total <= (__int128)UINT64_MAX
                                    : total == (__int128)*out;
    }
    case HANSE_STAT_RANGE:
        *out = (int64_t)span_of(input, group);
        return true;
    default: {
        uint64_t order;
        (void)extreme_of(input, statistic, group, &order);
        *out =
            (int64_t)(number_of(input) == HANSE_NUMBER_UINT ? order
                                                            : order ^ sign_bit);
        return true;
    }
    }
}

/* Ordinary sums of floats: the usual case. */
static void fill_totals(const hanse_statistic_input *input,
                        double *restrict values)
{
    const hanse_states *states = states_of(input);
    const hanse_addend *addend = addend_of(input, false);
    int64_t buffer[2];
    double unit;
    if (states->is_packed && hanse_window_unit(&addend->window, &unit) &&
        hanse_packed_round(
            states->rows, HANSE_PACKED_LANES * states->n_measures,
            input->measure, input->groups, input->n, unit, values))
        return;
    for (size_t r = 0; r < input->n; r++)
        values[r] = hanse_limbs_round(
            limbs_of(input, addend, input->groups[r], buffer), &addend->window);
}

bool hanse_statistic_fill(const hanse_statistic_input *input,
                          hanse_statistic statistic, hanse_type type,
                          void *values, size_t *fault)
{
    if (type == HANSE_FLOAT64 && statistic == HANSE_STAT_TOTAL &&
        states_of(input)->rare[input->measure] == NULL) {
        fill_totals(input, values);
        return true;
    }
    for (size_t r = 0; r < input->n; r++) {
        const size_t group = input->groups[r];
        if (type == HANSE_FLOAT64) {
            ((double *)values)[r] = float_value(input, statistic, group);
        } else if (!integer_value(input, statistic, type, group,
                                  (int64_t *)values + r)) {
            *fault = r;
            return false;
        }
    }
    return true;
}

/* ---- For other modules -------------------------------------------------- */

uint64_t hanse_statistic_count(const hanse_statistic_input *input, size_t group)
{
    return count_of(input, group);
}

bool hanse_statistic_has_infinity(const hanse_statistic_input *input,
                                  size_t group)
{
    return rare_of(input, group).infinities != 0;
}

void hanse_statistic_sum(const hanse_statistic_input *input, bool square,
                         size_t group, hanse_wide *out)
{
    int64_t buffer[2];
    const hanse_addend *addend = addend_of(input, square);
    hanse_wide sum;
    hanse_wide_from_limbs(&sum, limbs_of(input, addend, group, buffer),
                          &addend->window);
    hanse_wide_from_words(out, sum.word, sum.n, sum.exponent, sum.negative);
}
