/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of a plan: columns, and keys that the specification defines.
 */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/key_call.h"
#include "engine/plan.h"

static void clear_key(hanse_plan_key *key)
{
    /* Those of a mapping belong to it. */
    for (size_t l = 0; key->mapping == NULL && l < key->n_labels; l++)
        free((char *)(uintptr_t)key->labels[l].text);
    if (key->mapping == NULL)
        free(key->labels);
    free(key->name);
    free(key->long_name);
    free(key->units);
    free(key->definition);
    free(key->bins.numbers);
    free(key->bins.integers);
    hanse_formula_destroy(key->formula);
    hanse_mapping_release(key->mapping);
}

void hanse_plan_clear_keys(hanse_plan *plan)
{
    for (size_t i = 0; i < plan->n_keys; i++)
        clear_key(&plan->keys[i]);
    free(plan->keys);
}

static hanse_status nomem(hanse_error *error)
{
    return hanse_fail_nomem(error, "plan's keys", sizeof(hanse_plan_key));
}

/* Copies a text that may be NULL; false when memory is exhausted. */
static bool copy_text(char **out, const char *text)
{
    *out = hanse_text_copy(text);
    return text == NULL || *out != NULL;
}

/* ---- Labels ------------------------------------------------------------- */

/* By code; of several texts of one code the first by text counts. */
static int compare_labels(const void *a, const void *b)
{
    const hanse_label *x = a, *y = b;
    if (x->code != y->code)
        return x->code < y->code ? -1 : 1;
    return strcmp(x->text, y->text);
}

static bool copy_labels(hanse_plan_key *key, const hanse_label *labels,
                        size_t n)
{
    if (n == 0)
        return true;
    key->labels = calloc(n, sizeof *key->labels);
    if (key->labels == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        key->labels[i].code = labels[i].code;
        key->labels[i].text = hanse_text_copy(labels[i].text);
        key->n_labels++;
        if (key->labels[i].text == NULL)
            return false;
    }
    qsort(key->labels, key->n_labels, sizeof *key->labels, compare_labels);
    return true;
}

/* ---- Columns ------------------------------------------------------------ */

static hanse_status use_column(hanse_plan_key *key, const hanse_schema *schema,
                               size_t field, hanse_error *error)
{
    const hanse_field *f = &schema->fields[field];
    key->source = HANSE_KEY_COLUMN;
    key->field = field;
    key->type = f->type;
    key->missing_code = f->missing_code;
    if (!copy_text(&key->long_name, f->long_name) ||
        !copy_text(&key->units, f->units) ||
        !copy_labels(key, f->labels, f->n_labels))
        return nomem(error);
    return HANSE_OK;
}

static bool is_float(hanse_type type)
{
    return type == HANSE_FLOAT32 || type == HANSE_FLOAT64;
}

static hanse_status resolve_column(hanse_plan_key *key,
                                   const hanse_schema *schema,
                                   hanse_error *error)
{
    const size_t field = hanse_schema_find(schema, key->name);
    if (field == SIZE_MAX)
        return hanse_fail_column(error, "group by", key->name, schema);
    const hanse_type type = schema->fields[field].type;
    if (is_float(type))
        return hanse_fail(error, HANSE_ERR_TYPE,
                          "group by: column '%s' is %s; a key must be an "
                          "integer, bool or text column, or a key made from "
                          "it, as in size=bin(x, 10, 50) or year=floor(x)",
                          key->name, hanse_type_name(type));
    return use_column(key, schema, field, error);
}

/* ---- Bins --------------------------------------------------------------- */

/* The number that an edge is: [-] digits, correctly rounded; also exactly,
 * where it is an integer literal of at most 18 digits. */
