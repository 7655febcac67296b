/* SPDX-License-Identifier: Apache-2.0
 *
 * probe_map: reads names of files from standard input and has each one looked
 * at as untrusted: listed, described, mapped, all chunks read and decoded here,
 * some values read by the confined child. Prints a line for each step that
 * failed and, of a file that is sound, what it holds; for test_hostile.py.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/decode.h"
#include "io/map_client.h"

enum {
    MAX_ROWS = 4096,            /* read by the child, per column */
    MAX_DECODED_BYTES = 1 << 26 /* per chunk */
};

static void report(const char *step, const hanse_error *error)
{
    printf("  %s: %s: %s\n", step, hanse_status_name(error->status),
           error->message);
}

/* ---- Bytes by the map --------------------------------------------------- */

static uint64_t sum_bytes(const uint8_t *bytes, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum = sum * 31 + bytes[i];
    return sum;
}

static hanse_status decode_chunk(hanse_decoder *decoder, int descriptor,
                                 const hanse_dataset_map *map,
                                 const hanse_chunk *chunk, size_t raw_bytes,
                                 uint64_t *sum, hanse_error *error)
{
    const void *raw;
    uint8_t *stored = malloc(chunk->stored_bytes + (size_t)1);
    if (stored == NULL)
        return hanse_fail_nomem(error, "chunk", chunk->stored_bytes);
    hanse_status status = HANSE_OK;
    if (pread(descriptor, stored, chunk->stored_bytes, (off_t)chunk->address) !=
        (ssize_t)chunk->stored_bytes)
        status = hanse_fail(error, HANSE_ERR_IO, "cut off");
    if (status == HANSE_OK)
        status = hanse_decoder_decode(
            decoder, &map->pipeline, chunk->filter_mask, stored,
            chunk->stored_bytes, raw_bytes, &raw, error);
    if (status == HANSE_OK)
        *sum += sum_bytes(raw, raw_bytes);
    free(stored);
    return status;
}

static void decode_map(hanse_decoder *decoder, int descriptor,
                       const hanse_dataset_map *map, const char *name)
{
    uint64_t sum = 0;
    size_t raw_bytes;
    hanse_error error = {0};
    if (map->reason[0] != '\0') {
        printf("  %s: by the child: %s\n", name, map->reason);
        return;
    }
    if (!hanse_dataset_map_chunk_bytes(map, &raw_bytes) ||
        raw_bytes > MAX_DECODED_BYTES)
        return;
    for (size_t i = 0; i < map->n_chunks; i++)
        if (map->chunks[i].address != HANSE_ADDRESS_NONE &&
            decode_chunk(decoder, descriptor, map, &map->chunks[i], raw_bytes,
                         &sum, &error) != HANSE_OK) {
            report(name, &error);
            return;
        }
    printf("  %s: chunks %" PRIx64 "\n", name, sum);
}

/* ---- Values by the child ------------------------------------------------ */

static void *take_room(void *context, size_t size_bytes)
{
    char **room = context;
    *room = malloc(size_bytes + 1);
    return *room;
}

static void read_column(hanse_map_client *client, const hanse_hdf5_table *table,
                        size_t column)
{
    static int32_t offsets[MAX_ROWS + 1];
    const hanse_hdf5_type *type = &table->columns[column].type;
    const char *name = table->columns[column].name;
    const size_t n =
        table->n_rows < MAX_ROWS ? (size_t)table->n_rows : MAX_ROWS;
    size_t n_bytes = n * hanse_hdf5_type_memory_size(type);
    char *values = NULL;
    hanse_error error = {0};
    hanse_status status;
    if (n == 0 || n_bytes > MAX_DECODED_BYTES)
        return;
    if (type->form == HANSE_FORM_TEXT_VARIABLE) {
        status = hanse_map_client_texts(client, table, column, 0, n, offsets,
                                        take_room, &values, &error);
        n_bytes = (size_t)offsets[n];
    } else {
        values = malloc(n_bytes);
        if (values == NULL)
            return;
        status = hanse_map_client_values(client, table, column, 0, n, values,
                                         &error);
    }
    if (status != HANSE_OK)
        report(name, &error);
    else
        printf("  %s: values %" PRIx64 "\n", name,
               sum_bytes((uint8_t *)values, n_bytes));
    free(values);
}

/* ---- Files -------------------------------------------------------------- */

static void probe_table(hanse_map_client *client, hanse_decoder *decoder,
                        hanse_hdf5_table *table)
{
    hanse_error error = {0};
    printf("  table %s: %" PRIu64 " rows, %zu columns, %zu refused\n",
           table->path, table->n_rows, table->n_columns, table->n_refusals);
    for (size_t i = 0; i < table->n_columns; i++) {
        const char *name = table->columns[i].name;
        if (hanse_map_client_record(client, table, &i, 1, NULL, &error) !=
            HANSE_OK)
            report(name, &error);
        else
            decode_map(decoder, hanse_map_client_descriptor(client),
                       &table->maps[hanse_hdf5_table_map(table, i)], name);
        read_column(client, table, i);
    }
    for (size_t i = 0; i < table->n_refusals; i++)
        printf("  refused %s: %s\n", table->refusals[i].name,
               table->refusals[i].reason);
}

static void probe(const char *path, hanse_decoder *decoder)
{
    hanse_map_client *client;
    hanse_found_tables found;
    hanse_hdf5_table table;
    hanse_error error = {0};
    const hanse_map_options options = {.answer_seconds = 60, .cpu_seconds = 1};
    printf("%s\n", path);
    if (hanse_map_client_open(path, &options, &client, &error) != HANSE_OK) {
        report("open", &error);
        return;
    }
    if (hanse_map_client_table(client, NULL, false, 0, &table, &error) !=
        HANSE_OK) {
        report("table", &error);
        if (hanse_map_client_list(client, &found, &error) != HANSE_OK)
            report("list", &error);
        else
            hanse_found_tables_clear(&found);
    } else {
        probe_table(client, decoder, &table);
        hanse_hdf5_table_clear(&table);
    }
    hanse_map_client_close(client);
}

int main(void)
{
    char path[4096];
    hanse_decoder *decoder = NULL;
    hanse_error error = {0};
    if (hanse_decoder_create(NULL, &decoder, &error) != HANSE_OK) {
        fprintf(stderr, "probe_map: %s\n", error.message);
        return 1;
    }
    while (fgets(path, sizeof path, stdin) != NULL) {
        path[strcspn(path, "\n")] = '\0';
        probe(path, decoder);
        printf("done\n");
        fflush(stdout);
    }
    hanse_decoder_destroy(decoder);
    return 0;
}
