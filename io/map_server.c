/* SPDX-License-Identifier: Apache-2.0
 *
 * The file is opened by the first request, through the recording driver, and
 * stays open.
 */
#include "io/map_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/hdf5_fetch.h"
#include "io/table_map.h"

struct hanse_map_server {
    hanse_recording recording;
    hid_t driver;
    hid_t file; /* negative: not open */
    hanse_budget *budget;
    hanse_hdf5_table table; /* no columns: none described yet */
    hanse_hdf5_fetcher fetcher;
};

hanse_map_server *hanse_map_server_create(int descriptor, hanse_budget *budget)
{
    hanse_map_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return NULL;
    server->recording.descriptor = descriptor;
    server->budget = budget;
    server->driver = H5I_INVALID_HID;
    server->file = H5I_INVALID_HID;
    return server;
}

static void clear_table(hanse_map_server *server)
{
    hanse_hdf5_fetcher_clear(&server->fetcher);
    hanse_hdf5_table_clear(&server->table);
}

void hanse_map_server_destroy(hanse_map_server *server)
{
    if (server == NULL)
        return;
    clear_table(server);
    hanse_hdf5_lock();
    if (server->file >= 0)
        (void)H5Fclose(server->file);
    if (server->driver >= 0)
        (void)H5FDunregister(server->driver);
    hanse_hdf5_unlock();
    free(server);
}

/* ---- The file ----------------------------------------------------------- */

/* The signature lies at byte 0, 512, 1024, 2048 and so on. */
static bool has_signature(const hanse_recording *recording)
{
    static const char signature[8] = "\x89HDF\r\n\x1a\n";
    char found[8];
    for (uint64_t at = 0; at < recording->file_bytes;
         at = at == 0 ? 512 : 2 * at) {
        if (pread(recording->descriptor, found, sizeof found, (off_t)at) !=
            sizeof found)
            return false;
        if (memcmp(found, signature, sizeof found) == 0)
            return true;
    }
    return false;
}

static hanse_status open_with(hanse_map_server *server, hid_t access,
                              const char *name, hanse_error *error)
{
    if (server->driver < 0)
        server->driver = hanse_recording_driver_set(access, &server->recording);
    if (server->driver < 0)
        return hanse_hdf5_fail(error, "file driver");
    /* The driver does not look at the name, but the library builds the names
     * of files that this one leads to on it. */
    server->file = H5Fopen("/hanse-input", H5F_ACC_RDONLY, access);
    return server->file >= 0 ? HANSE_OK : hanse_hdf5_fail_open(name, error);
}

static hanse_status open_file(hanse_map_server *server, const char *name,
                              uint64_t file_bytes, hanse_error *error)
{
    if (server->file >= 0)
        return HANSE_OK;
    server->recording.file_bytes = file_bytes;
    if (!has_signature(&server->recording))
        return hanse_hdf5_fail_foreign(name, error);
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0)
        return hanse_hdf5_fail(error, "file");
    const hanse_status status = open_with(server, access, name, error);
    (void)H5Pclose(access);
    return status;
}

/* ---- Table and list ----------------------------------------------------- */

static hanse_status describe(hanse_map_server *server, const char *name,
                             uint64_t file_bytes, const char *path,
                             uint64_t bits, hanse_error *error)
{
    const hanse_file_facts facts = {.size_bytes = file_bytes,
                                    .allow_foreign =
                                        (bits & HANSE_TABLE_FOREIGN) != 0};
    hanse_hdf5_table *table = &server->table;
    HANSE_TRY(open_file(server, name, file_bytes, error));
    const hanse_status status =
        (bits & HANSE_TABLE_DATASET) != 0 && path != NULL
            ? hanse_hdf5_table_describe_dataset(server->file, &facts, path,
                                                table, error)
            : hanse_hdf5_table_choose(server->file, &facts, path, table, error);
    if (status != HANSE_OK) {
        hanse_error_prefix(error, "%s", name);
        return status;
    }
    table->file = strdup(name);
    return table->file != NULL
               ? HANSE_OK
               : hanse_fail_nomem(error, "file name", strlen(name) + 1);
}

/* Records maps of at most so many chunks. What cannot be mapped fails when it
 * is asked for by itself. */