static hanse_status parse_edge(const hanse_key_call *call, size_t argument,
                               double *number, __int128 *integer)
{
    const hanse_key_argument *a = &call->arguments[argument];
    const char *text = call->source.text + a->begin;
    hanse_formula_token token;
    HANSE_TRY(hanse_formula_next(&call->source, a->begin, &token));
    const bool negative = token.kind == TOKEN_MINUS;
    if (negative)
        HANSE_TRY(hanse_formula_next(&call->source, token.end, &token));
    if (token.end != a->end ||
        (token.kind != TOKEN_INTEGER && token.kind != TOKEN_NUMBER))
        return hanse_key_call_fault(call, argument, HANSE_ERR_FORMULA,
                                    "an edge of a bin is a number");
    text = call->source.text + token.begin;
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0)
        return hanse_fail_nomem(call->source.error, "number", sizeof(double));
    *number = strtod_l(text, NULL, c_locale);
    freelocale(c_locale);
    if (isinf(*number))
        return hanse_key_call_fault(call, argument, HANSE_ERR_FORMULA,
                                    "the number is too large (above "
                                    "1.797e308)");
    *number = negative ? -*number : *number;
    if (token.kind == TOKEN_INTEGER && token.end - token.begin <= 20) {
        *integer = 0;
        for (size_t i = token.begin; i < token.end; i++)
            *integer = *integer * 10 + (call->source.text[i] - '0');
        *integer = negative ? -*integer : *integer;
        /* The least binary64 that reaches an integer that is none. */
        if ((__int128)*number < *integer)
            *number = nextafter(*number, INFINITY);
        return HANSE_OK;
    }
    const double least = ceil(*number);
    *integer = least > 0x1p+65    ? (__int128)1 << 65
               : least < -0x1p+65 ? -((__int128)1 << 65)
                                  : (__int128)least;
    return HANSE_OK;
}

/* Sets the integer edges, as int64 values of the order that the values have. */
static void set_integers(hanse_bins *bins, const __int128 *integers,
                         bool is_unsigned)
{
    const __int128 shift = is_unsigned ? (__int128)1 << 63 : 0;
    for (size_t i = 0; i < bins->n; i++) {
        const __int128 edge = integers[i] - shift;
        if (edge <= INT64_MIN)
            bins->n_reached++;
        else if (edge <= INT64_MAX)
            bins->integers[bins->n_integers++] = (int64_t)edge;
    }
}

static hanse_status parse_edges(hanse_bins *bins, const hanse_key_call *call,
                                bool is_unsigned)
{
    hanse_error *error = call->source.error;
    bins->n = call->n_arguments - 1;
    bins->numbers = calloc(bins->n, sizeof *bins->numbers);
    bins->integers = calloc(bins->n, sizeof *bins->integers);
    __int128 *integers = calloc(bins->n, sizeof *integers);
    hanse_status status = HANSE_OK;
    if (bins->numbers == NULL || bins->integers == NULL || integers == NULL)
        status = nomem(error);
    for (size_t i = 0; i < bins->n && status == HANSE_OK; i++) {
        status = parse_edge(call, i + 1, &bins->numbers[i], &integers[i]);
        if (status == HANSE_OK && i > 0 &&
            (bins->numbers[i] < bins->numbers[i - 1] ||
             (bins->numbers[i] == bins->numbers[i - 1] &&
              integers[i] <= integers[i - 1])))
            status = hanse_key_call_fault(
                call, i + 1, HANSE_ERR_FORMULA,
                "the edges of the bins must ascend; this one is not above the "
                "one before");
    }
    if (status == HANSE_OK)
        set_integers(bins, integers, is_unsigned);
    free(integers);
    return status;
}

/* "<10", "10-50", ">=50", from the edges as they are written; "-5 to 5" where
 * an edge is negative. */
static hanse_status label_bins(hanse_plan_key *key, const hanse_key_call *call)
{
    const size_t n_edges = key->bins.n;
    const char *between = key->bins.numbers[0] < 0 ? " to " : "-";
    key->labels = calloc(n_edges + 1, sizeof *key->labels);
    if (key->labels == NULL)
        return nomem(call->source.error);
    char *before = NULL;
    for (size_t i = 0; i <= n_edges; i++) {
        char *edge =
            i < n_edges ? hanse_key_call_text(call, i + 1) : strdup("");
        char *text = NULL;
        int length = -1;
        if (edge != NULL && i == 0)
            length = asprintf(&text, "<%s", edge);
        else if (edge != NULL && i < n_edges)
            length = asprintf(&text, "%s%s%s", before, between, edge);
        else if (edge != NULL)
            length = asprintf(&text, ">=%s", before);
        free(before);
        before = edge;
        if (length < 0) {
            free(before);
            return nomem(call->source.error);
        }
        key->labels[key->n_labels++] = (hanse_label){(int64_t)i, text};
    }
    free(before);
    return HANSE_OK;
}

