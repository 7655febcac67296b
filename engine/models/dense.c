/* SPDX-License-Identifier: Apache-2.0
 *
 * The matrix is factored in panels of columns (Golub, Van Loan, Matrix
 * Computations, 3.2.11), and the inverse found for strips of columns. Almost
 * all the work is subtracting products of blocks. An element is always
 * a - l_0 u_0 - l_1 u_1 - ... in one order that its place alone decides, each
 * product and difference rounded.
 */
#include "engine/models/dense.h"

#include <math.h>
#include <string.h>

#include "engine/parallel.h"

enum {
    PANEL = 64,    /* columns */
    STRIP = 64,    /* columns of the inverse, and of a task of an update */
    TILE_ROWS = 4, /* of the innermost loop, whose sums are in registers */
    TILE_COLUMNS = 4
};

/* c[i][j] -= sum_k a[i][k] b[k][j], one after another; rows of the matrices
 * are lda, ldb, ldc apart. */
static void subtract_tile(double *restrict c, size_t ldc,
                          const double *restrict a, size_t lda,
                          const double *restrict b, size_t ldb, size_t depth)
{
    double sum[TILE_ROWS][TILE_COLUMNS];
    for (size_t i = 0; i < TILE_ROWS; i++)
        memcpy(sum[i], c + i * ldc, sizeof sum[i]);
    for (size_t k = 0; k < depth; k++)
        for (size_t i = 0; i < TILE_ROWS; i++)
            for (size_t j = 0; j < TILE_COLUMNS; j++)
                sum[i][j] -= a[i * lda + k] * b[k * ldb + j];
    for (size_t i = 0; i < TILE_ROWS; i++)
        memcpy(c + i * ldc, sum[i], sizeof sum[i]);
}

static void subtract_edge(double *restrict c, size_t ldc,
                          const double *restrict a, size_t lda,
                          const double *restrict b, size_t ldb, size_t n_rows,
                          size_t n_columns, size_t depth)
{
    for (size_t i = 0; i < n_rows; i++)
        for (size_t k = 0; k < depth; k++)
            for (size_t j = 0; j < n_columns; j++)
                c[i * ldc + j] -= a[i * lda + k] * b[k * ldb + j];
}

static void subtract_product(double *c, size_t ldc, const double *a, size_t lda,
                             const double *b, size_t ldb, size_t n_rows,
                             size_t n_columns, size_t depth)
{
    const size_t whole_rows = n_rows - n_rows % TILE_ROWS;
    const size_t whole_columns = n_columns - n_columns % TILE_COLUMNS;
    for (size_t i = 0; i < whole_rows; i += TILE_ROWS)
        for (size_t j = 0; j < whole_columns; j += TILE_COLUMNS)
            subtract_tile(c + i * ldc + j, ldc, a + i * lda, lda, b + j, ldb,
                          depth);
    subtract_edge(c + whole_columns, ldc, a, lda, b + whole_columns, ldb,
                  whole_rows, n_columns - whole_columns, depth);
    subtract_edge(c + whole_rows * ldc, ldc, a + whole_rows * lda, lda, b, ldb,
                  n_rows - whole_rows, n_columns, depth);
}

/* ---- Factors ------------------------------------------------------------ */

typedef struct factoring {
    double *values;
    size_t n;
    size_t first; /* of the panel */
    size_t width;
} factoring;

static void swap_rows(double *values, size_t n, size_t a, size_t b)
{
    for (size_t j = 0; j < n; j++) {
        const double kept = values[a * n + j];
        values[a * n + j] = values[b * n + j];
        values[b * n + j] = kept;
    }
}

/* Columns of the panel, one by one; false where there is no pivot. The largest
 * in magnitude is taken, of equal ones the first. */
static bool factor_panel(const factoring *f, size_t *order, double smallest)
{
    double *values = f->values;
    const size_t n = f->n, end = f->first + f->width;
    for (size_t k = f->first; k < end; k++) {
        size_t pivot = k;
        for (size_t i = k + 1; i < n; i++)
            if (fabs(values[i * n + k]) > fabs(values[pivot * n + k]))
                pivot = i;
        if (!(fabs(values[pivot * n + k]) > smallest))
            return false;
        if (pivot != k) {
            const size_t kept = order[k];
            order[k] = order[pivot];
            order[pivot] = kept;
            swap_rows(values, n, k, pivot);
        }
        for (size_t i = k + 1; i < n; i++) {
            const double factor = values[i * n + k] / values[k * n + k];
            values[i * n + k] = factor;
            for (size_t j = k + 1; j < end; j++)
                values[i * n + j] -= factor * values[k * n + j];
        }
    }
    return true;
}

