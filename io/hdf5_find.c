/* SPDX-License-Identifier: Apache-2.0
 *
 * Searching for tables, and choosing the one that is meant. A group is visited
 * once, however many links lead to it.
 */
#include "io/hdf5_find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "io/hdf5_links.h"

#define DEFAULT_TABLE "/enterprises"

enum {
    MAX_DEPTH = 32,
    MAX_GROUPS = 65536
};

typedef struct search {
    hid_t file;
    const hanse_file_facts *facts;
    hanse_found_tables found;
    uint64_t *seen; /* addresses of the groups visited */
    size_t n_seen;
    size_t capacity;
    hanse_error *error;
} search;

static hanse_status add_found(search *s, const hanse_hdf5_table *table)
{
    const size_t n = s->found.n;
    hanse_found_table *items = realloc(s->found.items, (n + 1) * sizeof *items);
    if (items == NULL)
        return hanse_fail_nomem(s->error, "tables", (n + 1) * sizeof *items);
    s->found.items = items;
    items[n] = (hanse_found_table){.path = strdup(table->path),
                                   .is_compound = table->is_compound,
                                   .n_rows = table->n_rows,
                                   .n_columns = table->n_columns};
    if (items[n].path == NULL)
        return hanse_fail_nomem(s->error, "tables", strlen(table->path));
    s->found.n++;
    return HANSE_OK;
}

/* Describes what lies at `path` and keeps it when it is a table. */
static hanse_status try_table(search *s, const char *path)
{
    hanse_hdf5_table table;
    hanse_error error = {0};
    const hanse_status status =
        hanse_hdf5_table_describe(s->file, s->facts, path, &table, &error);
    if (status == HANSE_OK) {
        const hanse_status added = add_found(s, &table);
        hanse_hdf5_table_clear(&table);
        return added;
    }
    if (status == HANSE_ERR_FORMAT && s->found.complaint == NULL) {
        s->found.complaint = strdup(error.message);
        if (s->found.complaint == NULL)
            return hanse_fail_nomem(s->error, "message", sizeof error.message);
    }
    if (status == HANSE_ERR_NOMEM)
        return hanse_fail(s->error, status, "%s", error.message);
    return HANSE_OK;
}

/* Remembers a group; `*is_new` tells whether it was not visited before. */
static hanse_status remember(search *s, uint64_t address, bool *is_new)
{
    *is_new = false;
    for (size_t i = 0; i < s->n_seen; i++)
        if (s->seen[i] == address)
            return HANSE_OK;
    if (s->n_seen >= MAX_GROUPS)
        return hanse_fail(s->error, HANSE_ERR_LIMIT,
                          "more than %d groups to search; name the table with "
                          "--table",
                          MAX_GROUPS);
    if (s->n_seen == s->capacity) {
        const size_t capacity = s->capacity == 0 ? 64 : 2 * s->capacity;
        uint64_t *seen = realloc(s->seen, capacity * sizeof *seen);
        if (seen == NULL)
            return hanse_fail_nomem(s->error, "groups",
                                    capacity * sizeof *seen);
        s->seen = seen;
        s->capacity = capacity;
    }
    s->seen[s->n_seen++] = address;
    *is_new = true;
    return HANSE_OK;
}

static hanse_status search_group(search *s, const char *path, int depth);

static bool is_compound(hid_t group, const char *name)
{
    bool result = false;
    const hid_t dataset = hanse_hdf5_open_object(group, name);
    if (dataset < 0)
        return false;
    const hid_t datatype = H5Dget_type(dataset);
    if (datatype >= 0) {
        result = H5Tget_class(datatype) == H5T_COMPOUND;
        (void)H5Tclose(datatype);
    }
    (void)H5Oclose(dataset);
    return result;
}