static hanse_status fill_bins(hanse_plan_key *key, const hanse_schema *schema,
                              const hanse_key_call *call)
{
    size_t field;
    if (call->n_arguments < 2)
        return hanse_key_call_fault(call, 0, HANSE_ERR_FORMULA,
                                    "bin takes a number and at least one "
                                    "edge, as in bin(employees, 10, 50)");
    char *value = hanse_key_call_text(call, 0);
    if (value == NULL)
        return nomem(call->source.error);
    const hanse_status status = hanse_formula_compile(
        value, call->source.what, schema, HANSE_WANT_NUMBER, &key->formula,
        call->source.error);
    free(value);
    HANSE_TRY(status);
    hanse_type type = HANSE_FLOAT64;
    if (hanse_formula_is_field(key->formula, &field))
        type = schema->fields[field].type;
    key->bins.as_integers = !is_float(type);
    HANSE_TRY(parse_edges(&key->bins, call, type == HANSE_UINT64));
    return label_bins(key, call);
}

static hanse_status resolve_bins(hanse_plan_key *key,
                                 const hanse_schema *schema, const char *what,
                                 hanse_error *error)
{
    hanse_key_call call;
    key->source = HANSE_KEY_BINS;
    key->by_code = true;
    HANSE_TRY(hanse_key_call_parse(key->definition, what, &call, error));
    const hanse_status status = fill_bins(key, schema, &call);
    hanse_key_call_clear(&call);
    return status;
}

/* ---- Other definitions -------------------------------------------------- */

static hanse_status resolve_formula(hanse_plan_key *key,
                                    const hanse_schema *schema,
                                    const char *what, hanse_error *error)
{
    size_t field;
    HANSE_TRY(hanse_formula_compile(key->definition, what, schema,
                                    HANSE_WANT_EITHER, &key->formula, error));
    if (hanse_formula_is_field(key->formula, &field) &&
        !is_float(schema->fields[field].type))
        return use_column(key, schema, field, error);
    if (hanse_formula_gives(key->formula) == HANSE_WANT_CONDITION) {
        key->source = HANSE_KEY_CONDITION;
        key->type = HANSE_BOOL;
        key->missing_code = INT8_MIN;
    } else {
        key->source = HANSE_KEY_FORMULA;
    }
    return HANSE_OK;
}

static hanse_status resolve_mapping(hanse_plan_key *key,
                                    const hanse_spec_key *from,
                                    const hanse_schema *schema,
                                    const char *what, hanse_error *error)
{
    const hanse_label *labels;
    const size_t n_labels = hanse_mapping_labels(from->mapping, &labels);
    key->source = HANSE_KEY_MAPPING;
    key->by_code = true;
    key->mapping = hanse_mapping_share(from->mapping);
    key->field = hanse_schema_find(schema, from->column);
    if (key->field == SIZE_MAX)
        return hanse_fail_column(error, what, from->column, schema);
    const hanse_type type = schema->fields[key->field].type;
    if (is_float(type) ||
        (type == HANSE_TEXT) != hanse_mapping_from_text(from->mapping))
        return hanse_fail(error, HANSE_ERR_TYPE,
                          "%s: column '%s' is %s, which the mapping does not "
                          "map",
                          what, from->column, hanse_type_name(type));
    key->labels = (hanse_label *)(uintptr_t)labels;
    key->n_labels = n_labels;
    return HANSE_OK;
}

/* A text column, too, may be given another name, though it is no formula: its
 * name stands alone, perhaps in backquotes. */
