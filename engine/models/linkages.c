/* SPDX-License-Identifier: Apache-2.0
 *
 * One inverse serves both sides: I - B = diag(x)^-1 (I - A) diag(x), so that
 * M_ij = L_ij x_j / x_i.
 */
#include "engine/models/linkages.h"

#include <math.h>
#include <string.h>

#include "engine/models/dense.h"
#include "engine/models/status.h"
#include "engine/models/term_sum.h"

enum {
    N_ARRAYS = 6
};

static void list_arrays(hanse_linkages *l, double **arrays[N_ARRAYS])
{
    arrays[0] = &l->backward_direct;
    arrays[1] = &l->backward_total;
    arrays[2] = &l->forward_direct;
    arrays[3] = &l->forward_total;
    arrays[4] = &l->power;
    arrays[5] = &l->sensitivity;
}

void hanse_linkages_clear(hanse_linkages *linkages)
{
    hanse_budget *budget = linkages->budget;
    const size_t n = linkages->n;
    double **arrays[N_ARRAYS];
    list_arrays(linkages, arrays);
    for (size_t i = 0; i < N_ARRAYS; i++)
        hanse_free(budget, *arrays[i], n, sizeof **arrays[i]);
    hanse_free(budget, linkages->status, n, sizeof *linkages->status);
    hanse_free(budget, linkages->leontief, n * n, sizeof *linkages->leontief);
    *linkages = (hanse_linkages){0};
}

static hanse_status allocate(hanse_linkages *l, hanse_error *error)
{
    double **arrays[N_ARRAYS];
    list_arrays(l, arrays);
    l->status = hanse_allocate(l->budget, l->n, sizeof *l->status);
    l->leontief = hanse_allocate(l->budget, l->n * l->n, sizeof *l->leontief);
    bool failed = l->status == NULL || l->leontief == NULL;
    for (size_t i = 0; i < N_ARRAYS; i++) {
        *arrays[i] = hanse_allocate(l->budget, l->n, sizeof **arrays[i]);
        failed = failed || *arrays[i] == NULL;
    }
    return failed ? hanse_fail_budget(error, l->budget, "linkages of groups",
                                      l->n * l->n, sizeof *l->leontief)
                  : HANSE_OK;
}

/* ---- Coefficients ------------------------------------------------------- */

static bool is_there(const hanse_linkages *l, size_t i)
{
    return l->status[i] == HANSE_MODEL_OK ||
           l->status[i] == HANSE_MODEL_NOT_CONVERGED;
}

double hanse_linkages_input(const hanse_linkages *linkages, double flow,
                            double total_j, size_t i, size_t j)
{
    return is_there(linkages, i) && is_there(linkages, j) ? flow / total_j
                                                          : 0.0;
}

double hanse_linkages_output(const hanse_linkages *linkages, double flow,
                             double total_i, size_t i, size_t j)
{
    return is_there(linkages, i) && is_there(linkages, j) ? flow / total_i
                                                          : 0.0;
}

double hanse_linkages_ghosh(const hanse_linkages *linkages, double total_i,
                            double total_j, size_t i, size_t j)
{
    return is_there(linkages, i) && is_there(linkages, j)
               ? linkages->leontief[i * linkages->n + j] * total_j / total_i
               : 0.0;
}

/* Status of every group by its total and by the flows. */
static void judge(hanse_linkages *l, const double *flows, const double *totals)
{
    bool is_finite = true;
    for (size_t i = 0; i < l->n * l->n; i++)
        is_finite = is_finite && isfinite(flows[i]);
    for (size_t i = 0; i < l->n; i++) {
        l->status[i] = HANSE_MODEL_OK;
        if (!is_finite || !isfinite(totals[i]))
            l->status[i] = HANSE_MODEL_NOT_FINITE;
        else if (totals[i] <= 0.0)
            l->status[i] =
                totals[i] < 0.0 ? HANSE_MODEL_NEGATIVE : HANSE_MODEL_ZERO;
    }
}

/* ---- Inverse ------------------------------------------------------------ */

/* I - A of the groups that are there, `index` of them. */
static void fill_matrix(const hanse_linkages *l, const double *flows,
                        const double *totals, const size_t *index, size_t m,
                        double *matrix)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++)
            matrix[i * m + j] =
                (i == j ? 1.0 : 0.0) -
                hanse_linkages_input(l, flows[index[i] * l->n + index[j]],
                                     totals[index[j]], index[i], index[j]);
}

/* From m x m at the front of the array to n x n, zeros elsewhere. */
static void spread(double *values, size_t n, const size_t *index, size_t m)
{
    for (size_t i = m; i-- > 0;) {
        for (size_t j = m; j-- > 0;) {
            const double value = values[i * m + j];
            values[i * m + j] = 0.0;
            values[index[i] * n + index[j]] = value;
        }
    }
}

