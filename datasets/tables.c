/* SPDX-License-Identifier: Apache-2.0
 *
 * Columns of /enterprises and /links. The order of the fields is that of the
 * members in hanse_enterprises.
 */
#include "datasets/tables.h"

static const hanse_label sectors[HANSE_SECTOR_COUNT] = {
    {HANSE_SECTOR_MANUFACTURING, "manufacturing"},
    {HANSE_SECTOR_ENERGY, "energy"},
    {HANSE_SECTOR_MEDICAL, "medical"},
};

static const hanse_field enterprise_fields[] = {
    {.name = "enterprise_id",
     .type = HANSE_INT64,
     .units = "1",
     .long_name = "identifier of the enterprise"},
    {.name = "cluster",
     .type = HANSE_INT32,
     .units = "1",
     .long_name = "industrial cluster"},
    {.name = "chain",
     .type = HANSE_INT16,
     .units = "1",
     .long_name = "industry chain"},
    {.name = "platform",
     .type = HANSE_INT16,
     .units = "1",
     .long_name = "cooperation platform"},
    {.name = "sector",
     .type = HANSE_UINT8,
     .units = "1",
     .long_name = "sector of the economy",
     .labels = sectors,
     .n_labels = HANSE_SECTOR_COUNT},
    {.name = "active",
     .type = HANSE_UINT8,
     .units = "1",
     .long_name = "whether the enterprise is active"},
    {.name = "labour",
     .type = HANSE_FLOAT64,
     .units = "EUR",
     .long_name = "labour cost of the year"},
    {.name = "equipment",
     .type = HANSE_FLOAT64,
     .units = "EUR",
     .long_name = "value of the equipment"},
    {.name = "technology",
     .type = HANSE_FLOAT64,
     .units = "EUR",
     .long_name = "value of the technology"},
    {.name = "resource",
     .type = HANSE_FLOAT64,
     .units = "EUR",
     .long_name = "resources in all"},
    {.name = "information",
     .type = HANSE_FLOAT64,
     .units = "GB",
     .long_name = "information offered in the year"},
    {.name = "quality",
     .type = HANSE_FLOAT32,
     .units = "1",
     .long_name = "quality of the information"},
    {.name = "strategy",
     .type = HANSE_FLOAT64,
     .units = "1",
     .long_name = "cooperation strategy score, 0 to 100"},
    {.name = "demand",
     .type = HANSE_FLOAT64,
     .units = "EUR",
     .long_name = "demand for common resources"},
};

static void fill_enterprises(const void *context, void *scratch, uint64_t first,
                             size_t n, void *const *columns)
{
    (void)scratch;
    const hanse_enterprises rows = {
        .enterprise_id = columns[0],
        .cluster = columns[1],
        .chain = columns[2],
        .platform = columns[3],
        .sector = columns[4],
        .active = columns[5],
        .labour = columns[6],
        .equipment = columns[7],
        .technology = columns[8],
        .resource = columns[9],
        .information = columns[10],
        .quality = columns[11],
        .strategy = columns[12],
        .demand = columns[13],
    };
    hanse_population_fill(context, first, n, &rows);
}

hanse_row_maker hanse_enterprise_table(const hanse_population *population,
                                       uint64_t n_rows)
{
    return (hanse_row_maker){
        .path = "/enterprises",
        .fields = enterprise_fields,
        .n_fields = sizeof enterprise_fields / sizeof enterprise_fields[0],
        .n_rows = n_rows,
        .context = population,
        .fill = fill_enterprises,
    };
}

static const hanse_field link_fields[] = {
    {.name = "source",
     .type = HANSE_INT64,
     .units = "1",
     .long_name = "row of the enterprise that informs, from 0"},
    {.name = "target",
     .type = HANSE_INT64,
     .units = "1",
     .long_name = "row of the enterprise that is informed, from 0"},
    {.name = "rate",
     .type = HANSE_FLOAT32,
     .units = "1",
     .long_name = "share of the information that is passed on"},
};

static hanse_status open_window(const void *context, void **scratch,
                                hanse_error *error)
{
    hanse_link_window *window = NULL;
    const hanse_status status =
        hanse_link_window_create(context, &window, error);
    *scratch = window;
    return status;
}

static void close_window(void *scratch)
{
    hanse_link_window_destroy(scratch);
}

static void fill_links(const void *context, void *scratch, uint64_t first,
                       size_t n, void *const *columns)
{
    hanse_links_fill(context, scratch, first, n, columns[0], columns[1],
                     columns[2]);
}

hanse_row_maker hanse_link_table(const hanse_links *links)
{
    return (hanse_row_maker){
        .path = "/links",
        .fields = link_fields,
        .n_fields = sizeof link_fields / sizeof link_fields[0],
        .n_rows = hanse_links_count(links),
        .context = links,
        .open = open_window,
        .close = close_window,
        .fill = fill_links,
    };
}
