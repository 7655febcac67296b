/* SPDX-License-Identifier: Apache-2.0
 *
 * What is asked about a file, and how the answers are taken apart and checked.
 */
#include "io/map_client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/map_link.h"
#include "io/table_map.h"

struct hanse_map_client {
    pthread_mutex_t mutex;
    hanse_map_link link;
};

/* ---- Opening and closing ------------------------------------------------ */

hanse_status hanse_map_client_open(const char *file,
                                   const hanse_map_options *options,
                                   hanse_map_client **out, hanse_error *error)
{
    hanse_map_client *client = calloc(1, sizeof *client);
    if (client == NULL || pthread_mutex_init(&client->mutex, NULL) != 0) {
        free(client);
        return hanse_fail_nomem(error, "input file", sizeof *client);
    }
    const hanse_status status =
        hanse_map_link_open(&client->link, file, options, error);
    if (status != HANSE_OK)
        hanse_map_client_close(client);
    else
        *out = client;
    return status;
}

void hanse_map_client_close(hanse_map_client *client)
{
    if (client == NULL)
        return;
    hanse_map_link_close(&client->link);
    (void)pthread_mutex_destroy(&client->mutex);
    free(client);
}

hanse_status hanse_map_client_start(hanse_map_client *client,
                                    hanse_error *error)
{
    pthread_mutex_lock(&client->mutex);
    const hanse_status status = hanse_map_link_ready(&client->link, error);
    pthread_mutex_unlock(&client->mutex);
    return status;
}

bool hanse_map_client_rest(hanse_map_client *client)
{
    if (pthread_mutex_trylock(&client->mutex) != 0)
        return false;
    hanse_map_link_rest(&client->link);
    pthread_mutex_unlock(&client->mutex);
    return true;
}

/* ---- Table and list ----------------------------------------------------- */

static uint64_t metadata_seconds(const hanse_map_client *client)
{
    return client->link.stamp.size_bytes >> 27;
}

/* A child that was not told so does not offer columns in other files. */
static hanse_status check_foreign(const hanse_map_client *client,
                                  hanse_hdf5_table *table, hanse_error *error)
{
    bool is_foreign = false;
    for (size_t i = 0; i < table->n_columns; i++)
        is_foreign = is_foreign ||
                     hanse_layout_is_foreign(table->columns[i].layout.kind);
    if (!is_foreign || client->link.options.allow_foreign)
        return HANSE_OK;
    hanse_hdf5_table_clear(table);
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "damaged or hostile (leads to other files)");
}

/* By which a table is asked for again, from malloc; NULL: no memory. */
static char *path_of(const hanse_hdf5_table *table)
{
    char *path;
    if (!table->is_single)
        return strdup(table->path);
    const char *parent = strcmp(table->path, "/") != 0 ? table->path : "";
    return asprintf(&path, "%s/%s", parent, table->columns[0].name) >= 0 ? path
                                                                         : NULL;
}

/* Asks for a table; the one that the child then knows. */
static hanse_status ask_table(hanse_map_client *client, const char *path,
                              bool is_dataset, uint64_t max_chunks,
                              hanse_hdf5_table *out, hanse_error *error)
{
    hanse_message question = {0}, answer;
    hanse_cursor cursor;
    HANSE_TRY(hanse_map_link_ready(&client->link, error));
    hanse_message_put_u64(&question, HANSE_REQUEST_TABLE);
    hanse_message_put_text(&question, client->link.file);
    hanse_message_put_u64(&question, client->link.stamp.size_bytes);
    hanse_message_put_text(&question, path);
    hanse_message_put_u64(
        &question,
        (client->link.options.allow_foreign ? HANSE_TABLE_FOREIGN : 0) |
            (is_dataset ? HANSE_TABLE_DATASET : 0));
    hanse_message_put_u64(&question, max_chunks);
    free(client->link.table);
    client->link.table = NULL;
    HANSE_TRY(hanse_map_link_ask(&client->link, &question,
                                 metadata_seconds(client), &answer, &cursor,
                                 error));
    hanse_hdf5_table table;
    hanse_status status = hanse_table_map_get(
        &cursor, client->link.stamp.size_bytes, &table, error);
    free(answer.bytes);
    if (status == HANSE_OK)
        status = check_foreign(client, &table, error);
    if (status != HANSE_OK) {
        hanse_error_prefix(error, "%s", client->link.file);
        return status;
    }
    table.stamp = client->link.stamp;
    table.is_single = is_dataset;
    table.file = strdup(client->link.file);
    client->link.table = path_of(&table);
    if (table.file == NULL || client->link.table == NULL) {
        hanse_hdf5_table_clear(&table);
        return hanse_fail_nomem(error, "file name", strlen(client->link.file));
    }
    *out = table;
    return HANSE_OK;
}

