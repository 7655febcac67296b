/* SPDX-License-Identifier: Apache-2.0
 *
 * Sets of statistics by name.
 */
#include "engine/statistic_set.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"

enum {
    N_BITS = 20
};
_Static_assert(HANSE_STAT_KNOWN == (1u << N_BITS) - 1, "one bit a statistic");

/* ---- Parsing ------------------------------------------------------------ */

/* "99.9" as millionths of one: 999000. At most four decimals. */
static bool parse_percent(const char *text, uint32_t *out)
{
    uint32_t value = 0;
    int n_whole = 0, n_decimals = 0;
    for (; isdigit((unsigned char)*text) && n_whole < 3; text++, n_whole++)
        value = value * 10 + (uint32_t)(*text - '0');
    if (n_whole == 0 || n_whole == 3)
        return false;
    if (*text == '.') {
        if (!isdigit((unsigned char)text[1]))
            return false;
        for (text++; isdigit((unsigned char)*text) && n_decimals < 5; text++) {
            value = value * 10 + (uint32_t)(*text - '0');
            if (++n_decimals == 5)
                return false;
        }
    }
    for (; n_decimals < 4; n_decimals++)
        value *= 10;
    *out = value;
    return *text == '\0' && value > 0 && value < HANSE_QUANTILE_UNIT;
}

static bool parse_top(const char *text, uint32_t *out)
{
    char *end;
    if (!isdigit((unsigned char)*text) || *text == '0')
        return false;
    const unsigned long n = strtoul(text, &end, 10);
    *out = (uint32_t)n;
    return *end == '\0' && n >= 1 && n <= HANSE_TOP_MAX;
}

static hanse_status add_quantile(hanse_statistic_set *set, uint32_t quantile,
                                 hanse_error *error)
{
    size_t at = 0;
    while (at < set->n_quantiles && set->quantiles[at] < quantile)
        at++;
    if (at < set->n_quantiles && set->quantiles[at] == quantile)
        return HANSE_OK;
    if (set->n_quantiles == HANSE_QUANTILES_MAX)
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "statistics: more than %d quantiles",
                          HANSE_QUANTILES_MAX);
    for (size_t i = set->n_quantiles++; i > at; i--)
        set->quantiles[i] = set->quantiles[i - 1];
    set->quantiles[at] = quantile;
    return HANSE_OK;
}

static hanse_status fail_unknown(const char *name, hanse_error *error)
{
    const char *names[N_BITS + 3];
    size_t n = 0;
    for (unsigned bit = 0; bit < N_BITS; bit++)
        names[n++] = hanse_statistic_name((hanse_statistic)(1u << bit));
    names[n++] = "all";
    const char *nearest = hanse_suggest(name, names, n);
    if (nearest != NULL)
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "unknown statistic '%s', did you mean '%s'?", name,
                          nearest);
    return hanse_fail(
        error, HANSE_ERR_SPEC,
        "unknown statistic '%s'; known: count, missing, total, mean, min, max, "
        "var, std, range, sum_squares, skew, kurtosis, first, last, nunique, "
        "mode, wmean, median, cov, corr, all, quantiles from p1 to p99 (or "
        "p99.9), and top1 to top%d",
        name, HANSE_TOP_MAX);
}

hanse_status hanse_statistic_set_add(hanse_statistic_set *set, const char *name,
                                     hanse_error *error)
{
    hanse_statistic statistic;
    uint32_t number;
    if (strcmp(name, "all") == 0)
        set->mask |= HANSE_STAT_ALL;
    else if (hanse_statistic_parse(name, &statistic))
        set->mask |= (uint32_t)statistic;
    else if (name[0] == 'p' && parse_percent(name + 1, &number))
        return add_quantile(set, number, error);
    else if (strncmp(name, "top", 3) == 0 && parse_top(name + 3, &number))
        set->n_top = number > set->n_top ? number : set->n_top;
    else
        return fail_unknown(name, error);
    return HANSE_OK;
}

/* ---- Looking ------------------------------------------------------------ */

bool hanse_statistic_set_is_empty(const hanse_statistic_set *set)
{
    return set->mask == 0 && set->n_top == 0 && set->n_quantiles == 0;
}

bool hanse_statistic_set_equal(const hanse_statistic_set *a,
                               const hanse_statistic_set *b)
{
    return a->mask == b->mask && a->n_top == b->n_top &&
           a->n_quantiles == b->n_quantiles &&
           memcmp(a->quantiles, b->quantiles,
                  a->n_quantiles * sizeof a->quantiles[0]) == 0;
}

size_t hanse_statistic_set_count(const hanse_statistic_set *set)
{
    return (size_t)__builtin_popcount(set->mask) + set->n_quantiles +
           (set->n_top != 0);
}

void hanse_statistic_set_name(const hanse_statistic_set *set, size_t index,
                              char out[static HANSE_STATISTIC_NAME])
{
    for (unsigned bit = 0; bit < N_BITS; bit++) {
        if ((set->mask & (1u << bit)) == 0)
            continue;
        if (index-- == 0) {
            snprintf(out, HANSE_STATISTIC_NAME, "%s",
                     hanse_statistic_name((hanse_statistic)(1u << bit)));
            return;
        }
    }
    if (index < set->n_quantiles)
        hanse_quantile_name(set->quantiles[index], '.', out);
    else
        snprintf(out, HANSE_STATISTIC_NAME, "top%" PRIu32, set->n_top);
}

void hanse_quantile_name(uint32_t quantile, char separator,
                         char out[static HANSE_STATISTIC_NAME])
{
    uint32_t decimals = quantile % 10000;
    int width = 4;
    const int n =
        snprintf(out, HANSE_STATISTIC_NAME, "p%" PRIu32, quantile / 10000);
    if (decimals == 0)
        return;
    for (; decimals % 10 == 0; decimals /= 10)
        width--;
    snprintf(out + n, HANSE_STATISTIC_NAME - (size_t)n, "%c%0*" PRIu32,
             separator, width, decimals);
}
