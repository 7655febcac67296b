/* SPDX-License-Identifier: Apache-2.0
 *
 * In situ: a simulation hands its enterprises to hanse while they are in its
 * own memory, year after year. Nothing is stored but the totals.
 *
 * Two ranks of a simulation, played here one after the other, fold their own
 * enterprises. Their states are merged, which gives the same bits as one rank
 * with all enterprises would. docs/in-situ.md goes through it step by step.
 *
 *     cc in_situ.c $(pkg-config --cflags --libs hanse) -o in_situ
 *     ./in_situ totals.h5
 */
#include <hanse.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum {
    N_RANKS = 2,
    FIRST_YEAR = 2026,
    N_YEARS = 3,
    N_ENTERPRISES = 2000,
    N_CLUSTERS = 4
};

/* ---- The simulation ----------------------------------------------------- */

/* The enterprises of one rank, an array for each property. */
typedef struct simulation {
    int16_t year[N_ENTERPRISES];
    int32_t cluster[N_ENTERPRISES];
    double resource[N_ENTERPRISES];    /* million euro */
    double information[N_ENTERPRISES]; /* NaN: not known this year */
    uint8_t active[N_ENTERPRISES];
} simulation;

static void simulation_start(simulation *s, int rank)
{
    for (int i = 0; i < N_ENTERPRISES; i++) {
        s->cluster[i] = 1 + (i % 7 + rank) % N_CLUSTERS;
        s->resource[i] = 0.1 * (1 + i % 97);
        s->information[i] = i % 50 == 0 ? NAN : 0.01 * (i % 31);
        s->active[i] = 1;
    }
}

/* Enterprises grow by a rate of their own, and now and then one closes. */
static void simulation_step(simulation *s, int year)
{
    for (int i = 0; i < N_ENTERPRISES; i++) {
        s->year[i] = (int16_t)year;
        s->resource[i] *= 1.0 + 0.001 * (i % 40);
        if ((i + year) % 211 == 0)
            s->active[i] = 0;
    }
}

/* ---- What hanse shall compute ------------------------------------------- */

/* Columns are named in the order in which batches list their arrays. */
static const hanse_field fields[] = {
    {.name = "year", .type = HANSE_INT16},
    {.name = "cluster", .type = HANSE_INT32, .long_name = "industrial cluster"},
    {.name = "resource", .type = HANSE_FLOAT64, .units = "1e6 EUR"},
    {.name = "information", .type = HANSE_FLOAT64},
    {.name = "active", .type = HANSE_BOOL},
};
static const hanse_schema schema = {fields, 5};

/* Of active enterprises, by year, and by year and cluster. */
static hanse_status make_spec(hanse_spec *spec, hanse_error *error)
{
    static const char *const keys[] = {"year", "cluster"};
    hanse_status status = hanse_spec_add_grouping(spec, keys, 1, error);
    if (status == HANSE_OK)
        status = hanse_spec_add_grouping(spec, keys, 2, error);
    if (status == HANSE_OK) /* NULL: the column "resource" */
        status = hanse_spec_add_model(spec, HANSE_MODEL_RESOURCE, NULL, error);
    if (status == HANSE_OK)
        status = hanse_spec_add_model(spec, HANSE_MODEL_INFORMATION,
                                      "100 * information", error);
    if (status == HANSE_OK)
        status = hanse_spec_set_filter(spec, "active", error);
    if (status == HANSE_OK)
        status = hanse_spec_set_statistics(
            spec, HANSE_STAT_COUNT | HANSE_STAT_TOTAL | HANSE_STAT_MEAN, error);
    return status;
}

/* ---- One rank ----------------------------------------------------------- */

/* Nothing is copied: the batch points at the simulation's own arrays. */
static hanse_status add_year(hanse_aggregation *aggregation,
                             const simulation *s, hanse_error *error)
{
    const hanse_array arrays[] = {
        {.values = s->year},     {.values = s->cluster},
        {.values = s->resource}, {.values = s->information},
        {.values = s->active},
    };
    const hanse_batch batch = {N_ENTERPRISES, arrays};
    return hanse_aggregation_add(aggregation, &batch, error);
}

