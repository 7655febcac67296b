/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzer of the formula language: any bytes are compiled, as a filter and as
 * a measure, and what compiles is evaluated. Whatever the bytes are, the
 * error is well formed, the scratch is bounded, and the two ways to evaluate
 * a condition agree.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/formula.h"
#include "engine/source.h"
#include "tests/formula_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stops the fuzzer, in release builds too. */
#define CHECK(holds)                                                    \
    do {                                                                \
        if (!(holds)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #holds); \
            abort();                                                    \
        }                                                               \
    } while (0)

/* 20 registers of numbers, 20 of conditions, 2 of integers at the most. */
enum {
    MAX_SCRATCH = HANSE_BLOCK_ROWS * (20 * 8 + 20 + 2 * 8)
};

typedef struct outcome {
    hanse_status status;
    double numbers[TABLE_ROWS];
    uint8_t kept[TABLE_ROWS];
} outcome;

static void check_message(const hanse_error *error, hanse_status status)
{
    CHECK(status == HANSE_ERR_FORMULA || status == HANSE_ERR_COLUMN ||
          status == HANSE_ERR_TYPE);
    CHECK(error->status == status);
    const size_t length = strlen(error->message);
    CHECK(length > 0 && length < HANSE_ERROR_SIZE - 1);
    CHECK(strncmp(error->message, "fuzz: ", 6) == 0);
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)error->message[i];
        CHECK(c >= 0x20 ? c != 0x7f : c == '\n');
    }
    const char *last = strrchr(error->message, '\n');
    if (last == NULL) /* an empty formula or one that is too long */
        return;
    CHECK(strspn(last + 1, " ^~") == strlen(last + 1));
    CHECK(strchr(last, '^') != NULL);
}

static void check_fields(const hanse_formula *formula)
{
    size_t n_fields;
    size_t field = SIZE_MAX;
    const size_t *fields = hanse_formula_fields(formula, &n_fields);
    for (size_t i = 0; i < n_fields; i++)
        CHECK(fields[i] < TABLE_FIELDS &&
              (i == 0 || fields[i] > fields[i - 1]));
    if (hanse_formula_is_field(formula, &field))
        CHECK(n_fields == 1 && field == fields[0]);
}

static void evaluate(const hanse_formula *formula, hanse_formula_want want,
                     outcome *out)
{
    const size_t size_bytes = hanse_formula_scratch_bytes(formula);
    CHECK(size_bytes <= MAX_SCRATCH);
    void *scratch = hanse_allocate(NULL, size_bytes, 1);
    double *block = hanse_allocate(NULL, HANSE_BLOCK_ROWS, sizeof(double));
    CHECK(scratch != NULL && block != NULL);
    memset(scratch, 0xff, size_bytes);
    if (want == HANSE_WANT_NUMBER) {
        hanse_formula_number(formula, &table_batch, 0, TABLE_ROWS, scratch,
                             block);
        memcpy(out->numbers, block, sizeof out->numbers);
    } else {
        hanse_formula_condition(formula, &table_batch, 0, TABLE_ROWS, scratch,
                                (uint8_t *)block);
        memcpy(out->kept, block, sizeof out->kept);
    }
    hanse_free(NULL, block, HANSE_BLOCK_ROWS, sizeof(double));
    hanse_free(NULL, scratch, size_bytes, 1);
}

static void try_formula(const char *text, hanse_formula_want want, outcome *out)
{
    hanse_formula *formula = NULL;
    hanse_error error = {0};
    out->status = hanse_formula_compile(text, "fuzz", &table_schema, want,
                                        &formula, &error);
    CHECK((out->status == HANSE_OK) == (formula != NULL));
    if (formula == NULL) {
        check_message(&error, out->status);
        return;
    }
    check_fields(formula);
    evaluate(formula, want, out);
    hanse_formula_destroy(formula);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    CHECK(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    outcome number = {0};
    outcome condition = {0};
    try_formula(text, HANSE_WANT_NUMBER, &number);
    try_formula(text, HANSE_WANT_CONDITION, &condition);
    if (condition.status == HANSE_OK) {
        CHECK(number.status == HANSE_OK);
        for (size_t i = 0; i < TABLE_ROWS; i++)
            CHECK(condition.kept[i] == (number.numbers[i] == 1.0));
    }
    free(text);
    return 0;
}
