/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of formulas over the table of formula_table.h, for cmocka programs.
 */
#ifndef HANSE_TESTS_FORMULA_VALUES_H
#define HANSE_TESTS_FORMULA_VALUES_H

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "engine/base/memory.h"
#include "engine/formula.h"
#include "engine/source.h"
#include "tests/formula_table.h"

/* The formula, which must compile. */
static inline hanse_formula *compile(const char *text, hanse_formula_want want)
{
    hanse_formula *formula = NULL;
    hanse_error error = {0};
    const hanse_status status = hanse_formula_compile(
        text, "test", &table_schema, want, &formula, &error);
    if (status != HANSE_OK)
        fail_msg("%s: %s", text, error.message);
    return formula;
}

/* Its values in the six rows. */
static inline void numbers_of(const char *text, double *out)
{
    hanse_formula *formula = compile(text, HANSE_WANT_NUMBER);
    void *scratch =
        hanse_allocate(NULL, hanse_formula_scratch_bytes(formula), 1);
    double *block = hanse_allocate(NULL, HANSE_BLOCK_ROWS, sizeof(double));
    assert_non_null(scratch);
    assert_non_null(block);
    hanse_formula_number(formula, &table_batch, 0, TABLE_ROWS, scratch, block);
    memcpy(out, block, TABLE_ROWS * sizeof(double));
    hanse_free(NULL, block, HANSE_BLOCK_ROWS, sizeof(double));
    hanse_free(NULL, scratch, hanse_formula_scratch_bytes(formula), 1);
    hanse_formula_destroy(formula);
}

#endif
