/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks of rows on the way to a score: plain loops over columns. With one
 * scope the constants stay in registers; with many each row has its own.
 */
#include <math.h>

#include "engine/elementary.h"
#include "engine/models/evaluate_internal.h"

/* Of a number that no group has. */
static const hanse_scaling no_scaling = {0.0, 1.0, (double)NAN, 0.0,
                                         (double)NAN};

static inline double scale_value(const hanse_scaling *s, double x)
{
    return s->base + s->span * ((x - s->low) / s->range);
}

static const hanse_scaling *scaling_of(const hanse_scales *scales,
                                       const hanse_rows *rows, size_t i,
                                       size_t j)
{
    const uint32_t group = rows->groups[0][i];
    return group == HANSE_NO_GROUP
               ? &no_scaling
               : &scales->scaling[group * scales->n_indicators + j];
}

static void normalise(const hanse_scales *scales, const hanse_rows *rows,
                      size_t j, double *restrict y)
{
    const double *restrict x = rows->numbers[j];
    if (!scales->has_groups) {
        const hanse_scaling s = scales->scaling[j];
        for (size_t i = 0; i < rows->n; i++)
            y[i] = scale_value(&s, x[i]);
        return;
    }
    for (size_t i = 0; i < rows->n; i++)
        y[i] = scale_value(scaling_of(scales, rows, i, j), x[i]);
}

/* mask[i] = 0 where all numbers are there, else NaN. */
static void find_missing(const hanse_rows *rows, size_t m,
                         double *restrict mask)
{
    for (size_t i = 0; i < rows->n; i++)
        mask[i] = 0.0;
    for (size_t j = 0; j < m; j++) {
        const double *restrict x = rows->numbers[j];
        for (size_t i = 0; i < rows->n; i++)
            mask[i] = x[i] == x[i] ? mask[i] : (double)NAN;
    }
}

void hanse_fill_complete(const void *context, const hanse_rows *rows,
                         double *const *out)
{
    const hanse_scales *scales = context;
    const size_t m = scales->n_indicators;
    double mask[HANSE_BLOCK_ROWS];
    find_missing(rows, m, mask);
    for (size_t j = 0; j < m; j++) {
        const double *restrict x = rows->numbers[j];
        double *restrict copy = out[j];
        for (size_t i = 0; i < rows->n; i++)
            copy[i] = x[i] + mask[i];
    }
}

void hanse_fill_normalised(const void *context, const hanse_rows *rows,
                           double *const *out)
{
    const hanse_scales *scales = context;
    const size_t m = scales->n_indicators;
    double mask[HANSE_BLOCK_ROWS];
    find_missing(rows, m, mask);
    for (size_t j = 0; j < m; j++) {
        double *restrict y = out[j];
        normalise(scales, rows, j, y);
        for (size_t i = 0; i < rows->n; i++)
            y[i] += mask[i];
    }
}

void hanse_fill_logarithms(const void *context, const hanse_rows *rows,
                           double *const *out)
{
    const size_t m = ((const hanse_scales *)context)->n_indicators;
    hanse_fill_normalised(context, rows, out);
    for (size_t j = 0; j < m; j++) {
        const double *restrict y = out[j];
        double *restrict product = out[m + j];
        hanse_log_block(y, product, rows->n);
        for (size_t i = 0; i < rows->n; i++)
            product[i] = y[i] == 0.0 ? 0.0 : y[i] * product[i];
    }
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
            const hanse_scaling s = scales->scaling[j];
            for (size_t i = 0; i < rows->n; i++)
                score[i] += s.weight * scale_value(&s, x[i]);
            continue;
        }
        for (size_t i = 0; i < rows->n; i++) {
            const hanse_scaling *s = scaling_of(scales, rows, i, j);
            score[i] += s->weight * scale_value(s, x[i]);
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
        out[1][i] = scope == HANSE_NO_GROUP ? 0.0 : scales->status[scope];
    }
}
