/* SPDX-License-Identifier: Apache-2.0
 *
 * Formulas: compile, ask, evaluate, destroy.
 */
#include "engine/formula_step.h"

#include <assert.h>

#include "engine/base/memory.h"

/* Bytes of one register of each kind. */
enum {
    NUMBER_BYTES = HANSE_BLOCK_ROWS * (int)sizeof(double),
    CONDITION_BYTES = HANSE_BLOCK_ROWS,
    WIDE_BYTES = HANSE_BLOCK_ROWS * (int)sizeof(uint64_t)
};

/* ---- Compilation -------------------------------------------------------- */

static hanse_status check_text(const hanse_formula_source *source)
{
    if (source->n > FORMULA_MAX_BYTES)
        return hanse_fail(source->error, HANSE_ERR_FORMULA,
                          "%.100s: the formula has %zu bytes, the limit is %d",
                          source->what, source->n, FORMULA_MAX_BYTES);
    uint32_t code;
    size_t length;
    for (size_t at = 0; at < source->n; at += length) {
        length =
            hanse_formula_character(source->text + at, source->n - at, &code);
        if (length == 0)
            return hanse_formula_fault(source, HANSE_ERR_FORMULA, at, at + 1,
                                       "byte 0x%02x is not valid UTF-8",
                                       (unsigned char)source->text[at]);
    }
    return HANSE_OK;
}

/* Lists the fields that the columns of the tree name. */
static hanse_status collect_fields(const hanse_formula_tree *tree,
                                   const hanse_schema *schema,
                                   hanse_formula *formula, hanse_error *error)
{
    bool *used = hanse_allocate_zero(NULL, schema->n_fields, sizeof used[0]);
    if (used == NULL)
        return hanse_fail_nomem(error, "formula's columns", schema->n_fields);
    size_t n_used = 0;
    for (size_t i = 0; i < tree->n_nodes; i++) {
        const hanse_formula_node *node = &tree->nodes[i];
        if (node->kind == NODE_COLUMN && !used[node->field]) {
            used[node->field] = true;
            n_used++;
        }
    }
    formula->fields = hanse_allocate(NULL, n_used, sizeof(size_t));
    if (formula->fields != NULL) {
        formula->n_fields = n_used;
        for (size_t field = 0, k = 0; field < schema->n_fields; field++)
            if (used[field])
                formula->fields[k++] = field;
    }
    hanse_free(NULL, used, schema->n_fields, sizeof used[0]);
    return formula->fields != NULL
               ? HANSE_OK
               : hanse_fail_nomem(error, "formula's columns",
                                  n_used * sizeof(size_t));
}

static hanse_status compile(const hanse_formula_source *source,
                            const hanse_schema *schema, hanse_formula_want want,
                            hanse_formula_tree *tree, hanse_formula *formula)
{
    hanse_cpu cpu;
    HANSE_TRY(hanse_cpu_choose(&cpu, source->error));
    formula->loops = hanse_formula_loops_of(cpu);
    HANSE_TRY(check_text(source));
    HANSE_TRY(hanse_formula_parse(source, tree));
    HANSE_TRY(hanse_formula_check(source, schema, want, tree));
    if (want == HANSE_WANT_EITHER)
        want = tree->nodes[tree->n_nodes - 1].type == FORMULA_BOOL
                   ? HANSE_WANT_CONDITION
                   : HANSE_WANT_NUMBER;
    HANSE_TRY(collect_fields(tree, schema, formula, source->error));
    HANSE_TRY(hanse_formula_code(tree, schema, want, formula, source->error));
    formula->is_field = tree->nodes[tree->n_nodes - 1].kind == NODE_COLUMN;
    /* Steps refer to text literals in the pool. */
    formula->pool = tree->pool;
    formula->pool_bytes = tree->pool_bytes;
    tree->pool = NULL;
    return HANSE_OK;
}

hanse_status hanse_formula_compile(const char *text, const char *what,
                                   const hanse_schema *schema,
                                   hanse_formula_want want, hanse_formula **out,
                                   hanse_error *error)
{
    if (text == NULL || what == NULL || schema == NULL || out == NULL)
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "formula: an argument is NULL");
    const hanse_formula_source source = {text, strlen(text), what, error};
    hanse_formula_tree tree = {0};
    hanse_formula *formula = hanse_allocate_zero(NULL, 1, sizeof *formula);
    if (formula == NULL)
        return hanse_fail_nomem(error, "formula", sizeof *formula);
    const hanse_status status = compile(&source, schema, want, &tree, formula);
    hanse_formula_tree_clear(&tree);
    if (status != HANSE_OK) {
        hanse_formula_destroy(formula);
        return status;
    }
    *out = formula;
    return HANSE_OK;
}

