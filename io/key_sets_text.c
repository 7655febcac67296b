/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of an entry of `--by`:
 *
 *     entry:      element { "," element }
 *     element:    ("rollup" | "cube") "(" key { "," key } ")" | key { ">" key }
 *     key:        name [ "=" definition ]
 *
 * A name is anything up to one of , > ( ) = or in backquotes; a definition
 * goes to the comma or bracket that ends the element, past brackets and quotes
 * of its own.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "io/key_sets.h"

typedef struct parser {
    hanse_job *job;
    const char *text;
    const char *at;
    hanse_error *error;
} parser;

#define FAULT(p, ...) hanse_fail((p)->error, HANSE_ERR_SPEC, __VA_ARGS__)

static void skip_blanks(parser *p)
{
    p->at += strspn(p->at, " \t\r\n");
}

static size_t without_blanks(const char *text, size_t n)
{
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    return n;
}

/* A name in backquotes; a backquote in it is doubled. */
static hanse_status parse_quoted(parser *p, char **out)
{
    char *name = malloc(strlen(p->at) + 1);
    size_t n = 0;
    if (name == NULL)
        return hanse_fail_nomem(p->error, "job", strlen(p->at));
    const char *c = p->at + 1;
    while (*c != '\0' && (*c != '`' || c[1] == '`')) {
        name[n++] = *c;
        c += *c == '`' ? 2 : 1;
    }
    name[n] = '\0';
    if (*c == '\0' || n == 0) {
        free(name);
        return FAULT(p, "grouping '%s': %s", p->text,
                     *c == '\0' ? "a backquote is not closed"
                                : "a name between the backquotes is missing");
    }
    p->at = c + 1;
    *out = name;
    return HANSE_OK;
}

static hanse_status parse_name(parser *p, char **out)
{
    skip_blanks(p);
    if (*p->at == '`')
        return parse_quoted(p, out);
    const size_t n_all = strcspn(p->at, ",>()=");
    const size_t n = without_blanks(p->at, n_all);
    if (n == 0)
        return FAULT(p, "grouping '%s': a name is missing around a comma",
                     p->text);
    *out = strndup(p->at, n);
    if (*out == NULL)
        return hanse_fail_nomem(p->error, "job", n);
    p->at += n_all;
    return HANSE_OK;
}

/* Bytes up to the comma or bracket that ends a definition. */
static size_t definition_length(const char *text)
{
    size_t depth = 0;
    char quote = '\0';
    for (const char *c = text;; c++) {
        if (*c == '\0')
            return (size_t)(c - text);
        if (quote != '\0') {
            quote = *c == quote ? '\0' : quote;
        } else if (*c == '\'' || *c == '"' || *c == '`') {
            quote = *c;
        } else if (*c == '(') {
            depth++;
        } else if (depth == 0 && (*c == ',' || *c == ')')) {
            return (size_t)(c - text);
        } else if (*c == ')') {
            depth--;
        }
    }
}

static hanse_status parse_definition(parser *p, const char *name)
{
    p->at++;
    skip_blanks(p);
    const size_t n_all = definition_length(p->at);
    const size_t n = without_blanks(p->at, n_all);
    if (n == 0)
        return FAULT(p,
                     "grouping '%s': the definition of the key '%s' is "
                     "missing after =",
                     p->text, name);
    char *definition = strndup(p->at, n);
    if (definition == NULL)
        return hanse_fail_nomem(p->error, "job", n);
    const hanse_status status =
        hanse_job_put_key(p->job, name, definition, p->error);
    free(definition);
    p->at += n_all;
    return status;
}

static hanse_status fail_formula(parser *p)
{
    return FAULT(p,
                 "grouping '%s': a key that is a formula needs a name, as "
                 "in large=employees>=250 or year=floor(date/10000)",
                 p->text);
}

/* Whether a comparison begins where a name has ended. */
static bool is_comparison(const parser *p)
{
    return (p->at[0] == '>' || p->at[0] == '=') && p->at[1] == '=';
}

/* A name and what defines it; the name joins the element. */
static hanse_status parse_rest_of_key(parser *p, const char *name,
                                      hanse_set_element *element)
{
    if (*p->at == '(' || is_comparison(p))
        return fail_formula(p);
    HANSE_TRY(hanse_text_list_add(&element->keys, name, p->error));
    return *p->at == '=' ? parse_definition(p, name) : HANSE_OK;
}

static hanse_status parse_key(parser *p, hanse_set_element *element)
{
    char *name;
    HANSE_TRY(parse_name(p, &name));
    skip_blanks(p);
    const hanse_status status = parse_rest_of_key(p, name, element);
    free(name);
    skip_blanks(p);
    return status;
}

/* From the opening to the closing bracket. */
static hanse_status parse_set(parser *p, hanse_set_element *element)
{
    do {
        p->at++;
        HANSE_TRY(parse_key(p, element));
    } while (*p->at == ',');
    if (*p->at == '>')
        return FAULT(p,
                     "grouping '%s': within brackets keys stand between "
                     "commas",
                     p->text);
    if (*p->at != ')')
        return FAULT(p, "grouping '%s': a bracket is not closed", p->text);
    p->at++;
    skip_blanks(p);
    return HANSE_OK;
}

static hanse_status parse_hierarchy(parser *p, const char *name,
                                    hanse_set_element *element)
{
    HANSE_TRY(parse_rest_of_key(p, name, element));
    skip_blanks(p);
    while (*p->at == '>') {
        element->kind = HANSE_SET_ROLLUP;
        p->at++;
        HANSE_TRY(parse_key(p, element));
    }
    return HANSE_OK;
}

static hanse_status parse_element(parser *p, hanse_set_list *list)
{
    char *name;
    hanse_set_element *element;
    hanse_status status;
    skip_blanks(p);
    const bool quoted = *p->at == '`';
    HANSE_TRY(hanse_set_list_add(list, HANSE_SET_KEY, &element, p->error));
    HANSE_TRY(parse_name(p, &name));
    skip_blanks(p);
    if (*p->at == '(' && !quoted && strcmp(name, "rollup") == 0)
        element->kind = HANSE_SET_ROLLUP;
    else if (*p->at == '(' && !quoted && strcmp(name, "cube") == 0)
        element->kind = HANSE_SET_CUBE;
    if (element->kind != HANSE_SET_KEY)
        status = parse_set(p, element);
    else
        status = parse_hierarchy(p, name, element);
    free(name);
    return status;
}

hanse_status hanse_set_list_parse(hanse_job *job, const char *text,
                                  hanse_set_list *list, hanse_error *error)
{
    parser p = {job, text, text, error};
    for (;;) {
        HANSE_TRY(parse_element(&p, list));
        if (*p.at == '\0')
            return HANSE_OK;
        if (*p.at == ')')
            return FAULT(&p, "grouping '%s': no bracket is open before the )",
                         text);
        if (*p.at != ',')
            return FAULT(&p, "grouping '%s': expected a comma before '%.40s'",
                         text, p.at);
        p.at++;
    }
}
