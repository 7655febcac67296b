/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of six rows with a column of every type, values at the edges of the
 * types, and missing values both marked and as NaN; for the tests of formulas.
 */
#ifndef HANSE_TESTS_FORMULA_TABLE_H
#define HANSE_TESTS_FORMULA_TABLE_H

#include <math.h>

#include "engine/hanse.h"

enum {
    TABLE_ROWS = 6
};

static const hanse_label sector_labels[] = {
    {1, "manufacturing"}, {2, "energy"}, {3, "medical"}};
static const hanse_label other_labels[] = {{1, "a"}, {2, "b"}};

static const hanse_field table_fields[] = {
    {.name = "active", .type = HANSE_UINT8},
    {.name = "chain", .type = HANSE_INT16},
    {.name = "big", .type = HANSE_INT64},
    {.name = "ubig", .type = HANSE_UINT64},
    {.name = "labour", .type = HANSE_FLOAT64},
    {.name = "quality", .type = HANSE_FLOAT32},
    {.name = "flag", .type = HANSE_BOOL},
    {.name = "region", .type = HANSE_TEXT},
    {.name = "town", .type = HANSE_TEXT},
    {.name = "sector",
     .type = HANSE_INT8,
     .labels = sector_labels,
     .n_labels = 3},
    {.name = "former",
     .type = HANSE_INT32,
     .labels = sector_labels,
     .n_labels = 3},
    {.name = "kind",
     .type = HANSE_UINT64,
     .labels = other_labels,
     .n_labels = 2},
    {.name = "my col", .type = HANSE_FLOAT64},
    {.name = "small", .type = HANSE_INT8},
    {.name = "word", .type = HANSE_UINT16},
    {.name = "count", .type = HANSE_UINT32},
    {.name = "qualit\xc3\xa9", .type = HANSE_FLOAT64},
    {.name = "or", .type = HANSE_INT32},
    {.name = "marked", .type = HANSE_FLOAT64},
    {.name = "a`b", .type = HANSE_FLOAT64},
};

enum {
    TABLE_FIELDS = sizeof table_fields / sizeof table_fields[0]
};

static const hanse_schema table_schema = {table_fields, TABLE_FIELDS};

static const uint8_t table_active[] = {1, 0, 1, 1, 0, 2};
static const int16_t table_chain[] = {-5, 0, 7, 300, 99, 7};
static const int64_t table_big[] = {
    INT64_MIN, INT64_MAX, INT64_C(9007199254740992), INT64_C(9007199254740993),
    -1,        77};
static const uint64_t table_ubig[] = {0,
                                      UINT64_MAX,
                                      UINT64_C(9007199254740992),
                                      UINT64_C(9223372036854775808),
                                      UINT64_C(9223372036854775807),
                                      1};
static const double table_labour[] = {1.5, -2.0, NAN, 0.0, INFINITY, 1e308};
static const float table_quality[] = {0.1f, 0.5f, NAN, 1.0f, -0.0f, 0.25f};
static const uint8_t table_flag[] = {1, 0, 1, 1, 0, 7};
static const int32_t table_region_at[] = {0, 5, 10, 10, 14, 16, 20};
static const int32_t table_town_at[] = {0, 5, 10, 11, 15, 16, 18};
static const int8_t table_sector[] = {1, 2, 3, 1, 2, 9};
static const int32_t table_former[] = {1, 3, 3, 2, 2, 9};
static const uint64_t table_kind[] = {1, 2, 1, 2, 1, 2};
static const double table_my_col[] = {1, 2, 3, 4, 5, 6};
static const int8_t table_small[] = {-128, -1, 0, 1, 127, 5};
static const uint16_t table_word[] = {0, 1, 255, 256, 65535, 5};
static const uint32_t table_count[] = {0, 1, 255, 65536, 4294967295u, 5};
static const double table_marked[] = {1, 2, 3, 4, 5, 6};

static const uint8_t mark_4[] = {0, 0, 0, 0, 1, 0};
static const uint8_t mark_5[] = {0, 0, 0, 0, 0, 1};
static const uint8_t mark_2[] = {0, 0, 0x80, 0, 0, 0};

static const hanse_array table_arrays[TABLE_FIELDS] = {
    {.values = table_active},
    {.values = table_chain, .missing = mark_4},
    {.values = table_big, .missing = mark_5},
    {.values = table_ubig},
    {.values = table_labour},
    {.values = table_quality},
    {.values = table_flag, .missing = mark_2},
    {.values = "northsouthzo\xc3\xabxxit's",
     .offsets = table_region_at,
     .missing = mark_4},
    {.values = "northeast.zzo\xc3\xabzs\xff", .offsets = table_town_at},
    {.values = table_sector, .missing = mark_4},
    {.values = table_former},
    {.values = table_kind},
    {.values = table_my_col},
    {.values = table_small},
    {.values = table_word},
    {.values = table_count},
    {.values = table_my_col},
    {.values = table_former},
    {.values = table_marked, .missing = mark_2},
    {.values = table_my_col},
};

static const hanse_batch table_batch = {TABLE_ROWS, table_arrays};

#endif