static hanse_status find_text_column(const hanse_schema *schema,
                                     const char *definition, size_t *field,
                                     hanse_error *error)
{
    hanse_key_call call = {
        .source = {definition, strlen(definition), "key", NULL}};
    hanse_formula_token token, rest;
    char *name;
    *field = SIZE_MAX;
    if (hanse_formula_next(&call.source, 0, &token) != HANSE_OK ||
        (token.kind != TOKEN_NAME && token.kind != TOKEN_QUOTED_NAME) ||
        hanse_formula_next(&call.source, token.end, &rest) != HANSE_OK ||
        rest.kind != TOKEN_END)
        return HANSE_OK;
    hanse_key_argument argument = {token.begin, token.end, token.kind, 1};
    call.arguments = &argument;
    if (hanse_key_call_name(&call, 0, "a column", &name) != HANSE_OK)
        return nomem(error);
    *field = hanse_schema_find(schema, name);
    if (*field != SIZE_MAX && schema->fields[*field].type != HANSE_TEXT)
        *field = SIZE_MAX;
    free(name);
    return HANSE_OK;
}

static hanse_status resolve_definition(hanse_plan_key *key,
                                       const hanse_spec_key *from,
                                       const hanse_schema *schema,
                                       hanse_error *error)
{
    char what[256];
    size_t field;
    snprintf(what, sizeof what, "key '%s'", from->name);
    key->type = HANSE_INT64;
    key->missing_code = INT64_MIN;
    if (!copy_text(&key->definition, from->definition))
        return nomem(error);
    HANSE_TRY(find_text_column(schema, from->definition, &field, error));
    if (field != SIZE_MAX)
        return use_column(key, schema, field, error);
    hanse_status status;
    if (from->mapping != NULL)
        status = resolve_mapping(key, from, schema, what, error);
    else if (hanse_key_call_is(from->definition, "bin"))
        status = resolve_bins(key, schema, what, error);
    else
        status = resolve_formula(key, schema, what, error);
    if (status == HANSE_OK && key->long_name == NULL &&
        !copy_text(&key->long_name, from->definition))
        status = nomem(error);
    return status;
}

/* ---- All ---------------------------------------------------------------- */

hanse_status hanse_plan_find_key(hanse_plan *plan, const hanse_spec *spec,
                                 const hanse_schema *schema, const char *name,
                                 size_t *out, hanse_error *error)
{
    for (size_t i = 0; i < plan->n_keys; i++) {
        if (strcmp(plan->keys[i].name, name) == 0) {
            *out = i;
            return HANSE_OK;
        }
    }
    hanse_plan_key *larger =
        realloc(plan->keys, (plan->n_keys + 1) * sizeof *larger);
    if (larger == NULL)
        return nomem(error);
    plan->keys = larger;
    hanse_plan_key *key = &plan->keys[plan->n_keys++];
    *key = (hanse_plan_key){.field = SIZE_MAX};
    if (!copy_text(&key->name, name))
        return nomem(error);
    *out = plan->n_keys - 1;
    const hanse_spec_key *defined = hanse_spec_find_key(spec, name);
    return defined != NULL ? resolve_definition(key, defined, schema, error)
                           : resolve_column(key, schema, error);
}

/* Whether codes stand for the same texts. */
static bool same_labels(const hanse_plan_key *a, const hanse_plan_key *b)
{
    if (a->n_labels != b->n_labels)
        return false;
    for (size_t i = 0; i < a->n_labels; i++)
        if (compare_labels(&a->labels[i], &b->labels[i]) != 0)
            return false;
    return true;
}

static bool same_mapping(const hanse_mapping *a, const hanse_mapping *b)
{
    return a == b || (a != NULL && b != NULL && hanse_mapping_equal(a, b));
}

bool hanse_plan_same_key(const hanse_plan_key *a, const hanse_plan_key *b)
{
    const bool same_definition =
        a->definition == b->definition ||
        (a->definition != NULL && b->definition != NULL &&
         strcmp(a->definition, b->definition) == 0);
    return strcmp(a->name, b->name) == 0 && a->type == b->type &&
           same_definition && same_labels(a, b) &&
           same_mapping(a->mapping, b->mapping);
}
