/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks of rows of an allocation.
 */
#include <math.h>

#include "engine/models/allocate_internal.h"

const char *const hanse_allocate_columns[HANSE_ALLOCATE_COLUMNS] = {
    [HANSE_ALLOCATE_AWARD] = "resource_allocation",
    [HANSE_ALLOCATE_STATUS] = "resource_allocation_status",
    [HANSE_ALLOCATE_INTEGRATED] = "resource_integrated",
    [HANSE_ALLOCATE_KEPT] = "resource_kept",
    [HANSE_ALLOCATE_GROUP] = "resource_group",
};

void hanse_fill_taking_part(const void *context, const hanse_rows *rows,
                            double *const *out)
{
    const double *restrict claims = rows->numbers[0];
    const double *restrict resources = rows->numbers[1];
    double *restrict claim = out[0], *restrict resource = out[1];
    (void)context;
    for (size_t i = 0; i < rows->n; i++) {
        const double c = claims[i], r = resources[i];
        claim[i] = r == r ? c : (double)NAN;
        resource[i] = c == c ? r : (double)NAN;
    }
}

/* Index of the first change from `row` on. */
static size_t find_change(const hanse_allocation *a, uint64_t row)
{
    size_t low = 0, high = a->n_changes;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (a->changes[middle].row < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void change_rows(const hanse_allocation *a, const hanse_rows *rows,
                        double *const *out)
{
    const uint64_t end = rows->first_row + rows->n;
    for (size_t k = find_change(a, rows->first_row);
         k < a->n_changes && a->changes[k].row < end; k++) {
        const size_t i = (size_t)(a->changes[k].row - rows->first_row);
        out[HANSE_ALLOCATE_AWARD][i] = a->changes[k].award;
        out[HANSE_ALLOCATE_INTEGRATED][i] = a->changes[k].integrated;
    }
}

/* R_i of each row. Where the awards of all groups are defined, a row takes part
 * if it has an award. */
static void integrate(const hanse_allocation *a, const hanse_rows *rows,
                      const double *restrict claims,
                      const double *restrict resources, double *const *out)
{
    const double keep = a->keep;
    const double *restrict award = out[HANSE_ALLOCATE_AWARD];
    double *restrict integrated = out[HANSE_ALLOCATE_INTEGRATED];
    double *restrict kept = out[HANSE_ALLOCATE_KEPT];
    if (!hanse_adds_awards(a)) {
        for (size_t i = 0; i < rows->n; i++)
            kept[i] = integrated[i] = resources[i];
    } else if (!a->any_undefined) {
        for (size_t i = 0; i < rows->n; i++) {
            const double r = resources[i], part = keep * r;
            kept[i] = award[i] == award[i] ? part : r;
            integrated[i] = award[i] == award[i] ? part + award[i] : r;
        }
    } else {
        const uint32_t *restrict groups = rows->groups[0];
        for (size_t i = 0; i < rows->n; i++) {
            const double r = resources[i];
            const bool is_in =
                groups[i] != HANSE_NO_GROUP && r == r && claims[i] == claims[i];
            kept[i] = is_in ? keep * r : r;
            integrated[i] = is_in ? kept[i] + award[i] : r;
        }
    }
}

static void number_rows(const hanse_allocation *a, const hanse_rows *rows,
                        double *const *out)
{
    const uint32_t *restrict groups = rows->groups[0];
    double *restrict group = out[HANSE_ALLOCATE_GROUP];
    double *restrict status = out[HANSE_ALLOCATE_STATUS];
    for (size_t i = 0; i < rows->n; i++)
        group[i] = (double)(int32_t)groups[i]; /* HANSE_NO_GROUP: -1 */
    if (!a->any_status) {
        for (size_t i = 0; i < rows->n; i++)
            status[i] = 0.0;
        return;
    }
    for (size_t i = 0; i < rows->n; i++)
        status[i] =
            groups[i] == HANSE_NO_GROUP ? 0.0 : (double)a->status[groups[i]];
}

static void fill_awards(const hanse_allocation *a, const hanse_rows *rows,
                        const double *restrict claims,
                        const double *restrict resources, double *award)
{
    const uint32_t *restrict groups = rows->groups[0];
    if (a->awards != NULL) {
        const double *restrict awards = a->awards + rows->first_row;
        for (size_t i = 0; i < rows->n; i++)
            award[i] =
                groups[i] != HANSE_NO_GROUP && hanse_is_allocated(a, groups[i])
                    ? awards[i]
                    : (double)NAN;
        return;
    }
    hanse_claims_fill(a->rule, a->terms, groups, claims, rows->n, award);
    for (size_t i = 0; a->has_claim && i < rows->n; i++)
        award[i] = resources[i] == resources[i] ? award[i] : (double)NAN;
}

void hanse_fill_allocation(const void *context, const hanse_rows *rows,
                           double *const *out)
{
    const hanse_allocation *a = context;
    const double *claims = rows->numbers[0];
    const double *resources = rows->numbers[a->has_claim ? 1 : 0];
    fill_awards(a, rows, claims, resources, out[HANSE_ALLOCATE_AWARD]);
    number_rows(a, rows, out);
    integrate(a, rows, claims, resources, out);
    if (a->n_changes > 0)
        change_rows(a, rows, out);
}
