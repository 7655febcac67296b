/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading one table of a result file back: its `keys` attribute tells keys from
 * columns.
 */
#include "io/result_read.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "io/result_attributes.h"

/* A table while its datasets are read. */
typedef struct table_reader {
    hanse_result_reader *reader;
    hid_t group;
    const char *name;
    char **flag_names; /* per key, from the arena; NULL: none */
    hanse_column *keys;
    hanse_column *columns;
    size_t n_keys;
    size_t n_columns;
    size_t n_rows;
    bool *key_found;
    const char **groups;
    size_t n_groups;
    size_t n_datasets;
    bool has_rows; /* n_rows is known */
} table_reader;

/* ---- Members of a group ------------------------------------------------- */

bool hanse_result_members_list(hid_t group, hanse_result_members *out)
{
    H5G_info_t info;
    unsigned order = 0;
    if (H5Gget_info(group, &info) < 0 || info.nlinks > HANSE_MAX_RESULT_OBJECTS)
        return false;
    const hid_t list = H5Gget_create_plist(group);
    if (list < 0)
        return false;
    const bool known = H5Pget_link_creation_order(list, &order) >= 0;
    (void)H5Pclose(list);
    out->group = group;
    out->n = (size_t)info.nlinks;
    out->index = (order & H5P_CRT_ORDER_INDEXED) != 0 ? H5_INDEX_CRT_ORDER
                                                      : H5_INDEX_NAME;
    return known;
}

char *hanse_result_member_name(hanse_result_reader *reader,
                               const hanse_result_members *m, size_t i)
{
    H5L_info_t info;
    if (H5Lget_info_by_idx(m->group, ".", m->index, H5_ITER_INC, i, &info,
                           H5P_DEFAULT) < 0 ||
        info.type != H5L_TYPE_HARD)
        return NULL;
    const ssize_t length = H5Lget_name_by_idx(
        m->group, ".", m->index, H5_ITER_INC, i, NULL, 0, H5P_DEFAULT);
    if (length <= 0 || length > HANSE_MAX_RESULT_OBJECTS)
        return NULL;
    char *name = hanse_arena_take(&reader->arena, (size_t)length + 1);
    if (name == NULL ||
        H5Lget_name_by_idx(m->group, ".", m->index, H5_ITER_INC, i, name,
                           (size_t)length + 1, H5P_DEFAULT) != length)
        return NULL;
    return name;
}

/* ---- Keys --------------------------------------------------------------- */

/* Splits the blank-separated list in place; names[] has room for all. */
static size_t split_names(char *list, const char **names)
{
    size_t n = 0;
    char *rest = list;
    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        if (*word != '\0')
            names[n++] = word;
    return n;
}

static hanse_status read_key_names(table_reader *t, hanse_error *error)
{
    hanse_arena *arena = &t->reader->arena;
    char *list = hanse_attribute_get_text(t->group, HANSE_ATTRIBUTE_KEYS);
    const size_t room = list == NULL ? 1 : strlen(list) / 2 + 1;
    char *copy = hanse_arena_copy(arena, list == NULL ? "" : list);
    free(list);
    const char **names = hanse_arena_take(arena, room * sizeof *names);
    t->keys = hanse_arena_take(arena, room * sizeof *t->keys);
    t->flag_names = hanse_arena_take(arena, room * sizeof *t->flag_names);
    t->key_found = hanse_arena_take(arena, room * sizeof *t->key_found);
    if (copy == NULL || names == NULL || t->keys == NULL ||
        t->flag_names == NULL || t->key_found == NULL)
        return hanse_fail_nomem(error, "keys of a table", room);
    t->n_keys = split_names(copy, names);
    for (size_t k = 0; k < t->n_keys; k++)
        t->keys[k].name = names[k];
    return HANSE_OK;
}

static size_t find_key(const table_reader *t, const char *name)
{
    size_t k = 0;
    while (k < t->n_keys && strcmp(t->keys[k].name, name) != 0)
        k++;
    return k;
}

/* A dimension without a variable holds no values. */
static bool is_bare_dimension(hid_t dataset)
{
    char *text = hanse_attribute_get_text(dataset, "NAME");
    const bool bare =
        text != NULL &&
        strncmp(text, HANSE_DIMENSION_TEXT, strlen(HANSE_DIMENSION_TEXT)) == 0;
    free(text);
    return bare;
}

/* Turns the flags, read as a column, into `missing` and empty texts. */
static hanse_status apply_flags(table_reader *t, size_t k,
                                const hanse_column *flags, hanse_error *error)
{
    if (flags->type != HANSE_INT8)
        return hanse_result_reader_fail(t->reader, t->name, flags->name,
                                        "flags must be int8", error);
    const int8_t *values = flags->values;
    uint8_t *missing = hanse_arena_take(&t->reader->arena, t->n_rows);
    const char **texts = NULL;
    if (missing == NULL)
        return hanse_fail_nomem(error, "missing keys", t->n_rows);
    if (t->keys[k].type == HANSE_TEXT)
        texts = (const char **)(uintptr_t)t->keys[k].values;
    bool any = false;
    for (size_t i = 0; i < t->n_rows; i++) {
        missing[i] = values[i] == HANSE_FLAG_MISSING;
        any = any || missing[i];
        if (texts != NULL && values[i] != HANSE_FLAG_PRESENT)
            texts[i] = "";
    }
    if (any)
        t->keys[k].missing = missing;
    return HANSE_OK;
}