static void record_small(hanse_map_server *server, uint64_t max_chunks)
{
    hanse_hdf5_table *table = &server->table;
    for (size_t i = 0; i < table->n_maps; i++) {
        const hanse_hdf5_layout *layout = &table->columns[i].layout;
        const uint64_t n_chunks = layout->chunk_rows != 0
                                      ? layout->n_rows / layout->chunk_rows + 1
                                      : 1;
        if (n_chunks > max_chunks)
            continue;
        max_chunks -= n_chunks;
        (void)hanse_hdf5_table_record(server->file, &server->recording, table,
                                      i, NULL);
    }
}

/* Sent once and never used here. */
static void forget_maps(hanse_map_server *server)
{
    for (size_t i = 0; i < server->table.n_maps; i++)
        hanse_dataset_map_clear(&server->table.maps[i]);
}

static hanse_status answer_table(hanse_map_server *server,
                                 hanse_cursor *request, hanse_message *answer,
                                 hanse_error *error)
{
    char *name = hanse_cursor_get_text(request, SIZE_MAX / 2);
    const uint64_t file_bytes = hanse_cursor_get_u64(request);
    char *path = hanse_cursor_get_text(request, SIZE_MAX / 2);
    const uint64_t bits = hanse_cursor_get_below(request, HANSE_TABLE_BITS);
    const uint64_t max_chunks = hanse_cursor_get_u64(request);
    hanse_status status =
        name != NULL ? HANSE_OK
                     : hanse_fail(error, HANSE_ERR_ARGUMENT, "no file name");
    if (status == HANSE_OK) {
        clear_table(server);
        hanse_hdf5_lock();
        status = describe(server, name, file_bytes, path, bits, error);
        if (status == HANSE_OK)
            record_small(server, max_chunks);
        hanse_hdf5_unlock();
    }
    if (status == HANSE_OK)
        status = hanse_hdf5_fetcher_init(&server->fetcher, server->file,
                                         &server->table, server->budget, error);
    if (status == HANSE_OK)
        hanse_table_map_put(answer, &server->table);
    else
        clear_table(server);
    forget_maps(server);
    free(name);
    free(path);
    return status;
}

static hanse_status find(hanse_map_server *server, const char *name,
                         uint64_t file_bytes, hanse_found_tables *found,
                         hanse_error *error)
{
    const hanse_file_facts facts = {.size_bytes = file_bytes};
    HANSE_TRY(open_file(server, name, file_bytes, error));
    const hanse_status status =
        hanse_hdf5_find(server->file, &facts, found, error);
    if (status != HANSE_OK)
        hanse_error_prefix(error, "%s", name);
    return status;
}

static hanse_status answer_list(hanse_map_server *server, hanse_cursor *request,
                                hanse_message *answer, hanse_error *error)
{
    char *name = hanse_cursor_get_text(request, SIZE_MAX / 2);
    const uint64_t file_bytes = hanse_cursor_get_u64(request);
    hanse_found_tables found = {0};
    if (name == NULL)
        return hanse_fail(error, HANSE_ERR_ARGUMENT, "no file name");
    hanse_hdf5_lock();
    const hanse_status status = find(server, name, file_bytes, &found, error);
    hanse_hdf5_unlock();
    if (status == HANSE_OK)
        hanse_found_tables_put(answer, &found);
    hanse_found_tables_clear(&found);
    free(name);
    return status;
}

/* ---- Maps --------------------------------------------------------------- */

static hanse_status fail_column(uint64_t column, hanse_error *error)
{
    return hanse_fail(error, HANSE_ERR_ARGUMENT, "no column %llu",
                      (unsigned long long)column);
}

static hanse_status answer_maps(hanse_map_server *server, hanse_cursor *request,
                                hanse_message *answer, hanse_error *error)
{
    hanse_hdf5_table *table = &server->table;
    const uint64_t n = hanse_cursor_get_u64(request);
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t column = hanse_cursor_get_u64(request);
        if (request->failed || column >= table->n_columns)
            return fail_column(column, error);
        hanse_dataset_map *map =
            &table->maps[hanse_hdf5_table_map(table, (size_t)column)];
        hanse_hdf5_lock();
        const hanse_status status = hanse_hdf5_table_record(
            server->file, &server->recording, table, (size_t)column, error);
        hanse_hdf5_unlock();
        if (status != HANSE_OK) {
            hanse_error_prefix(error, "%s: column '%.60s'", table->file,
                               table->columns[column].name);
            return status;
        }
        hanse_dataset_map_put(answer, map);
    }
    forget_maps(server);
    return HANSE_OK;
}

/* ---- Values ------------------------------------------------------------- */

