/* SPDX-License-Identifier: Apache-2.0
 *
 * Statistics of finished states: type, description and values of one
 * statistic of one measure over the groups of a table.
 */
#ifndef HANSE_ENGINE_STATISTICS_H
#define HANSE_ENGINE_STATISTICS_H

#include "engine/fold.h"
#include "engine/wide.h"

/* Those that are computed here; the others are in extras.h. */
#define HANSE_STATISTICS_OF_SUMS \
    (HANSE_STAT_ALL | HANSE_STAT_RANGE | HANSE_STAT_SUM_SQUARES)

typedef struct hanse_statistic_input {
    const hanse_fold *fold;
    size_t grouping;
    size_t measure;
    const uint32_t *groups; /* of the table's rows */
    size_t n;
} hanse_statistic_input;

/* Words for long_name, and the CF cell method (NULL for counts). */
const char *hanse_statistic_words(hanse_statistic statistic);
const char *hanse_statistic_cell_method(hanse_statistic statistic);

/* Units of the statistic of a measure with `units` (may be NULL); false when
 * unknown. */
bool hanse_statistic_units(hanse_statistic statistic, const char *units,
                           char *out, size_t size);

/* Counts are int64. Totals and extremes of integers are int64, or uint64 when
 * a value needs it; extremes become float64 when a group has no value, because
 * an integer has no NaN. Everything else is float64. */
hanse_type hanse_statistic_type(const hanse_statistic_input *input,
                                hanse_statistic statistic);

/* Fills values[0 .. n - 1]. Returns false when an integer total does not fit;
 * *fault is then the first such row. */
bool hanse_statistic_fill(const hanse_statistic_input *input,
                          hanse_statistic statistic, hanse_type type,
                          void *values, size_t *fault);

/* Number of values of a group, whether infinities are among them, and its exact
 * sum, of values or of squares (which the plan must need). */
uint64_t hanse_statistic_count(const hanse_statistic_input *input,
                               size_t group);
bool hanse_statistic_has_infinity(const hanse_statistic_input *input,
                                  size_t group);
void hanse_statistic_sum(const hanse_statistic_input *input, bool square,
                         size_t group, hanse_wide *out);

#endif
