/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzer of what the confined process says: any bytes are read as a table, as
 * a list of tables and as a map. What is accepted makes the same message again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sample_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stops the fuzzer, in release builds too. */
#define CHECK(holds)                                                    \
    do {                                                                \
        if (!(holds)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #holds); \
            abort();                                                    \
        }                                                               \
    } while (0)

static void check_again(hanse_message *again, const uint8_t *data, size_t size)
{
    CHECK(!again->failed && again->n <= size);
    CHECK(memcmp(again->bytes, data, again->n) == 0);
    free(again->bytes);
}

static void try_table(const uint8_t *data, size_t size)
{
    hanse_cursor cursor = {.next = data, .left = size};
    hanse_hdf5_table table;
    hanse_error error = {0};
    const hanse_status status =
        hanse_table_map_get(&cursor, SAMPLE_MAP_FILE_BYTES, &table, &error);
    if (status != HANSE_OK) {
        CHECK(status == HANSE_ERR_FORMAT && error.message[0] != '\0');
        return;
    }
    hanse_message again = {0};
    hanse_table_map_put(&again, &table);
    check_again(&again, data, size);
    hanse_hdf5_table_clear(&table);
}

static void try_list(const uint8_t *data, size_t size)
{
    hanse_cursor cursor = {.next = data, .left = size};
    hanse_found_tables found;
    if (hanse_found_tables_get(&cursor, &found, NULL) != HANSE_OK)
        return;
    hanse_message again = {0};
    hanse_found_tables_put(&again, &found);
    check_again(&again, data, size);
    hanse_found_tables_clear(&found);
}

static void try_map(const uint8_t *data, size_t size)
{
    hanse_hdf5_table table = sample_map_columns();
    for (size_t i = 0; i < table.n_columns; i++) {
        hanse_cursor cursor = {.next = data, .left = size};
        hanse_dataset_map map;
        if (hanse_dataset_map_get(&cursor, SAMPLE_MAP_FILE_BYTES, &table, i,
                                  &map, NULL) != HANSE_OK)
            continue;
        hanse_message again = {0};
        hanse_dataset_map_put(&again, &map);
        check_again(&again, data, size);
        hanse_dataset_map_clear(&map);
    }
    hanse_hdf5_table_clear(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_table(data, size);
    try_list(data, size);
    try_map(data, size);
    return 0;
}