/* Rows first .. first + width - 1 of a strip of columns: divided by the lower
 * triangle of the panel there. */
static void solve_lower(const double *factors, size_t n, size_t first,
                        size_t width, double *strip, size_t stride,
                        size_t n_columns)
{
    for (size_t i = 1; i < width; i++)
        for (size_t k = 0; k < i; k++)
            for (size_t j = 0; j < n_columns; j++)
                strip[i * stride + j] -= factors[(first + i) * n + first + k] *
                                         strip[k * stride + j];
}

/* A strip of columns right of the panel. */
static hanse_status update_strip(void *context, size_t task, hanse_error *error)
{
    const factoring *f = context;
    const size_t n = f->n, end = f->first + f->width;
    const size_t column = end + task * STRIP;
    const size_t n_columns = n - column < STRIP ? n - column : STRIP;
    (void)error;
    solve_lower(f->values, n, f->first, f->width,
                f->values + f->first * n + column, n, n_columns);
    subtract_product(
        f->values + end * n + column, n, f->values + end * n + f->first, n,
        f->values + f->first * n + column, n, n - end, n_columns, f->width);
    return HANSE_OK;
}

/* Pivots down to here are what rounding leaves of 0. */
static double smallest_pivot(const hanse_dense *matrix)
{
    double largest = 0.0;
    for (size_t i = 0; i < matrix->n * matrix->n; i++)
        if (fabs(matrix->values[i]) > largest)
            largest = fabs(matrix->values[i]);
    return (double)matrix->n * 0x1p-53 * largest;
}

hanse_status hanse_dense_factor(hanse_dense *matrix, size_t *order,
                                bool *singular, size_t n_threads,
                                hanse_error *error)
{
    factoring f = {.values = matrix->values, .n = matrix->n};
    const double smallest = smallest_pivot(matrix);
    *singular = false;
    for (size_t i = 0; i < f.n; i++)
        order[i] = i;
    for (f.first = 0; f.first < f.n; f.first += f.width) {
        f.width = f.n - f.first < PANEL ? f.n - f.first : PANEL;
        if (!factor_panel(&f, order, smallest)) {
            *singular = true;
            return HANSE_OK;
        }
        const size_t left = f.n - f.first - f.width;
        HANSE_TRY(hanse_parallel_for(n_threads, (left + STRIP - 1) / STRIP,
                                     update_strip, &f, error));
    }
    return HANSE_OK;
}

/* ---- Inverse ------------------------------------------------------------ */

typedef struct inverting {
    const double *factors;
    size_t n;
    const size_t *order;
    double *inverse;
} inverting;

/* Divided by the upper triangle of a panel, from below. */
static void solve_upper(const inverting *v, size_t first, size_t width,
                        double *strip, size_t n_columns)
{
    const size_t n = v->n;
    for (size_t i = width; i-- > 0;) {
        const double *row = v->factors + (first + i) * n + first;
        for (size_t k = width; k-- > i + 1;)
            for (size_t j = 0; j < n_columns; j++)
                strip[i * n + j] -= row[k] * strip[k * n + j];
        for (size_t j = 0; j < n_columns; j++)
            strip[i * n + j] /= row[i];
    }
}

static hanse_status invert_strip(void *context, size_t task, hanse_error *error)
{
    const inverting *v = context;
    const size_t n = v->n, column = task * STRIP;
    const size_t n_columns = n - column < STRIP ? n - column : STRIP;
    double *strip = v->inverse + column;
    (void)error;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n_columns; j++)
            strip[i * n + j] = v->order[i] == column + j ? 1.0 : 0.0;
    for (size_t first = 0; first < n; first += PANEL) {
        const size_t width = n - first < PANEL ? n - first : PANEL;
        const size_t end = first + width;
        solve_lower(v->factors, n, first, width, strip + first * n, n,
                    n_columns);
        subtract_product(strip + end * n, n, v->factors + end * n + first, n,
                         strip + first * n, n, n - end, n_columns, width);
    }
    for (size_t end = n; end > 0;) {
        const size_t width = end % PANEL != 0 ? end % PANEL : PANEL;
        const size_t first = end - width;
        solve_upper(v, first, width, strip + first * n, n_columns);
        subtract_product(strip, n, v->factors + first, n, strip + first * n, n,
                         first, n_columns, width);
        end = first;
    }
    return HANSE_OK;
}

hanse_status hanse_dense_invert(const hanse_dense *factors, const size_t *order,
                                double *inverse, size_t n_threads,
                                hanse_error *error)
{
    inverting v = {factors->values, factors->n, order, inverse};
    return hanse_parallel_for(n_threads, (factors->n + STRIP - 1) / STRIP,
                              invert_strip, &v, error);
}