/* Ends and bytes of n texts, when they fit. */
static hanse_status share_texts(const hanse_map_server *server,
                                const char *const *texts, size_t n,
                                void *shared, size_t shared_bytes,
                                uint64_t *needed, hanse_error *error)
{
    const size_t head_bytes = (n + 1) * sizeof(int32_t);
    int32_t *ends = malloc(head_bytes);
    if (ends == NULL)
        return hanse_fail_nomem(error, "texts", head_bytes);
    if (!hanse_measure_texts(texts, n, sizeof *texts, ends)) {
        free(ends);
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "%s: texts of more than 2 GiB in %zu rows",
                          server->table.file, n);
    }
    *needed = head_bytes + (uint64_t)ends[n];
    if (*needed <= shared_bytes) {
        memcpy(shared, ends, head_bytes);
        hanse_pack_texts(texts, n, sizeof *texts, ends,
                         (char *)shared + head_bytes);
    }
    free(ends);
    return HANSE_OK;
}

static hanse_status fetch_texts(hanse_map_server *server, size_t column,
                                uint64_t first, size_t n, void *shared,
                                size_t shared_bytes, uint64_t *needed,
                                hanse_error *error)
{
    char **texts = calloc(n, sizeof *texts);
    if (texts == NULL)
        return hanse_fail_nomem(error, "texts", n * sizeof *texts);
    hanse_status status =
        hanse_hdf5_fetch(&server->fetcher, column, first, n, texts, error);
    if (status == HANSE_OK)
        status = share_texts(server, (const char *const *)texts, n, shared,
                             shared_bytes, needed, error);
    hanse_text_arena_reset(&server->fetcher.arena);
    free(texts);
    return status;
}

static hanse_status answer_values(hanse_map_server *server,
                                  hanse_cursor *request, void *shared,
                                  size_t shared_bytes, hanse_message *answer,
                                  hanse_error *error)
{
    const hanse_hdf5_table *table = &server->table;
    const uint64_t column = hanse_cursor_get_u64(request);
    const uint64_t first = hanse_cursor_get_u64(request);
    const uint64_t n = hanse_cursor_get_u64(request);
    uint64_t needed = 0;
    hanse_status status = HANSE_OK;
    if (request->failed || column >= table->n_columns)
        return fail_column(column, error);
    if (n == 0 || first > table->n_rows || n > table->n_rows - first)
        return hanse_fail(error, HANSE_ERR_ARGUMENT, "no such rows");
    const hanse_hdf5_type *type = &table->columns[column].type;
    const size_t size_bytes = hanse_hdf5_type_memory_size(type);
    if (type->form == HANSE_FORM_TEXT_VARIABLE)
        status = fetch_texts(server, (size_t)column, first, (size_t)n, shared,
                             shared_bytes, &needed, error);
    else if (__builtin_mul_overflow(n, (uint64_t)size_bytes, &needed))
        status = hanse_fail_nomem(error, "values", SIZE_MAX);
    else if (needed <= shared_bytes)
        status = hanse_hdf5_fetch(&server->fetcher, (size_t)column, first,
                                  (size_t)n, shared, error);
    if (status == HANSE_OK)
        hanse_message_put_u64(answer, needed);
    return status;
}

/* ---- Requests ----------------------------------------------------------- */

static hanse_status answer_request(hanse_map_server *server,
                                   hanse_cursor *request, void *shared,
                                   size_t shared_bytes, hanse_message *answer,
                                   hanse_error *error)
{
    switch (hanse_cursor_get_below(request, HANSE_REQUEST_VALUES)) {
    case HANSE_REQUEST_TABLE:
        return answer_table(server, request, answer, error);
    case HANSE_REQUEST_LIST:
        return answer_list(server, request, answer, error);
    case HANSE_REQUEST_MAPS:
        return answer_maps(server, request, answer, error);
    default:
        return answer_values(server, request, shared, shared_bytes, answer,
                             error);
    }
}

void hanse_map_server_answer(hanse_map_server *server, hanse_cursor *request,
                             void *shared, size_t shared_bytes,
                             hanse_message *answer)
{
    hanse_error error = {0};
    hanse_message_put_u64(answer, HANSE_OK);
    hanse_status status =
        answer_request(server, request, shared, shared_bytes, answer, &error);
    if (status == HANSE_OK && !answer->failed)
        return;
    if (status == HANSE_OK)
        status = hanse_fail_nomem(&error, "answer", answer->n);
    free(answer->bytes);
    *answer = (hanse_message){0};
    hanse_message_put_u64(answer, status);
    hanse_message_put_text(answer, error.message);
}
