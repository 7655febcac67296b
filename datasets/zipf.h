/* SPDX-License-Identifier: Apache-2.0
 *
 * Drawing from a finite power law: rank k = 0 .. n-1 has a probability
 * proportional to (k + 1)^-exponent.
 */
#ifndef HANSE_DATASETS_ZIPF_H
#define HANSE_DATASETS_ZIPF_H

#include "engine/hanse.h"

/* Owned by whoever initialised it; zero is empty. */
typedef struct hanse_zipf {
    double *cumulative; /* probability of ranks up to k; the last is 1 */
    uint32_t *guide;    /* guide[j]: first rank with cumulative > j / n */
    uint32_t n;
} hanse_zipf;

/* Builds the table, 12 bytes a rank; n from 1 to 2^31. HANSE_ERR_NOMEM. */
hanse_status hanse_zipf_init(hanse_zipf *zipf, uint32_t n, double exponent,
                             hanse_error *error);
void hanse_zipf_clear(hanse_zipf *zipf);

/* Rank for a uniform number 0 <= u < 1, by inversion: about two steps from
 * the guide's entry (Chen and Asau 1974; Devroye 1986, III.2.4). */
static inline uint32_t hanse_zipf_rank(const hanse_zipf *zipf, double u)
{
    const uint32_t place = (uint32_t)(u * (double)zipf->n);
    /* The product may round up to n. */
    uint32_t rank = zipf->guide[place < zipf->n ? place : zipf->n - 1];
    while (zipf->cumulative[rank] <= u)
        rank++;
    return rank;
}

#endif
