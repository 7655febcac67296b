/* SPDX-License-Identifier: Apache-2.0
 *
 * Mapping tables in CSV. An empty field without quotes is missing: a row
 * without a `from` maps nothing, a value without a `to` is mapped to missing.
 */
#include <string.h>

#include "io/csv.h"
#include "io/key_maps.h"

enum {
    MAX_SUGGESTED = 256
};

/* Index of a column of the table. */
static hanse_status find_column(const hanse_map_load *load,
                                const hanse_csv *csv, const char *name,
                                size_t *out, hanse_error *error)
{
    const char *names[MAX_SUGGESTED];
    size_t n_fields;
    const hanse_csv_field *header = hanse_csv_header(csv, &n_fields);
    *out = hanse_csv_find(csv, name);
    if (*out != SIZE_MAX)
        return HANSE_OK;
    const size_t n = n_fields < MAX_SUGGESTED ? n_fields : MAX_SUGGESTED;
    for (size_t i = 0; i < n; i++)
        names[i] = header[i].text;
    const char *nearest = hanse_suggest(name, names, n);
    return hanse_fail(
        error, HANSE_ERR_SPEC, "%s: %s lacks the column '%s'%s%s%s", load->key,
        load->file, name, nearest != NULL ? ", did you mean '" : "",
        nearest != NULL ? nearest : "",
        nearest != NULL ? "'?" : "; its first line names them");
}

/* [-+] digits, as an integer of at most 65 bits. */
static bool parse_integer(const hanse_csv_field *field, __int128 *out)
{
    const bool negative = field->text[0] == '-';
    size_t i = negative || field->text[0] == '+' ? 1 : 0;
    const __int128 most = (__int128)1 << 64;
    __int128 value = 0;
    if (i == field->n)
        return false;
    for (; i < field->n; i++) {
        if (field->text[i] < '0' || field->text[i] > '9')
            return false;
        value = value * 10 + (field->text[i] - '0');
        value = value > most ? most : value; /* fits no column either way */
    }
    *out = negative ? -value : value;
    return true;
}

static hanse_status add_record(const hanse_map_load *load, const hanse_csv *csv,
                               hanse_mapping *mapping,
                               const hanse_csv_field *from,
                               const hanse_csv_field *to, hanse_error *error)
{
    hanse_mapping_value source = {.text = from->text, .n_text = from->n};
    const hanse_mapping_value target = {.text = to->text,
                                        .n_text = to->n,
                                        .missing = to->n == 0 && !to->quoted};
    uint64_t conflict;
    if (from->n == 0 && !from->quoted)
        return HANSE_OK;
    if (!hanse_mapping_from_text(mapping)) {
        __int128 value = 0;
        if (!parse_integer(from, &value))
            return hanse_csv_fail(csv, from, error, HANSE_ERR_FORMAT,
                                  "%s: '%.60s' is no integer, but the column "
                                  "'%s' of the input is %s",
                                  load->key, from->text, load->field->name,
                                  hanse_type_name(load->field->type));
        if (!hanse_map_fits(load, value))
            return HANSE_OK; /* no row of the input has it */
        source.integer = (int64_t)value;
    }
    HANSE_TRY(hanse_mapping_add(mapping, &source, &target, from->line,
                                &conflict, error));
    if (conflict == UINT64_MAX)
        return HANSE_OK;
    return hanse_csv_fail(csv, from, error, HANSE_ERR_FORMAT,
                          "%s: '%.60s' is mapped to '%.60s' here, and to "
                          "something else in line %llu; a value may have one "
                          "target",
                          load->key, from->text, to->text,
                          (unsigned long long)conflict);
}

static hanse_status add_records(const hanse_map_load *load, hanse_csv *csv,
                                hanse_mapping *mapping, hanse_error *error)
{
    size_t from, to;
    HANSE_TRY(find_column(load, csv, load->from, &from, error));
    HANSE_TRY(find_column(load, csv, load->to, &to, error));
    for (;;) {
        const hanse_csv_field *fields;
        HANSE_TRY(hanse_csv_next(csv, &fields, error));
        if (fields == NULL)
            return hanse_mapping_finish(mapping, true, error);
        HANSE_TRY(
            add_record(load, csv, mapping, &fields[from], &fields[to], error));
    }
}

hanse_status hanse_map_load_csv(const hanse_map_load *load, hanse_mapping **out,
                                hanse_error *error)
{
    const hanse_csv_options options = {.budget = load->budget};
    const bool from_text =
        load->field->type == HANSE_TEXT || load->field->n_labels > 0;
    hanse_csv *csv;
    hanse_mapping *mapping;
    HANSE_TRY(hanse_csv_open(load->file, &options, &csv, error));
    hanse_status status =
        hanse_mapping_create(from_text, true, load->budget, &mapping, error);
    if (status == HANSE_OK) {
        status = add_records(load, csv, mapping, error);
        if (status == HANSE_OK)
            *out = mapping;
        else
            hanse_mapping_release(mapping);
    }
    hanse_csv_close(csv);
    return status;
}
