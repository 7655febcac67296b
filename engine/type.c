/* SPDX-License-Identifier: Apache-2.0
 *
 * Column types and statistics by name.
 */
#include "engine/hanse.h"

#include <string.h>

static const struct {
    const char *name;
    size_t size_bytes;
} type_table[HANSE_TYPE_COUNT] = {
    [HANSE_INT8] = {"int8", 1},       [HANSE_INT16] = {"int16", 2},
    [HANSE_INT32] = {"int32", 4},     [HANSE_INT64] = {"int64", 8},
    [HANSE_UINT8] = {"uint8", 1},     [HANSE_UINT16] = {"uint16", 2},
    [HANSE_UINT32] = {"uint32", 4},   [HANSE_UINT64] = {"uint64", 8},
    [HANSE_FLOAT32] = {"float32", 4}, [HANSE_FLOAT64] = {"float64", 8},
    [HANSE_BOOL] = {"bool", 1},       [HANSE_TEXT] = {"text", 0},
};

const char *hanse_type_name(hanse_type type)
{
    return (unsigned)type < HANSE_TYPE_COUNT ? type_table[type].name
                                             : "unknown";
}

size_t hanse_type_size(hanse_type type)
{
    return (unsigned)type < HANSE_TYPE_COUNT ? type_table[type].size_bytes : 0;
}

static const struct {
    hanse_statistic statistic;
    const char *name;
} statistic_table[] = {
    {HANSE_STAT_COUNT, "count"},     {HANSE_STAT_MISSING, "missing"},
    {HANSE_STAT_TOTAL, "total"},     {HANSE_STAT_MEAN, "mean"},
    {HANSE_STAT_MIN, "min"},         {HANSE_STAT_MAX, "max"},
    {HANSE_STAT_VAR, "var"},         {HANSE_STAT_STD, "std"},
    {HANSE_STAT_RANGE, "range"},     {HANSE_STAT_SUM_SQUARES, "sum_squares"},
    {HANSE_STAT_SKEW, "skew"},       {HANSE_STAT_KURTOSIS, "kurtosis"},
    {HANSE_STAT_FIRST, "first"},     {HANSE_STAT_LAST, "last"},
    {HANSE_STAT_NUNIQUE, "nunique"}, {HANSE_STAT_MODE, "mode"},
    {HANSE_STAT_WMEAN, "wmean"},     {HANSE_STAT_MEDIAN, "median"},
    {HANSE_STAT_COV, "cov"},         {HANSE_STAT_CORR, "corr"},
};

enum {
    N_STATISTICS = sizeof statistic_table / sizeof statistic_table[0]
};

const char *hanse_statistic_name(hanse_statistic statistic)
{
    for (size_t i = 0; i < N_STATISTICS; i++)
        if (statistic_table[i].statistic == statistic)
            return statistic_table[i].name;
    return NULL;
}

bool hanse_statistic_parse(const char *name, hanse_statistic *out)
{
    for (size_t i = 0; name != NULL && i < N_STATISTICS; i++) {
        if (strcmp(statistic_table[i].name, name) == 0) {
            *out = statistic_table[i].statistic;
            return true;
        }
    }
    return false;
}
