/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys that are defined by a call, as in `bin(employees, 10, 50, 250)` and
 * `map(region, 'regions.csv', code, cluster)`: the calls of the language of
 * keys, whose arguments are pieces of text.
 */
#ifndef HANSE_ENGINE_KEY_CALL_H
#define HANSE_ENGINE_KEY_CALL_H

#include "engine/formula_internal.h"

enum {
    HANSE_KEY_CALL_MAX = 1024 /* arguments */
};

/* One argument: bytes begin to end - 1 of the definition. */
typedef struct hanse_key_argument {
    size_t begin, end;
    hanse_formula_token_kind kind; /* of its first token */
    size_t n_tokens;
} hanse_key_argument;

typedef struct hanse_key_call {
    hanse_formula_source source; /* the definition, borrowed */
    hanse_key_argument *arguments;
    size_t n_arguments;
} hanse_key_call;

/* Whether a definition is a call of `name`, and nothing else. */
bool hanse_key_call_is(const char *definition, const char *name);

/* Takes a call apart. `what` begins messages and, like the definition, must
 * outlive the call. HANSE_ERR_FORMULA with a caret where an argument is
 * empty. */
hanse_status hanse_key_call_parse(const char *definition, const char *what,
                                  hanse_key_call *out, hanse_error *error);
void hanse_key_call_clear(hanse_key_call *call);

/* The text of an argument as it stands, from malloc; NULL without memory. */
char *hanse_key_call_text(const hanse_key_call *call, size_t argument);

/* The name or text that an argument is, without quotes, from malloc.
 * HANSE_ERR_FORMULA when it is something else; `expected` says what it should
 * be, as in "a column". */
hanse_status hanse_key_call_name(const hanse_key_call *call, size_t argument,
                                 const char *expected, char **out);

/* Fails at an argument. */
__attribute__((format(printf, 4, 5))) hanse_status
hanse_key_call_fault(const hanse_key_call *call, size_t argument,
                     hanse_status status, const char *format, ...);

#endif
