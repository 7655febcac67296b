/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls in definitions of keys, cut with the tokens of formulas.
 */
#include "engine/key_call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

bool hanse_key_call_is(const char *definition, const char *name)
{
    const hanse_formula_source source = {definition, strlen(definition), "key",
                                         NULL};
    hanse_formula_token token;
    size_t depth = 0;
    if (hanse_formula_next(&source, 0, &token) != HANSE_OK ||
        token.kind != TOKEN_NAME || token.end - token.begin != strlen(name) ||
        memcmp(definition + token.begin, name, strlen(name)) != 0)
        return false;
    if (hanse_formula_next(&source, token.end, &token) != HANSE_OK ||
        token.kind != TOKEN_LEFT)
        return false;
    for (;;) {
        depth += token.kind == TOKEN_LEFT;
        depth -= token.kind == TOKEN_RIGHT;
        if (hanse_formula_next(&source, token.end, &token) != HANSE_OK ||
            token.kind == TOKEN_END)
            return true; /* parsing it finds what is wrong */
        if (depth == 0)
            return false; /* more follows: a formula */
    }
}

/* Ends the argument that begins after `after`. */
static hanse_status add_argument(hanse_key_call *call,
                                 const hanse_key_argument *argument,
                                 const hanse_formula_token *after)
{
    const hanse_formula_source *source = &call->source;
    if (argument->n_tokens == 0)
        return hanse_formula_fault(source, HANSE_ERR_FORMULA, after->begin,
                                   after->end, "an argument is missing here");
    if (call->n_arguments == HANSE_KEY_CALL_MAX)
        return hanse_formula_fault(source, HANSE_ERR_FORMULA, argument->begin,
                                   argument->end, "more than %d arguments",
                                   HANSE_KEY_CALL_MAX);
    hanse_key_argument *larger = realloc(
        call->arguments, (call->n_arguments + 1) * sizeof *call->arguments);
    if (larger == NULL)
        return hanse_fail_nomem(source->error, "key", sizeof *larger);
    call->arguments = larger;
    call->arguments[call->n_arguments++] = *argument;
    return HANSE_OK;
}

/* From the token after the bracket to the end. */
static hanse_status parse_arguments(hanse_key_call *call,
                                    const hanse_formula_token *bracket)
{
    const hanse_formula_source *source = &call->source;
    hanse_formula_token token = *bracket;
    hanse_key_argument argument = {0};
    size_t depth = 1;
    while (depth > 0) {
        HANSE_TRY(hanse_formula_next(source, token.end, &token));
        if (token.kind == TOKEN_END)
            return hanse_formula_fault(source, HANSE_ERR_FORMULA,
                                       bracket->begin, bracket->end,
                                       "the bracket is not closed");
        depth += token.kind == TOKEN_LEFT;
        depth -= token.kind == TOKEN_RIGHT;
        if (depth == 0 || (depth == 1 && token.kind == TOKEN_COMMA)) {
            HANSE_TRY(add_argument(call, &argument, &token));
            argument = (hanse_key_argument){0};
            continue;
        }
        if (argument.n_tokens++ == 0) {
            argument.begin = token.begin;
            argument.kind = token.kind;
        }
        argument.end = token.end;
    }
    return HANSE_OK;
}

hanse_status hanse_key_call_parse(const char *definition, const char *what,
                                  hanse_key_call *out, hanse_error *error)
{
    hanse_key_call call = {
        .source = {definition, strlen(definition), what, error}};
    hanse_formula_token token;
    HANSE_TRY(hanse_formula_next(&call.source, 0, &token));
    HANSE_TRY(hanse_formula_next(&call.source, token.end, &token));
    const hanse_status status = parse_arguments(&call, &token);
    if (status != HANSE_OK) {
        hanse_key_call_clear(&call);
        return status;
    }
    *out = call;
    return HANSE_OK;
}

void hanse_key_call_clear(hanse_key_call *call)
{
    free(call->arguments);
    call->arguments = NULL;
    call->n_arguments = 0;
}

char *hanse_key_call_text(const hanse_key_call *call, size_t argument)
{
    const hanse_key_argument *a = &call->arguments[argument];
    return strndup(call->source.text + a->begin, a->end - a->begin);
}

hanse_status hanse_key_call_name(const hanse_key_call *call, size_t argument,
                                 const char *expected, char **out)
{
    const hanse_key_argument *a = &call->arguments[argument];
    const bool quoted = a->kind == TOKEN_TEXT || a->kind == TOKEN_QUOTED_NAME;
    if (a->n_tokens != 1 || (!quoted && a->kind != TOKEN_NAME))
        return hanse_key_call_fault(call, argument, HANSE_ERR_FORMULA,
                                    "expected %s here; quote a name that is "
                                    "not just letters, digits and _",
                                    expected);
    char *text = hanse_key_call_text(call, argument);
    if (text == NULL)
        return hanse_fail_nomem(call->source.error, "key", a->end - a->begin);
    if (quoted) {
        const char quote = text[0];
        const size_t n = strlen(text) - 1;
        size_t n_out = 0;
        for (size_t i = 1; i < n; i++) {
            text[n_out++] = text[i];
            i += text[i] == quote;
        }
        text[n_out] = '\0';
    }
    if (text[0] == '\0') {
        free(text);
        return hanse_key_call_fault(call, argument, HANSE_ERR_FORMULA,
                                    "expected %s here, found an empty text",
                                    expected);
    }
    *out = text;
    return HANSE_OK;
}

hanse_status hanse_key_call_fault(const hanse_key_call *call, size_t argument,
                                  hanse_status status, const char *format, ...)
{
    char message[300];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    const hanse_key_argument *a = &call->arguments[argument];
    return hanse_formula_fault(&call->source, status, a->begin, a->end, "%s",
                               message);
}
