/* SPDX-License-Identifier: Apache-2.0
 *
 * The inverse of a dense matrix, rounded once.
 *
 * LAPACK finds it as well as binary64 can, which depends on the BLAS that a
 * machine has, on its instructions and on its threads. Newton's step with the
 * remainder in twice the precision (Golub, Van Loan, Matrix Computations,
 * 3.5.3; Ogita, Rump, Oishi 2005, Accurate sum and dot product) then makes
 * every element right to many digits more than it has, so that its nearest
 * binary64 is the same wherever it began.
 */
#ifndef HANSE_ENGINE_MODELS_DENSE_H
#define HANSE_ENGINE_MODELS_DENSE_H

#include "engine/base/memory.h"

/* inverse = matrix^-1, both n x n, row by row, finite. *singular is set where
 * there is none to working precision; `inverse` is undefined then. Takes two
 * more arrays of that size. HANSE_ERR_IO when the system has no LAPACK. */
hanse_status hanse_dense_invert(const double *matrix, size_t n, double *inverse,
                                bool *singular, size_t n_threads,
                                hanse_budget *budget, hanse_error *error);

/* (high, low)[j] -= multiplier * (x + y)[j], numbers kept as unevaluated sums
 * of two. `y` may be NULL: zeros. */
typedef void hanse_subtract_multiple(double *restrict high,
                                     double *restrict low,
                                     const double *restrict x,
                                     const double *restrict y,
                                     double multiplier, size_t n);

/* The one for this machine; all give the same bits. */
hanse_subtract_multiple *hanse_choose_subtract_multiple(void);

#endif
