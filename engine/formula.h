/* SPDX-License-Identifier: Apache-2.0
 *
 * Formulas over the columns of a table: `active == 1 && quality >= 0.5`,
 * `0.4*labour + 0.6*equipment`. Compiled once against a schema, which finds
 * every error before a row is read; evaluated block by block.
 *
 * Numbers are evaluated in binary64 with the rounding of IEEE 754, without
 * contraction or reassociation, so that every machine gives the same bits.
 * Comparisons of integers with integers are exact for all of int64 and
 * uint64. A missing value makes arithmetic missing (NaN) and a condition
 * unknown (three-valued logic, as in SQL); a filter keeps a row only where
 * the condition is true. docs/formulas.md is the manual.
 */
#ifndef HANSE_ENGINE_FORMULA_H
#define HANSE_ENGINE_FORMULA_H

#include "engine/hanse.h"

typedef struct hanse_formula hanse_formula;

/* What the caller needs the value to be. */
typedef enum hanse_formula_want {
    HANSE_WANT_CONDITION, /* true, false or unknown */
    HANSE_WANT_NUMBER,    /* binary64 */
    HANSE_WANT_EITHER     /* whichever it is; see hanse_formula_gives */
} hanse_formula_want;

/* Compiles `text` against `schema` (which is not kept). `what` begins the
 * message, as in "filter" or "measure 'resource'". HANSE_ERR_FORMULA for
 * syntax, HANSE_ERR_COLUMN for an unknown name (with a suggestion),
 * HANSE_ERR_TYPE for operands that do not fit; the message shows the formula
 * and a caret under the fault. */
hanse_status hanse_formula_compile(const char *text, const char *what,
                                   const hanse_schema *schema,
                                   hanse_formula_want want, hanse_formula **out,
                                   hanse_error *error);
void hanse_formula_destroy(hanse_formula *formula);

/* Fields of the schema that the formula reads: ascending, each once; borrowed
 * from the formula. */
const size_t *hanse_formula_fields(const hanse_formula *formula,
                                   size_t *n_fields);

/* True when the formula is nothing but the name of one column. */
bool hanse_formula_is_field(const hanse_formula *formula, size_t *field);

/* HANSE_WANT_CONDITION or HANSE_WANT_NUMBER: what the formula gives, one of
 * the two evaluations below. */
hanse_formula_want hanse_formula_gives(const hanse_formula *formula);

/* Bytes of scratch that an evaluation needs (64-byte aligned). */
size_t hanse_formula_scratch_bytes(const hanse_formula *formula);

/* Evaluates rows first .. first + n - 1 of the batch, n <= HANSE_BLOCK_ROWS.
 * condition: out[i] = 1 where true, 0 where false or unknown.
 * truth: out[i] = 0 where false, 1 where unknown, 2 where true.
 * number: out[i], NaN where missing. `out` is 64-byte aligned, does not
 * overlap the batch, and has room for HANSE_BLOCK_ROWS. */
void hanse_formula_condition(const hanse_formula *formula,
                             const hanse_batch *batch, size_t first, size_t n,
                             void *scratch, uint8_t *out);
void hanse_formula_truth(const hanse_formula *formula, const hanse_batch *batch,
                         size_t first, size_t n, void *scratch, uint8_t *out);
void hanse_formula_number(const hanse_formula *formula,
                          const hanse_batch *batch, size_t first, size_t n,
                          void *scratch, double *out);

#endif
