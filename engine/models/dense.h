/* SPDX-License-Identifier: Apache-2.0
 *
 * Dense systems of linear equations: LU factors with partial pivoting, and the
 * inverse.
 *
 * Not a LAPACK, whose results depend on which BLAS a machine has, on its
 * instructions and on its threads. Here every number goes through the same
 * multiplications and subtractions in the same order however the work is cut.
 */
#ifndef HANSE_ENGINE_MODELS_DENSE_H
#define HANSE_ENGINE_MODELS_DENSE_H

#include "engine/base/error.h"

/* A square matrix, row by row. */
typedef struct hanse_dense {
    size_t n;
    double *values; /* [row][column] */
} hanse_dense;

/* Replaces the matrix by its factors, L below the diagonal (ones on it) and U
 * from the diagonal on; order[i] is the row of the matrix that has become row
 * i. *singular is set where it is so to working precision, and the rest is
 * undefined then. Values must be finite. */
hanse_status hanse_dense_factor(hanse_dense *matrix, size_t *order,
                                bool *singular, size_t n_threads,
                                hanse_error *error);

/* inverse = (the matrix that was factored)^-1, n x n. */
hanse_status hanse_dense_invert(const hanse_dense *factors, const size_t *order,
                                double *inverse, size_t n_threads,
                                hanse_error *error);

#endif
