/* SPDX-License-Identifier: Apache-2.0
 *
 * Inverses. LAPACK is loaded when the first job asks for it: it brings
 * libraries whose loading takes longer than a small run. It counts columns
 * first, so that it sees transposed matrices; the inverse of a transpose is the
 * transpose of the inverse.
 */
#include "engine/models/dense.h"

#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "engine/parallel.h"

#define LAPACK_LIBRARY "liblapack.so.3"

enum {
    ROWS_OF_A_TASK = 16,
    COLUMNS_OF_A_BLOCK = 512,
    MOST_STEPS = 8
};

/* Fortran's calls: integers of 32 bits, lengths of texts behind. */
static struct {
    pthread_once_t once;
    void (*getrf)(const int *m, const int *n, double *a, const int *lda,
                  int *pivots, int *info);
    void (*getri)(const int *n, double *a, const int *lda, const int *pivots,
                  double *work, const int *n_work, int *info);
    void (*gemm)(const char *trans_a, const char *trans_b, const int *m,
                 const int *n, const int *k, const double *alpha,
                 const double *a, const int *lda, const double *b,
                 const int *ldb, const double *beta, double *c, const int *ldc,
                 size_t n_trans_a, size_t n_trans_b);
} lapack = {.once = PTHREAD_ONCE_INIT};

/* The handle stays open: the functions are used until the end. Products are
 * those of the BLAS that it brings. */
static void load(void)
{
    void *library = dlopen(LAPACK_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return;
    lapack.getri = (__typeof__(lapack.getri))dlsym(library, "dgetri_");
    lapack.gemm = (__typeof__(lapack.gemm))dlsym(library, "dgemm_");
    if (lapack.getri != NULL && lapack.gemm != NULL)
        lapack.getrf = (__typeof__(lapack.getrf))dlsym(library, "dgetrf_");
}

typedef struct inverting {
    const double *matrix;
    size_t n;
    double *high; /* the inverse is high + low */
    double *low;
    double *remainder; /* I - matrix (high + low) */
    bool has_low;
    hanse_subtract_multiple *subtract;
    size_t n_threads;
    hanse_budget *budget;
} inverting;

/* ---- As LAPACK finds it ------------------------------------------------- */

static hanse_status invert_roughly(const inverting *v, bool *singular,
                                   hanse_error *error)
{
    const int n = (int)v->n;
    int info, n_work = -1;
    double wanted = 0;
    int *pivots = hanse_allocate(v->budget, v->n, sizeof *pivots);
    if (pivots == NULL)
        return hanse_fail_budget(error, v->budget, "inverse", v->n,
                                 sizeof *pivots);
    memcpy(v->high, v->matrix, v->n * v->n * sizeof *v->high);
    lapack.getrf(&n, &n, v->high, &n, pivots, &info);
    *singular = info > 0;
    lapack.getri(&n, v->high, &n, pivots, &wanted, &n_work, &info);
    n_work = (int)wanted;
    double *work = hanse_allocate(v->budget, (size_t)n_work, sizeof *work);
    if (work != NULL && !*singular)
        lapack.getri(&n, v->high, &n, pivots, work, &n_work, &info);
    *singular = *singular || info != 0;
    const bool failed = work == NULL;
    hanse_free(v->budget, work, (size_t)n_work, sizeof *work);
    hanse_free(v->budget, pivots, v->n, sizeof *pivots);
    return failed ? hanse_fail_budget(error, v->budget, "inverse",
                                      (size_t)n_work, sizeof *work)
                  : HANSE_OK;
}

/* ---- Newton's step ------------------------------------------------------ */

/* Columns first .. first + n_columns - 1 of a task's rows: a row of the inverse
 * serves them all while it is in the cache. */
static void find_block(const inverting *v, size_t row, size_t n_rows,
                       size_t first, size_t n_columns, double *low)
{
    const size_t n = v->n;
    for (size_t k = 0; k < n; k++) {
        const double *x = v->high + k * n + first;
        const double *y = v->has_low ? v->low + k * n + first : NULL;
        for (size_t i = 0; i < n_rows; i++)
            if (v->matrix[(row + i) * n + k] != 0.0)
                v->subtract(v->remainder + (row + i) * n + first,
                            low + i * n + first, x, y,
                            v->matrix[(row + i) * n + k], n_columns);
    }
}

/* A few rows of the remainder. */
static hanse_status find_remainder(void *context, size_t task,
                                   hanse_error *error)
{
    const inverting *v = context;
    const size_t n = v->n, row = task * ROWS_OF_A_TASK;
    const size_t n_rows = n - row < ROWS_OF_A_TASK ? n - row : ROWS_OF_A_TASK;
    double *high = v->remainder + row * n;
    double *low = hanse_allocate_zero(v->budget, n_rows * n, sizeof *low);
    if (low == NULL)
        return hanse_fail_budget(error, v->budget, "inverse", n_rows * n,
                                 sizeof *low);
    memset(high, 0, n_rows * n * sizeof *high);
    for (size_t i = 0; i < n_rows; i++)
        high[i * n + row + i] = 1.0;
    for (size_t first = 0; first < n; first += COLUMNS_OF_A_BLOCK)
        find_block(v, row, n_rows, first,
                   n - first < COLUMNS_OF_A_BLOCK ? n - first
                                                  : COLUMNS_OF_A_BLOCK,
                   low);
    for (size_t i = 0; i < n_rows * n; i++)
        high[i] += low[i];
    hanse_free(v->budget, low, n_rows * n, sizeof *low);
    return HANSE_OK;
}

/* Largest sum of magnitudes of a row, NaN where there is one. */
static double norm(const double *matrix, size_t n)
{
    double largest = 0.0;
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (size_t j = 0; j < n; j++)
            sum += fabs(matrix[i * n + j]);
        if (!(sum <= largest))
            largest = sum;
    }
    return largest;
}

