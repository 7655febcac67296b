/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of cumulative weights with guide entries.
 */
#include "datasets/zipf.h"

#include <stdlib.h>

#include "engine/base/error.h"
#include "engine/elementary.h"

/* Cumulative weights, divided by their sum. The last is set to 1, so that
 * every u < 1 finds a rank. */
static void fill_cumulative(hanse_zipf *zipf, double exponent)
{
    double sum = 0.0;
    for (uint32_t k = 0; k < zipf->n; k++) {
        sum += hanse_exp(-exponent * hanse_log((double)k + 1.0));
        zipf->cumulative[k] = sum;
    }
    for (uint32_t k = 0; k < zipf->n; k++)
        zipf->cumulative[k] /= sum;
    zipf->cumulative[zipf->n - 1] = 1.0;
}

static void fill_guide(hanse_zipf *zipf)
{
    uint32_t rank = 0;
    for (uint32_t j = 0; j < zipf->n; j++) {
        /* Rounding of u * n may reach j for a u just below j / n: begin one
         * rank early where the boundary is that close. */
        const double u = (double)j / (double)zipf->n * (1.0 - 0x1p-50);
        while (zipf->cumulative[rank] <= u)
            rank++;
        zipf->guide[j] = rank;
    }
}

hanse_status hanse_zipf_init(hanse_zipf *zipf, uint32_t n, double exponent,
                             hanse_error *error)
{
    hanse_zipf made = {.n = n};
    made.cumulative = malloc(n * sizeof *made.cumulative);
    made.guide = malloc(n * sizeof *made.guide);
    if (made.cumulative == NULL || made.guide == NULL) {
        hanse_zipf_clear(&made);
        return hanse_fail_nomem(error, "table of weights",
                                n * sizeof *made.cumulative);
    }
    fill_cumulative(&made, exponent);
    fill_guide(&made);
    *zipf = made;
    return HANSE_OK;
}

void hanse_zipf_clear(hanse_zipf *zipf)
{
    free(zipf->cumulative);
    free(zipf->guide);
    *zipf = (hanse_zipf){0};
}
