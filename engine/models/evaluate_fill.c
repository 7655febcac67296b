/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks of rows on the way to a score: plain loops over columns. With one
 * scope the constants stay in registers; with many each row has its own.
 */
#include <math.h>

#include "engine/models/evaluate_internal.h"

/* Of a number that no group has. */
static const hanse_scaling no_scaling = {0.0, 1.0, (double)NAN, 0.0,
                                         (double)NAN};

static const hanse_scaling *scaling_of(const hanse_scales *scales,
                                       const hanse_rows *rows, size_t i,
                                       size_t j)
{
    const uint32_t group = rows->groups[0][i];
    return group == HANSE_NO_GROUP
               ? &no_scaling
               : &scales->scaling[group * scales->n_indicators + j];
}

/* mask[i] = 0 where all numbers are there, else NaN. */
static void find_missing(const hanse_scales *scales, const hanse_rows *rows,
                         double *mask)
{
    for (size_t i = 0; i < rows->n; i++)
        mask[i] = 0.0;
    for (size_t j = 0; j < scales->n_indicators; j++)
        scales->loops->mark_missing(rows->numbers[j], rows->n, mask);
}

void hanse_fill_complete(const void *context, const hanse_rows *rows,
                         double *const *out)
{
    const hanse_scales *scales = context;
    double mask[HANSE_BLOCK_ROWS];
    find_missing(scales, rows, mask);
    for (size_t j = 0; j < scales->n_indicators; j++)
        scales->loops->copy(rows->numbers[j], mask, rows->n, out[j]);
}

void hanse_fill_normalised(const void *context, const hanse_rows *rows,
                           double *const *out)
{
    const hanse_scales *scales = context;
    double mask[HANSE_BLOCK_ROWS];
    find_missing(scales, rows, mask);
    for (size_t j = 0; j < scales->n_indicators; j++) {
        const double *x = rows->numbers[j];
        if (!scales->has_groups) {
            scales->loops->normalise(&scales->scaling[j], x, mask, rows->n,
                                     out[j]);
            continue;
        }
        for (size_t i = 0; i < rows->n; i++)
            out[j][i] =
                hanse_scale_value(scaling_of(scales, rows, i, j), x[i]) +
                mask[i];
    }
}

void hanse_fill_logarithms(const void *context, const hanse_rows *rows,
                           double *const *out)
{
    const hanse_scales *scales = context;
    const size_t m = scales->n_indicators;
    hanse_fill_normalised(context, rows, out);
    for (size_t j = 0; j < m; j++)
        scales->loops->multiply_log(out[j], rows->n, out[m + j]);
}

/* Weighted values are added in the order of the indicators. */
void hanse_fill_score(const void *context, const hanse_rows *rows,
                      double *const *out)
{
    const hanse_scales *scales = context;
    double *restrict score = out[0];
    for (size_t i = 0; i < rows->n; i++)
        score[i] = 0.0;
    for (size_t j = 0; j < scales->n_indicators; j++) {
        const double *restrict x = rows->numbers[j];
        if (!scales->has_groups) {
            scales->loops->add(&scales->scaling[j], x, rows->n, score);
            continue;
        }
        for (size_t i = 0; i < rows->n; i++) {
            const hanse_scaling *s = scaling_of(scales, rows, i, j);
            score[i] += s->weight * hanse_scale_value(s, x[i]);
        }
    }
}

void hanse_fill_score_status(const void *context, const hanse_rows *rows,
                             double *const *out)
{
    const hanse_scales *scales = context;
    hanse_fill_score(context, rows, out);
    for (size_t i = 0; i < rows->n; i++) {
        const uint32_t scope = scales->has_groups ? rows->groups[0][i] : 0;
        int8_t code = HANSE_MODEL_EMPTY;
        if (scope != HANSE_NO_GROUP)
            code = scales->status[scope];
        /* What is missing is the record's own. */
        if (isnan(out[0][i]) && code != HANSE_MODEL_INFEASIBLE &&
            code != HANSE_MODEL_NOT_FINITE)
            code = HANSE_MODEL_EMPTY;
        out[1][i] = (double)code;
    }
}