/* ---- Tables ------------------------------------------------------------- */

/* Reads a dataset and checks its length against the table's. */
static hanse_status read_column(table_reader *t, hid_t dataset,
                                const char *name, hanse_column *out,
                                hanse_error *error)
{
    size_t n_rows = 0;
    bool is_scalar = false;
    HANSE_TRY(hanse_result_reader_column(t->reader, dataset, t->name, name, out,
                                         &n_rows, &is_scalar, error));
    if (t->n_keys == 0 && !is_scalar)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "%s: table %s has rows but names no keys, so this "
                          "is not a result of hanse; 'hanse info' describes "
                          "tables of records",
                          t->reader->path, t->name);
    if (is_scalar != (t->n_keys == 0) || (t->has_rows && n_rows != t->n_rows))
        return hanse_result_reader_fail(
            t->reader, t->name, name, "it is not as long as the others", error);
    t->n_rows = n_rows;
    t->has_rows = true;
    return HANSE_OK;
}

static hanse_status read_dataset(table_reader *t, hid_t dataset,
                                 const char *name, hanse_error *error)
{
    if (is_bare_dimension(dataset))
        return HANSE_OK;
    const size_t k = find_key(t, name);
    if (k == t->n_keys) {
        HANSE_TRY(
            read_column(t, dataset, name, &t->columns[t->n_columns], error));
        t->n_columns++;
        return HANSE_OK;
    }
    HANSE_TRY(read_column(t, dataset, name, &t->keys[k], error));
    t->key_found[k] = true;
    char *flags = hanse_attribute_get_text(dataset, HANSE_ATTRIBUTE_FLAGS);
    if (flags == NULL)
        return HANSE_OK;
    t->flag_names[k] = hanse_arena_copy(&t->reader->arena, flags);
    free(flags);
    return t->flag_names[k] != NULL ? HANSE_OK
                                    : hanse_fail_nomem(error, "a name", 1);
}

static hanse_status read_member(table_reader *t, const hanse_result_members *m,
                                size_t i, hanse_error *error)
{
    char *name = hanse_result_member_name(t->reader, m, i);
    if (name == NULL)
        return hanse_result_reader_fail(t->reader, t->name, "a column",
                                        "its name cannot be read", error);
    const hid_t object = H5Oopen(t->group, name, H5P_DEFAULT);
    if (object < 0)
        return hanse_result_reader_fail(t->reader, t->name, name,
                                        "it cannot be opened", error);
    hanse_status status = HANSE_OK;
    const H5I_type_t kind = H5Iget_type(object);
    if (kind == H5I_GROUP)
        t->groups[t->n_groups++] = name;
    t->n_datasets += kind == H5I_DATASET;
    if (kind == H5I_DATASET)
        status = read_dataset(t, object, name, error);
    (void)H5Oclose(object);
    return status;
}

/* Flags were read as columns; moves them to the keys they belong to. */
static hanse_status move_flags(table_reader *t, hanse_error *error)
{
    for (size_t k = 0; k < t->n_keys; k++) {
        if (!t->key_found[k])
            return hanse_result_reader_fail(t->reader, t->name, t->keys[k].name,
                                            "the key is not there", error);
        if (t->flag_names[k] == NULL)
            continue;
        size_t i = 0;
        while (i < t->n_columns &&
               strcmp(t->columns[i].name, t->flag_names[k]) != 0)
            i++;
        if (i == t->n_columns)
            return hanse_result_reader_fail(t->reader, t->name,
                                            t->flag_names[k],
                                            "the flags are not there", error);
        HANSE_TRY(apply_flags(t, k, &t->columns[i], error));
        t->n_columns--;
        memmove(&t->columns[i], &t->columns[i + 1],
                (t->n_columns - i) * sizeof t->columns[0]);
    }
    return HANSE_OK;
}

hanse_status hanse_result_reader_group(hanse_result_reader *reader, hid_t group,
                                       const char *name,
                                       hanse_result_group *out,
                                       hanse_error *error)
{
    table_reader t = {.reader = reader, .group = group, .name = name};
    hanse_result_members m;
    int64_t dropped = 0;
    if (!hanse_result_members_list(group, &m))
        return hanse_result_reader_fail(reader, name, "the group",
                                        "its members cannot be listed", error);
    HANSE_TRY(read_key_names(&t, error));
    t.columns = hanse_arena_take(&reader->arena, (m.n + 1) * sizeof *t.columns);
    t.groups = hanse_arena_take(&reader->arena, (m.n + 1) * sizeof *t.groups);
    if (t.columns == NULL || t.groups == NULL)
        return hanse_fail_nomem(error, "columns of a table", m.n);
    for (size_t i = 0; i < m.n; i++)
        HANSE_TRY(read_member(&t, &m, i, error));
    HANSE_TRY(move_flags(&t, error));
    (void)hanse_attribute_get_integer(group, HANSE_ATTRIBUTE_DROPPED, &dropped);
    *out = (hanse_result_group){
        .table = {.name = name,
                  .n_rows = t.n_rows,
                  .keys = t.keys,
                  .n_keys = t.n_keys,
                  .columns = t.columns,
                  .n_columns = t.n_columns,
                  .n_dropped = dropped > 0 ? (uint64_t)dropped : 0},
        .n_datasets = t.n_datasets,
        .groups = t.groups,
        .n_groups = t.n_groups};
    return HANSE_OK;
}