void hanse_formula_destroy(hanse_formula *formula)
{
    if (formula == NULL)
        return;
    hanse_free(NULL, formula->steps, formula->capacity_steps,
               sizeof formula->steps[0]);
    hanse_free(NULL, formula->fields, formula->n_fields, sizeof(size_t));
    hanse_free(NULL, formula->pool, formula->pool_bytes, 1);
    hanse_free(NULL, formula, 1, sizeof *formula);
}

const size_t *hanse_formula_fields(const hanse_formula *formula,
                                   size_t *n_fields)
{
    *n_fields = formula->n_fields;
    return formula->fields;
}

bool hanse_formula_is_field(const hanse_formula *formula, size_t *field)
{
    if (formula->is_field)
        *field = formula->fields[0];
    return formula->is_field;
}

hanse_formula_want hanse_formula_gives(const hanse_formula *formula)
{
    return formula->want;
}

/* ---- Evaluation --------------------------------------------------------- */

/* The result's register is the caller's output, the others are scratch. */
size_t hanse_formula_scratch_bytes(const hanse_formula *formula)
{
    const bool is_number = formula->want == HANSE_WANT_NUMBER;
    const size_t n_numbers = formula->n_numbers - (is_number ? 1 : 0);
    const size_t n_conditions = formula->n_conditions - (is_number ? 0 : 1);
    const size_t n_wides = formula->uses_wide ? 2 : 0;
    return n_numbers * NUMBER_BYTES + n_wides * WIDE_BYTES +
           n_conditions * CONDITION_BYTES;
}

static void run(const hanse_formula *formula, hanse_formula_frame *frame,
                void *scratch, double *numbers, uint8_t *conditions)
{
    char *next = scratch;
    for (size_t r = 0; r < formula->n_numbers; r++) {
        const bool is_result = numbers != NULL && r == formula->result;
        frame->number_store[r] = is_result ? numbers : (double *)(void *)next;
        next += is_result ? 0 : NUMBER_BYTES;
    }
    for (size_t r = 0; formula->uses_wide && r < 2; r++) {
        frame->wide_store[r] = (uint64_t *)(void *)next;
        next += WIDE_BYTES;
    }
    for (size_t r = 0; r < formula->n_conditions; r++) {
        const bool is_result = conditions != NULL && r == formula->result;
        frame->condition[r] = is_result ? conditions : (uint8_t *)next;
        next += is_result ? 0 : CONDITION_BYTES;
    }
    for (size_t i = 0; i < formula->n_steps; i++)
        formula->steps[i].run(frame, &formula->steps[i]);
}

void hanse_formula_truth(const hanse_formula *formula, const hanse_batch *batch,
                         size_t first, size_t n, void *scratch, uint8_t *out)
{
    assert(formula->want == HANSE_WANT_CONDITION && n <= HANSE_BLOCK_ROWS);
    if (n == 0)
        return;
    hanse_formula_frame frame = {.batch = batch, .first = first, .n = n};
    run(formula, &frame, scratch, NULL, out);
}

void hanse_formula_condition(const hanse_formula *formula,
                             const hanse_batch *batch, size_t first, size_t n,
                             void *scratch, uint8_t *out)
{
    hanse_formula_truth(formula, batch, first, n, scratch, out);
    formula->loops->finish_condition(out, n);
}

/* The last loop makes all NaN the same one: which of several operands' NaN a
 * processor passes on, and its sign, are not the same everywhere. */
void hanse_formula_number(const hanse_formula *formula,
                          const hanse_batch *batch, size_t first, size_t n,
                          void *scratch, double *out)
{
    assert(formula->want == HANSE_WANT_NUMBER && n <= HANSE_BLOCK_ROWS);
    if (n == 0)
        return;
    hanse_formula_frame frame = {.batch = batch, .first = first, .n = n};
    run(formula, &frame, scratch, out, NULL);
    formula->loops->finish_number(frame.number[formula->result], n, out);
}
