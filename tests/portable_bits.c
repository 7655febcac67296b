/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints every bit of the results over a made-up table: keys, counts and all
 * statistics of floats, integers and formulas, groups kept in one fold and
 * groups shared by two threads. What it prints is the same on every machine
 * and with every instruction set.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/memory_source.h"
#include "engine/run.h"

enum {
    N_ROWS = 60000
};

static const hanse_field fields[] = {
    {.name = "key", .type = HANSE_INT32},
    {.name = "part", .type = HANSE_INT16, .missing_code = -1},
    {.name = "x", .type = HANSE_FLOAT64},
    {.name = "money", .type = HANSE_FLOAT32},
    {.name = "i", .type = HANSE_INT64},
};
static const hanse_schema schema = {fields, sizeof fields / sizeof *fields};

static int32_t keys[N_ROWS];
static int16_t parts[N_ROWS];
static uint8_t part_missing[N_ROWS];
static double x[N_ROWS];
static float money[N_ROWS];
static int64_t numbers[N_ROWS];

/* Steele, Lea, Flood 2014. */
static uint64_t random_bits(void)
{
    static uint64_t state = 42;
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void fill(void)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        keys[i] = (int32_t)(random_bits() % 20000);
        parts[i] = (int16_t)(random_bits() % 7);
        part_missing[i] = random_bits() % 90 == 0;
        const int exponent = (int)(random_bits() % 60) - 30;
        x[i] = ldexp((double)(int64_t)random_bits(), exponent - 63);
        if (random_bits() % 500 == 0)
            x[i] = random_bits() % 2 == 0 ? (double)NAN : -0.0;
        money[i] = (float)(random_bits() % 100000) / 100.0f;
        numbers[i] = (int64_t)random_bits() >> 20;
    }
}

static void print_column(const hanse_column *column, size_t n)
{
    const size_t size = hanse_type_size(column->type);
    printf("%s %s", column->name, hanse_type_name(column->type));
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = 0;
        switch (size) {
        case 2:
            bits = ((const uint16_t *)column->values)[i];
            break;
        case 4:
            bits = ((const uint32_t *)column->values)[i];
            break;
        default:
            bits = ((const uint64_t *)column->values)[i];
        }
        printf(" %" PRIx64, bits);
    }
    printf("\n");
}

static void print_result(const hanse_result *result)
{
    for (size_t t = 0; t < hanse_result_n_tables(result); t++) {
        const hanse_table *table = hanse_result_table(result, t);
        printf("%s %zu\n", table->name, table->n_rows);
        for (size_t k = 0; k < table->n_keys; k++)
            print_column(&table->keys[k], table->n_rows);
        for (size_t c = 0; c < table->n_columns; c++)
            print_column(&table->columns[c], table->n_rows);
    }
}

static hanse_status run(hanse_error *error)
{
    static const char *const by[] = {"key", "part"};
    const hanse_array arrays[] = {{.values = keys},
                                  {.values = parts, .missing = part_missing},
                                  {.values = x},
                                  {.values = money},
                                  {.values = numbers}};
    const hanse_batch batch = {N_ROWS, arrays};
    const hanse_run_options options = {.n_threads = 2};
    const hanse_run_tuning tuning = {.share_bytes = (size_t)1 << 18};
    hanse_spec *spec;
    hanse_source *source;
    hanse_result *result;
    HANSE_TRY(hanse_spec_create(&spec, error));
    HANSE_TRY(hanse_spec_add_grouping(spec, by, 2, error));
    HANSE_TRY(hanse_spec_add_grouping(spec, by + 1, 1, error));
    HANSE_TRY(hanse_spec_add_grouping(spec, by, 0, error));
    HANSE_TRY(hanse_spec_add_measure(spec, "x", "x", error));
    HANSE_TRY(hanse_spec_add_measure(spec, "i", "i", error));
    HANSE_TRY(hanse_spec_add_measure(
        spec, "y", "log(abs(x) + 1) * money - sqrt(abs(i))", error));
    HANSE_TRY(hanse_spec_set_filter(spec, "money < 900.5 or i > 0", error));
    HANSE_TRY(hanse_spec_set_statistics(spec, HANSE_STAT_ALL, error));
    HANSE_TRY(hanse_memory_source_open(&schema, &batch, 7000, &source, error));
    HANSE_TRY(
        hanse_run_tuned(spec, source, &options, &tuning, NULL, &result, error));
    print_result(result);
    hanse_result_destroy(result);
    hanse_source_close(source);
    hanse_spec_destroy(spec);
    return HANSE_OK;
}

int main(void)
{
    hanse_error error = {0};
    fill();
    if (run(&error) == HANSE_OK)
        return EXIT_SUCCESS;
    fprintf(stderr, "%s\n", error.message);
    return EXIT_FAILURE;
}
