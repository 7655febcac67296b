/* SPDX-License-Identifier: Apache-2.0
 *
 * Results that have to be the same to the bit. After cmocka.h.
 */
#ifndef HANSE_TESTS_SAME_RESULTS_H
#define HANSE_TESTS_SAME_RESULTS_H

#include <string.h>

#include "engine/hanse.h"

static inline void assert_same_column(const hanse_column *a,
                                      const hanse_column *b, size_t n)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->type, b->type);
    assert_true((a->missing == NULL) == (b->missing == NULL));
    if (a->missing != NULL)
        assert_memory_equal(a->missing, b->missing, n);
    for (size_t i = 0; i < n && a->type == HANSE_TEXT; i++)
        assert_string_equal(((const char *const *)a->values)[i],
                            ((const char *const *)b->values)[i]);
    if (a->type != HANSE_TEXT && n != 0 &&
        memcmp(a->values, b->values, n * hanse_type_size(a->type)) != 0)
        fail_msg("column %s differs", a->name);
}

static inline void assert_same_results(const hanse_result *a,
                                       const hanse_result *b)
{
    assert_int_equal(hanse_result_rows(a).kept, hanse_result_rows(b).kept);
    assert_int_equal(hanse_result_n_tables(a), hanse_result_n_tables(b));
    for (size_t t = 0; t < hanse_result_n_tables(a); t++) {
        const hanse_table *x = hanse_result_table(a, t);
        const hanse_table *y = hanse_result_table(b, t);
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->n_rows, y->n_rows);
        assert_int_equal(x->n_dropped, y->n_dropped);
        assert_int_equal(x->n_keys, y->n_keys);
        assert_int_equal(x->n_columns, y->n_columns);
        for (size_t k = 0; k < x->n_keys; k++)
            assert_same_column(&x->keys[k], &y->keys[k], x->n_rows);
        for (size_t c = 0; c < x->n_columns; c++)
            assert_same_column(&x->columns[c], &y->columns[c], x->n_rows);
    }
}

#endif