/* Makes sure that the child, which may be a new one, knows this table. */
static hanse_status recall_table(hanse_map_client *client,
                                 const hanse_hdf5_table *table,
                                 hanse_error *error)
{
    hanse_hdf5_table again;
    HANSE_TRY(hanse_map_link_ready(&client->link, error));
    char *path = path_of(table);
    if (path == NULL)
        return hanse_fail_nomem(error, "path", strlen(table->path));
    const bool is_known =
        client->link.table != NULL && strcmp(client->link.table, path) == 0;
    const hanse_status status =
        is_known ? HANSE_OK
                 : ask_table(client, path, table->is_single, 0, &again, error);
    free(path);
    if (is_known || status != HANSE_OK)
        return status;
    const bool is_same = again.n_columns == table->n_columns &&
                         again.n_rows == table->n_rows &&
                         again.is_compound == table->is_compound;
    hanse_hdf5_table_clear(&again);
    return is_same ? HANSE_OK
                   : hanse_fail(error, HANSE_ERR_FORMAT,
                                "%s: damaged or hostile (described in two "
                                "ways)",
                                client->link.file);
}

/* A child that dies of a map may yet tell the table: the column may be one that
 * nobody wants. */
hanse_status hanse_map_client_table(hanse_map_client *client, const char *path,
                                    bool is_dataset, uint64_t max_chunks,
                                    hanse_hdf5_table *out, hanse_error *error)
{
    pthread_mutex_lock(&client->mutex);
    hanse_status status =
        ask_table(client, path, is_dataset, max_chunks, out, error);
    if (status == HANSE_ERR_FORMAT && max_chunks != 0)
        status = ask_table(client, path, is_dataset, 0, out, error);
    pthread_mutex_unlock(&client->mutex);
    return status;
}

static hanse_status ask_list(hanse_map_client *client, hanse_found_tables *out,
                             hanse_error *error)
{
    hanse_message question = {0}, answer;
    hanse_cursor cursor;
    HANSE_TRY(hanse_map_link_ready(&client->link, error));
    hanse_message_put_u64(&question, HANSE_REQUEST_LIST);
    hanse_message_put_text(&question, client->link.file);
    hanse_message_put_u64(&question, client->link.stamp.size_bytes);
    HANSE_TRY(hanse_map_link_ask(&client->link, &question,
                                 metadata_seconds(client), &answer, &cursor,
                                 error));
    const hanse_status status = hanse_found_tables_get(&cursor, out, error);
    free(answer.bytes);
    if (status != HANSE_OK)
        hanse_error_prefix(error, "%s", client->link.file);
    return status;
}

hanse_status hanse_map_client_list(hanse_map_client *client,
                                   hanse_found_tables *out, hanse_error *error)
{
    pthread_mutex_lock(&client->mutex);
    const hanse_status status = ask_list(client, out, error);
    pthread_mutex_unlock(&client->mutex);
    return status;
}

/* ---- Maps --------------------------------------------------------------- */

/* Ten microseconds a chunk; honest ones take one or two. */
static uint64_t map_seconds(const hanse_hdf5_table *table, size_t column)
{
    const hanse_hdf5_layout *layout = &table->columns[column].layout;
    return layout->chunk_rows != 0
               ? layout->n_rows / layout->chunk_rows / 100000
               : 0;
}

static hanse_status take_maps(const hanse_map_client *client,
                              hanse_cursor *cursor, hanse_hdf5_table *table,
                              const size_t *columns, size_t n_columns,
                              hanse_error *error)
{
    for (size_t i = 0; i < n_columns; i++) {
        hanse_dataset_map found;
        hanse_dataset_map *map =
            &table->maps[hanse_hdf5_table_map(table, columns[i])];
        if (map->is_recorded)
            continue;
        HANSE_TRY(hanse_dataset_map_get(cursor, client->link.stamp.size_bytes,
                                        table, columns[i], &found, error));
        *map = found;
    }
    return HANSE_OK;
}