/* L into `leontief`; the groups that are there get status 7 where there is
 * none. `index` has room for n numbers. */
static hanse_status invert(hanse_linkages *l, const double *flows,
                           const double *totals, size_t *index,
                           size_t n_threads, hanse_error *error)
{
    size_t m = 0;
    for (size_t i = 0; i < l->n; i++)
        if (is_there(l, i))
            index[m++] = i;
    double *matrix = hanse_allocate(l->budget, m * m, sizeof *matrix);
    if (matrix == NULL)
        return hanse_fail_budget(error, l->budget, "linkages of groups", m * m,
                                 sizeof(double));
    bool singular = false;
    fill_matrix(l, flows, totals, index, m, matrix);
    memset(l->leontief, 0, l->n * l->n * sizeof *l->leontief);
    const hanse_status status = hanse_dense_invert(
        matrix, m, l->leontief, &singular, n_threads, l->budget, error);
    hanse_free(l->budget, matrix, m * m, sizeof *matrix);
    if (status != HANSE_OK)
        return status;
    if (!singular) {
        spread(l->leontief, l->n, index, m);
        return HANSE_OK;
    }
    for (size_t i = 0; i < m; i++) {
        l->status[index[i]] = HANSE_MODEL_NOT_CONVERGED;
        for (size_t j = 0; j < m; j++)
            l->leontief[index[i] * l->n + index[j]] = NAN;
    }
    return HANSE_OK;
}

/* ---- Linkages ----------------------------------------------------------- */

/* Sums along row and column k; `terms` has room for n numbers. */
static void add_up(hanse_linkages *l, const double *flows, const double *totals,
                   size_t k, double *terms)
{
    const size_t n = l->n;
    for (size_t i = 0; i < n; i++)
        terms[i] = hanse_linkages_input(l, flows[i * n + k], totals[k], i, k);
    l->backward_direct[k] = hanse_sparse_dot(NULL, terms, NULL, n);
    for (size_t i = 0; i < n; i++)
        terms[i] = l->leontief[i * n + k];
    l->backward_total[k] = hanse_sparse_dot(NULL, terms, NULL, n);
    for (size_t j = 0; j < n; j++)
        terms[j] = hanse_linkages_output(l, flows[k * n + j], totals[k], k, j);
    l->forward_direct[k] = hanse_sparse_dot(NULL, terms, NULL, n);
    for (size_t j = 0; j < n; j++)
        terms[j] = hanse_linkages_ghosh(l, totals[k], totals[j], k, j);
    l->forward_total[k] = hanse_sparse_dot(NULL, terms, NULL, n);
    l->sensitivity[k] = hanse_sparse_dot(NULL, l->leontief + k * n, NULL, n);
}

static void fill_linkages(hanse_linkages *l, const double *flows,
                          const double *totals, double *terms)
{
    size_t m = 0;
    for (size_t k = 0; k < l->n; k++) {
        add_up(l, flows, totals, k, terms);
        m += is_there(l, k);
    }
    const double all = hanse_sparse_dot(NULL, l->backward_total, NULL, l->n);
    for (size_t k = 0; k < l->n; k++) {
        l->power[k] = (double)m * l->backward_total[k] / all;
        l->sensitivity[k] = (double)m * l->sensitivity[k] / all;
    }
    double **arrays[N_ARRAYS];
    list_arrays(l, arrays);
    for (size_t a = 0; a < N_ARRAYS; a++)
        for (size_t k = 0; k < l->n; k++)
            if (!is_there(l, k))
                (*arrays[a])[k] = NAN;
}

hanse_status hanse_linkages_compute(const double *flows, const double *totals,
                                    size_t n, size_t n_threads,
                                    hanse_budget *budget, hanse_linkages *out,
                                    hanse_error *error)
{
    hanse_linkages made = {.budget = budget, .n = n};
    if (n > HANSE_LINKAGES_GROUPS_MAX)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "linkages of %zu groups, the most is %d; group by "
                          "fewer keys",
                          n, HANSE_LINKAGES_GROUPS_MAX);
    size_t *index = hanse_allocate(budget, n, sizeof *index);
    double *terms = hanse_allocate(budget, n, sizeof *terms);
    hanse_status status = HANSE_OK;
    if (index == NULL || terms == NULL)
        status = hanse_fail_budget(error, budget, "linkages of groups", 2 * n,
                                   sizeof *terms);
    if (status == HANSE_OK)
        status = allocate(&made, error);
    if (status == HANSE_OK) {
        judge(&made, flows, totals);
        status = invert(&made, flows, totals, index, n_threads, error);
    }
    if (status == HANSE_OK)
        fill_linkages(&made, flows, totals, terms);
    hanse_free(budget, index, n, sizeof *index);
    hanse_free(budget, terms, n, sizeof *terms);
    if (status != HANSE_OK)
        hanse_linkages_clear(&made);
    else
        *out = made;
    return status;
}