/* (high, low) += high * remainder, brought into order. */
static void correct(inverting *v)
{
    const int n = (int)v->n;
    const double one = 1.0, before = v->has_low ? 1.0 : 0.0;
    lapack.gemm("N", "N", &n, &n, &n, &one, v->remainder, &n, v->high, &n,
                &before, v->low, &n, 1, 1);
    v->has_low = true;
    for (size_t i = 0; i < v->n * v->n; i++) {
        const double sum = v->high[i] + v->low[i];
        const double part = sum - v->high[i];
        v->low[i] = (v->high[i] - (sum - part)) + (v->low[i] - part);
        v->high[i] = sum;
    }
}

/* A step squares the remainder. One of 1e-13 leaves 1e-26 of the inverse, so
 * that it takes another number for that bit to decide. */
static hanse_status improve(inverting *v, bool *singular, hanse_error *error)
{
    const size_t n_tasks = (v->n + ROWS_OF_A_TASK - 1) / ROWS_OF_A_TASK;
    for (int step = 0; step < MOST_STEPS; step++) {
        HANSE_TRY(hanse_parallel_for(v->n_threads, n_tasks, find_remainder, v,
                                     error));
        const double left = norm(v->remainder, v->n);
        if (!(left < 0.5))
            break;
        correct(v);
        if (left < 1e-13)
            return HANSE_OK;
    }
    *singular = true;
    return HANSE_OK;
}

hanse_status hanse_dense_invert(const double *matrix, size_t n, double *inverse,
                                bool *singular, size_t n_threads,
                                hanse_budget *budget, hanse_error *error)
{
    *singular = false;
    if (n == 0)
        return HANSE_OK;
    (void)pthread_once(&lapack.once, load);
    if (lapack.getrf == NULL)
        return hanse_fail(error, HANSE_ERR_IO,
                          "linkages: no " LAPACK_LIBRARY
                          ", which solves for them; install Debian's package "
                          "libopenblas0-pthread");
    inverting v = {.matrix = matrix,
                   .n = n,
                   .high = inverse,
                   .low = hanse_allocate(budget, n * n, sizeof(double)),
                   .remainder = hanse_allocate(budget, n * n, sizeof(double)),
                   .subtract = hanse_choose_subtract_multiple(),
                   .n_threads = n_threads,
                   .budget = budget};
    hanse_status status = HANSE_OK;
    if (v.low == NULL || v.remainder == NULL)
        status = hanse_fail_budget(error, budget, "inverse", 2 * n * n,
                                   sizeof(double));
    if (status == HANSE_OK)
        status = invert_roughly(&v, singular, error);
    if (status == HANSE_OK && !*singular)
        status = improve(&v, singular, error);
    hanse_free(budget, v.low, n * n, sizeof(double));
    hanse_free(budget, v.remainder, n * n, sizeof(double));
    return status;
}