static hanse_status ask_maps(hanse_map_client *client, hanse_hdf5_table *table,
                             const size_t *columns, size_t n_columns,
                             bool *was_asked, hanse_error *error)
{
    hanse_message list = {0}, question = {0}, answer;
    hanse_cursor cursor;
    uint64_t n = 0, seconds = 0;
    bool is_compound_asked = false;
    for (size_t i = 0; i < n_columns; i++) {
        if (table->maps[hanse_hdf5_table_map(table, columns[i])].is_recorded ||
            is_compound_asked)
            continue;
        hanse_message_put_u64(&list, columns[i]);
        seconds += map_seconds(table, columns[i]);
        is_compound_asked = table->is_compound;
        n++;
    }
    hanse_status status = HANSE_OK;
    *was_asked = n != 0;
    if (n != 0)
        status = recall_table(client, table, error);
    if (n == 0 || status != HANSE_OK) {
        free(list.bytes);
        return status;
    }
    hanse_message_put_u64(&question, HANSE_REQUEST_MAPS);
    hanse_message_put_u64(&question, n);
    hanse_message_put_bytes(&question, list.bytes, list.n);
    question.failed |= list.failed;
    free(list.bytes);
    HANSE_TRY(hanse_map_link_ask(&client->link, &question, seconds, &answer,
                                 &cursor, error));
    status = take_maps(client, &cursor, table, columns, n_columns, error);
    free(answer.bytes);
    if (status != HANSE_OK)
        hanse_error_prefix(error, "%s", client->link.file);
    return status;
}

hanse_status hanse_map_client_record(hanse_map_client *client,
                                     hanse_hdf5_table *table,
                                     const size_t *columns, size_t n_columns,
                                     bool *was_asked, hanse_error *error)
{
    bool was;
    pthread_mutex_lock(&client->mutex);
    const hanse_status status =
        ask_maps(client, table, columns, n_columns, &was, error);
    pthread_mutex_unlock(&client->mutex);
    if (was_asked != NULL)
        *was_asked = was;
    return status;
}

/* ---- Values ------------------------------------------------------------- */

static hanse_status fail_values(const hanse_map_client *client,
                                hanse_error *error)
{
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "%s: damaged or hostile (values of impossible size)",
                      client->link.file);
}

/* A child loads what decodes Blosc before it is confined, or never. */
static void need_codecs(hanse_map_client *client,
                        const hanse_hdf5_layout *layout)
{
    bool has_blosc = false;
    for (size_t i = 0; i < layout->n_filters; i++)
        has_blosc = has_blosc || layout->filter_ids[i] == HANSE_FILTER_BLOSC;
    if (!has_blosc || client->link.with_blosc)
        return;
    client->link.with_blosc = true;
    hanse_map_link_rest(&client->link);
}

/* Has values put into shared memory of at least `wanted` bytes, or tells how
 * many there must be. */
static hanse_status ask_values(hanse_map_client *client,
                               const hanse_hdf5_table *table, size_t column,
                               uint64_t first, size_t n, uint64_t wanted,
                               uint64_t *needed, hanse_error *error)
{
    hanse_message question = {0}, answer;
    hanse_cursor cursor;
    need_codecs(client, &table->columns[column].layout);
    HANSE_TRY(recall_table(client, table, error));
    const bool is_text = table->columns[column].type.type == HANSE_TEXT;
    HANSE_TRY(hanse_map_link_share(
        &client->link, wanted,
        is_text ? "texts of a column" : "values of a column", error));
    hanse_message_put_u64(&question, HANSE_REQUEST_VALUES);
    hanse_message_put_u64(&question, column);
    hanse_message_put_u64(&question, first);
    hanse_message_put_u64(&question, n);
    /* A chunk is decoded whole; sixteen megabytes a second is slow. */
    const uint64_t chunk_rows = table->columns[column].layout.chunk_rows;
    const uint64_t rows = n + 2 * chunk_rows;
    const uint64_t row_bytes = table->is_compound
                                   ? table->row_bytes
                                   : table->columns[column].type.size_bytes;
    HANSE_TRY(hanse_map_link_ask(&client->link, &question,
                                 (rows >> 12) * row_bytes >> 12, &answer,
                                 &cursor, error));
    *needed = hanse_cursor_get_u64(&cursor);
    free(answer.bytes);
    return cursor.failed ? fail_values(client, error) : HANSE_OK;
}