static hanse_status run_rank(int rank, const hanse_spec *spec,
                             hanse_aggregation **out, hanse_error *error)
{
    static simulation s;
    hanse_status status = hanse_aggregation_create(spec, &schema, out, error);
    simulation_start(&s, rank);
    for (int y = 0; y < N_YEARS && status == HANSE_OK; y++) {
        simulation_step(&s, FIRST_YEAR + y);
        status = add_year(*out, &s, error);
    }
    return status;
}

/* ---- Results ------------------------------------------------------------ */

static void print_value(const hanse_column *column, size_t row)
{
    switch (column->type) {
    case HANSE_FLOAT64:
        printf("  %20.12g", ((const double *)column->values)[row]);
        break;
    case HANSE_INT64:
        printf("  %20" PRId64, ((const int64_t *)column->values)[row]);
        break;
    case HANSE_INT32:
        printf("  %20" PRId32, ((const int32_t *)column->values)[row]);
        break;
    case HANSE_INT16:
        printf("  %20" PRId16, ((const int16_t *)column->values)[row]);
        break;
    default: /* other types do not come up with these columns */
        printf("  %20s", hanse_type_name(column->type));
        break;
    }
}

static void print_table(const hanse_table *table)
{
    printf("%s\n", table->name);
    for (size_t k = 0; k < table->n_keys; k++)
        printf("  %20s", table->keys[k].name);
    for (size_t c = 0; c < table->n_columns; c++)
        printf("  %20s", table->columns[c].name);
    printf("\n");
    for (size_t row = 0; row < table->n_rows; row++) {
        for (size_t k = 0; k < table->n_keys; k++)
            print_value(&table->keys[k], row);
        for (size_t c = 0; c < table->n_columns; c++)
            print_value(&table->columns[c], row);
        printf("\n");
    }
}

/* The tables of both ranks together, on the screen and in a file. */
static hanse_status publish(const hanse_aggregation *all, const char *path,
                            hanse_error *error)
{
    hanse_result *result;
    hanse_status status = hanse_aggregation_finish(all, &result, error);
    if (status != HANSE_OK)
        return status;
    for (size_t t = 0; t < hanse_result_n_tables(result); t++)
        print_table(hanse_result_table(result, t));
    const hanse_row_counts rows = hanse_result_rows(result);
    printf("%" PRIu64 " rows, %" PRIu64 " of active enterprises\n", rows.read,
           rows.kept);
    status = hanse_result_write(result, path, "in_situ", error);
    hanse_result_destroy(result);
    return status;
}

int main(int argc, char **argv)
{
    hanse_error error = {0};
    hanse_spec *spec = NULL;
    hanse_aggregation *ranks[N_RANKS] = {0};
    if (argc != 2) {
        fprintf(stderr, "usage: in_situ RESULT.h5\n");
        return 2;
    }
    hanse_status status = hanse_spec_create(&spec, &error);
    if (status == HANSE_OK)
        status = make_spec(spec, &error);
    for (int rank = 0; rank < N_RANKS && status == HANSE_OK; rank++)
        status = run_rank(rank, spec, &ranks[rank], &error);
    for (int rank = 1; rank < N_RANKS && status == HANSE_OK; rank++)
        status = hanse_aggregation_merge(ranks[0], ranks[rank], &error);
    if (status == HANSE_OK)
        status = publish(ranks[0], argv[1], &error);

    if (status != HANSE_OK)
        fprintf(stderr, "in_situ: error: %s\n", error.message);
    for (int rank = 0; rank < N_RANKS; rank++)
        hanse_aggregation_destroy(ranks[rank]);
    hanse_spec_destroy(spec);
    return status == HANSE_OK ? 0 : 1;
}
