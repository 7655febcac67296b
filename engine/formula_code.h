/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two files of the code generator share. Every node ends up in a
 * place: a register, a column that no step has loaded yet, or nowhere because
 * it is constant. Functions that make a new place release the registers of
 * the places they are given.
 */
#ifndef HANSE_ENGINE_FORMULA_CODE_H
#define HANSE_ENGINE_FORMULA_CODE_H

#include "engine/formula_step.h"

typedef enum hanse_place_kind {
    PLACE_COLUMN,
    PLACE_INTEGER,   /* constants: integer, */
    PLACE_NUMBER,    /* number, */
    PLACE_TRUTH,     /* truth, */
    PLACE_TEXT,      /* the node's text */
    PLACE_REGISTER,  /* number register reg */
    PLACE_CONDITION, /* condition register reg */
} hanse_place_kind;

typedef struct hanse_place {
    hanse_place_kind kind;
    uint8_t reg;
    uint8_t truth;
    const hanse_formula_node *node;
    hanse_wide_int integer;
    double number;
} hanse_place;

typedef struct hanse_coder {
    const hanse_formula_node *nodes;
    const hanse_schema *schema;
    hanse_formula *formula;
    hanse_place *places; /* by node */
    uint32_t free_numbers;
    uint32_t free_conditions;
    bool out_of_memory;
} hanse_coder;

static inline hanse_place hanse_coder_number(double number)
{
    return (hanse_place){.kind = PLACE_NUMBER, .number = number};
}

/* `truth` is one of CONDITION_*. */
static inline hanse_place hanse_coder_truth(int truth)
{
    return (hanse_place){.kind = PLACE_TRUTH, .truth = (uint8_t)truth};
}

static inline bool hanse_coder_is_constant(const hanse_place *p)
{
    return p->kind >= PLACE_INTEGER && p->kind <= PLACE_TEXT;
}

static inline hanse_type hanse_coder_column_type(const hanse_coder *c,
                                                 const hanse_place *p)
{
    return c->schema->fields[p->node->field].type;
}

/* Appends a step; when memory is exhausted notes that instead. */
void hanse_coder_emit(hanse_coder *c, const hanse_formula_step *step);

/* Appends a step that gives a condition, in a free register. */
hanse_place hanse_coder_emit_condition(hanse_coder *c, hanse_formula_step step);

uint8_t hanse_coder_take_number(hanse_coder *c);
void hanse_coder_release(hanse_coder *c, const hanse_place *p);

/* Makes any place but a text PLACE_NUMBER or PLACE_REGISTER. */
void hanse_coder_as_number(hanse_coder *c, hanse_place *p);

/* Makes a bool column, PLACE_TRUTH or PLACE_CONDITION the last of these. */
void hanse_coder_as_condition(hanse_coder *c, hanse_place *p);

hanse_place hanse_coder_not(hanse_coder *c, hanse_place a);

/* ---- formula_code_compare.c --------------------------------------------- */

/* The condition `a kind b`, kind from NODE_EQ to NODE_GE. */
hanse_place hanse_coder_compare(hanse_coder *c, hanse_formula_kind kind,
                                hanse_place a, hanse_place b);

#endif