static hanse_status read_values(hanse_map_client *client,
                                const hanse_hdf5_table *table, size_t column,
                                uint64_t first, size_t n, void *out,
                                hanse_error *error)
{
    const size_t size =
        hanse_hdf5_type_memory_size(&table->columns[column].type);
    size_t wanted;
    uint64_t needed;
    if (!hanse_size_multiply(n, size, &wanted))
        return hanse_fail_nomem(error, "values of a column", SIZE_MAX);
    HANSE_TRY(
        ask_values(client, table, column, first, n, wanted, &needed, error));
    if (needed != wanted)
        return fail_values(client, error);
    memcpy(out, client->link.shared, wanted);
    return HANSE_OK;
}

hanse_status hanse_map_client_values(hanse_map_client *client,
                                     const hanse_hdf5_table *table,
                                     size_t column, uint64_t first, size_t n,
                                     void *out, hanse_error *error)
{
    pthread_mutex_lock(&client->mutex);
    const hanse_status status =
        read_values(client, table, column, first, n, out, error);
    pthread_mutex_unlock(&client->mutex);
    return status;
}

/* Checks a copy: what is shared may change between two looks. */
static bool are_offsets_sound(const int32_t *offsets, size_t n, uint64_t total)
{
    if (offsets[0] != 0 || (uint64_t)offsets[n] != total)
        return false;
    for (size_t i = 0; i < n; i++)
        if (offsets[i + 1] < offsets[i])
            return false;
    return true;
}

static hanse_status read_texts(hanse_map_client *client,
                               const hanse_hdf5_table *table, size_t column,
                               uint64_t first, size_t n, int32_t *offsets,
                               hanse_text_room *room, void *context,
                               hanse_error *error)
{
    const uint64_t head_bytes = ((uint64_t)n + 1) * sizeof *offsets;
    /* A guess; when it is too low the child says what is needed. */
    uint64_t wanted = head_bytes + 16 * (uint64_t)n;
    uint64_t needed = wanted + 1;
    for (int attempt = 0; attempt < 2; attempt++) {
        HANSE_TRY(ask_values(client, table, column, first, n, wanted, &needed,
                             error));
        if (needed < head_bytes || needed - head_bytes > INT32_MAX)
            return fail_values(client, error);
        if (needed <= client->link.shared_bytes)
            break;
        wanted = needed;
    }
    if (needed > client->link.shared_bytes)
        return fail_values(client, error);
    memcpy(offsets, client->link.shared, (size_t)head_bytes);
    if (!are_offsets_sound(offsets, n, needed - head_bytes))
        return fail_values(client, error);
    void *bytes = room(context, (size_t)offsets[n]);
    if (bytes == NULL)
        return hanse_fail_nomem(error, "texts of a column", (size_t)offsets[n]);
    memcpy(bytes, (const char *)client->link.shared + head_bytes,
           (size_t)offsets[n]);
    return HANSE_OK;
}

hanse_status hanse_map_client_texts(hanse_map_client *client,
                                    const hanse_hdf5_table *table,
                                    size_t column, uint64_t first, size_t n,
                                    int32_t *offsets, hanse_text_room *room,
                                    void *context, hanse_error *error)
{
    pthread_mutex_lock(&client->mutex);
    const hanse_status status = read_texts(client, table, column, first, n,
                                           offsets, room, context, error);
    pthread_mutex_unlock(&client->mutex);
    return status;
}

/* ---- Facts -------------------------------------------------------------- */

int hanse_map_client_descriptor(const hanse_map_client *client)
{
    return client->link.descriptor;
}

hanse_file_stamp hanse_map_client_stamp(const hanse_map_client *client)
{
    return client->link.stamp;
}

void hanse_map_client_level(hanse_map_client *client, char *text, size_t size)
{
    pthread_mutex_lock(&client->mutex);
    const hanse_confinement level = client->link.level;
    pthread_mutex_unlock(&client->mutex);
    if (client->link.options.is_trusted)
        snprintf(text, size, "none: trusted");
    else if (!level.seccomp)
        snprintf(text, size, "%s", "");
    else if (level.landlock_abi > 0)
        snprintf(text, size, "seccomp and Landlock %d", level.landlock_abi);
    else
        snprintf(text, size, "seccomp, no Landlock");
}