static hanse_status search_link(search *s, hid_t group, const char *path,
                                const hanse_hdf5_link *link, int depth)
{
    if (link->is_soft)
        return HANSE_OK;
    const bool is_group = link->kind == HANSE_LINK_GROUP;
    if (!is_group &&
        (link->kind != HANSE_LINK_DATASET || !is_compound(group, link->name)))
        return HANSE_OK;
    bool is_new = true;
    if (is_group)
        HANSE_TRY(remember(s, link->address, &is_new));
    if (!is_new)
        return HANSE_OK;
    const size_t size = strlen(path) + strlen(link->name) + 2;
    char *below = malloc(size);
    if (below == NULL)
        return hanse_fail_nomem(s->error, "path", size);
    snprintf(below, size, "%s/%s", strcmp(path, "/") == 0 ? "" : path,
             link->name);
    const hanse_status status =
        is_group ? search_group(s, below, depth + 1) : try_table(s, below);
    free(below);
    return status;
}

static hanse_status search_group(search *s, const char *path, int depth)
{
    hanse_hdf5_links links;
    if (depth > MAX_DEPTH)
        return HANSE_OK;
    HANSE_TRY(try_table(s, path));
    const hid_t group = hanse_hdf5_open_object(s->file, path);
    if (group < 0)
        return hanse_hdf5_fail(s->error, "group");
    hanse_status status = hanse_hdf5_links_list(group, &links, s->error);
    if (status == HANSE_OK) {
        for (size_t i = 0; i < links.n && status == HANSE_OK; i++)
            status = search_link(s, group, path, &links.items[i], depth);
        hanse_hdf5_links_clear(&links);
    }
    (void)H5Oclose(group);
    return status;
}

hanse_status hanse_hdf5_find(hid_t file, const hanse_file_facts *facts,
                             hanse_found_tables *out, hanse_error *error)
{
    search s = {.file = file, .facts = facts, .error = error};
    const hanse_status status = search_group(&s, "/", 0);
    free(s.seen);
    if (status != HANSE_OK) {
        hanse_found_tables_clear(&s.found);
        return status;
    }
    *out = s.found;
    return HANSE_OK;
}

void hanse_found_tables_clear(hanse_found_tables *tables)
{
    for (size_t i = 0; i < tables->n; i++)
        free(tables->items[i].path);
    free(tables->items);
    free(tables->complaint);
    *tables = (hanse_found_tables){0};
}

/* ---- The one that is meant ---------------------------------------------- */

static hanse_status fail_choice(const hanse_found_tables *found,
                                hanse_error *error)
{
    char list[512] = "";
    if (found->n == 0 && found->complaint != NULL)
        return hanse_fail(error, HANSE_ERR_FORMAT, "holds no table; %s",
                          found->complaint);
    if (found->n == 0)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "holds no table (equally long 1-D datasets in a "
                          "group, or a compound dataset)");
    for (size_t i = 0; i < found->n; i++) {
        const size_t used = strlen(list);
        if (used + strlen(found->items[i].path) + 8 >= sizeof list) {
            snprintf(list + used, sizeof list - used, ", ...");
            break;
        }
        snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "",
                 found->items[i].path);
    }
    return hanse_fail(error, HANSE_ERR_SPEC,
                      "holds %zu tables and no " DEFAULT_TABLE
                      "; choose one with --table: %s",
                      found->n, list);
}

/* Describes the table that is meant when none is named. */
static hanse_status describe_default(hid_t id, const hanse_file_facts *facts,
                                     hanse_hdf5_table *out, hanse_error *error)
{
    const hid_t usual = hanse_hdf5_open_object(id, DEFAULT_TABLE);
    if (usual >= 0) {
        (void)H5Oclose(usual);
        return hanse_hdf5_table_describe(id, facts, DEFAULT_TABLE, out, error);
    }
    hanse_found_tables found;
    HANSE_TRY(hanse_hdf5_find(id, facts, &found, error));
    const hanse_status status =
        found.n == 1 ? hanse_hdf5_table_describe(id, facts, found.items[0].path,
                                                 out, error)
                     : fail_choice(&found, error);
    hanse_found_tables_clear(&found);
    return status;
}

hanse_status hanse_hdf5_table_choose(hid_t file, const hanse_file_facts *facts,
                                     const char *path, hanse_hdf5_table *out,
                                     hanse_error *error)
{
    return path != NULL
               ? hanse_hdf5_table_describe(file, facts, path, out, error)
               : describe_default(file, facts, out, error);
}
