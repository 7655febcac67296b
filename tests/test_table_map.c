/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages that describe tables: what is put is what one gets, and what was
 * cut, changed or made up is refused without harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sample_map.h"

static hanse_message put(const hanse_hdf5_table *table)
{
    hanse_message message = {0};
    hanse_table_map_put(&message, table);
    assert_false(message.failed);
    return message;
}

/* A copy of exactly n bytes, so that sanitizers see reading beyond. */
static hanse_status get(const uint8_t *bytes, size_t n, hanse_hdf5_table *out,
                        hanse_error *error)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, n);
    hanse_cursor cursor = {.next = copy, .left = n};
    const hanse_status status =
        hanse_table_map_get(&cursor, SAMPLE_MAP_FILE_BYTES, out, error);
    if (status == HANSE_OK)
        assert_true(cursor.left < n);
    free(copy);
    return status;
}

static void assert_same_text(const char *a, const char *b)
{
    assert_true((a == NULL) == (b == NULL));
    if (a != NULL)
        assert_string_equal(a, b);
}

/* ---- Round trip --------------------------------------------------------- */

static void compare_column(const hanse_hdf5_column *a,
                           const hanse_hdf5_column *b)
{
    assert_same_text(a->name, b->name);
    assert_same_text(a->units, b->units);
    assert_same_text(a->long_name, b->long_name);
    assert_same_text(a->missing_text, b->missing_text);
    assert_same_text(a->missing.text, b->missing.text);
    assert_int_equal(a->type.type, b->type.type);
    assert_int_equal(a->type.form, b->type.form);
    assert_int_equal(a->type.size_bytes, b->type.size_bytes);
    assert_int_equal(a->type.big_endian, b->type.big_endian);
    assert_int_equal(a->type.padding, b->type.padding);
    assert_string_equal(a->type.text, b->type.text);
    assert_true(hanse_hdf5_type_same(&a->type, &b->type));
    assert_int_equal(a->missing.n, b->missing.n);
    assert_memory_equal(a->missing.codes, b->missing.codes,
                        sizeof a->missing.codes);
    assert_memory_equal(a->missing.values, b->missing.values,
                        sizeof a->missing.values);
    assert_int_equal(a->member, b->member);
    assert_int_equal(a->member_offset, b->member_offset);
    assert_memory_equal(&a->layout, &b->layout, sizeof a->layout);
}

static void compare_map(const hanse_dataset_map *a, const hanse_dataset_map *b)
{
    assert_int_equal(a->is_recorded, b->is_recorded);
    assert_string_equal(a->reason, b->reason);
    if (!a->is_recorded || a->reason[0] != '\0')
        return;
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->element_bytes, b->element_bytes);
    assert_int_equal(a->n_rows, b->n_rows);
    assert_int_equal(a->chunk_rows, b->chunk_rows);
    assert_int_equal(a->address, b->address);
    assert_memory_equal(&a->pipeline, &b->pipeline, sizeof a->pipeline);
    assert_memory_equal(a->fill, b->fill, a->element_bytes);
    assert_int_equal(a->n_chunks, b->n_chunks);
    if (a->n_chunks != 0)
        assert_memory_equal(a->chunks, b->chunks,
                            a->n_chunks * sizeof *a->chunks);
    assert_true((a->compact == NULL) == (b->compact == NULL));
    if (a->compact != NULL)
        assert_memory_equal(a->compact, b->compact,
                            a->n_rows * a->element_bytes);
}

static void compare_round_trip(hanse_hdf5_table table)
{
    hanse_hdf5_table back;
    hanse_error error = {0};
    hanse_message message = put(&table);
    if (get(message.bytes, message.n, &back, &error) != HANSE_OK)
        fail_msg("%s", error.message);
    assert_string_equal(table.path, back.path);
    assert_int_equal(table.is_compound, back.is_compound);
    assert_int_equal(table.n_rows, back.n_rows);
    assert_int_equal(table.row_bytes, back.row_bytes);
    assert_int_equal(table.stored_bytes, back.stored_bytes);
    assert_int_equal(table.raw_bytes, back.raw_bytes);
    assert_int_equal(table.n_columns, back.n_columns);
    assert_int_equal(table.n_maps, back.n_maps);
    assert_int_equal(table.n_refusals, back.n_refusals);
    for (size_t i = 0; i < table.n_columns; i++)
        compare_column(&table.columns[i], &back.columns[i]);
    for (size_t i = 0; i < table.n_maps; i++)
        compare_map(&table.maps[i], &back.maps[i]);
    for (size_t i = 0; i < table.n_refusals; i++) {
        assert_string_equal(table.refusals[i].name, back.refusals[i].name);
        assert_string_equal(table.refusals[i].reason, back.refusals[i].reason);
    }
    hanse_hdf5_table_clear(&back);
    hanse_hdf5_table_clear(&table);
    free(message.bytes);
}

static void table_round_trip_is_equal(void **state)
{
    (void)state;
    compare_round_trip(sample_map_columns());
    compare_round_trip(sample_map_compound());
}

static void found_round_trip_is_equal(void **state)
{
    (void)state;
    hanse_found_table items[] = {{(char[]){"/a"}, false, 12, 3},
                                 {(char[]){"/b/c"}, true, 0, 1}};
    const hanse_found_tables found = {items, 2, NULL};
    hanse_found_tables back;
    hanse_message message = {0};
    hanse_found_tables_put(&message, &found);
    for (size_t n = 0; n <= message.n; n++) {
        hanse_cursor cursor = {.next = message.bytes, .left = n};
        const hanse_status status =
            hanse_found_tables_get(&cursor, &back, NULL);
        assert_int_equal(status, n < message.n ? HANSE_ERR_FORMAT : HANSE_OK);
    }
    assert_int_equal(back.n, 2);
    assert_string_equal(back.items[1].path, "/b/c");
    assert_int_equal(back.items[0].n_rows, 12);
    assert_true(back.items[1].is_compound && back.complaint == NULL);
    hanse_found_tables_clear(&back);
    free(message.bytes);
}

/* ---- Damage ------------------------------------------------------------- */

static void table_cut_anywhere_is_refused(void **state)
{
    (void)state;
    hanse_hdf5_table table = sample_map_columns();
    hanse_message message = put(&table);
    for (size_t n = 0; n < message.n; n++) {
        hanse_hdf5_table back;
        assert_int_equal(get(message.bytes, n, &back, NULL), HANSE_ERR_FORMAT);
    }
    hanse_hdf5_table_clear(&table);
    free(message.bytes);
}

/* What is accepted in spite of a changed byte is sound: it makes the same
 * message again. */
static void table_changed_byte_is_refused_or_sound(void **state)
{
    (void)state;
    static const uint8_t changes[] = {0x01, 0x80, 0xff, 0x40};
    hanse_hdf5_table table = sample_map_columns();
    hanse_message message = put(&table);
    size_t n_refused = 0;
    for (size_t i = 0; i < message.n; i++)
        for (size_t c = 0; c < sizeof changes; c++) {
            hanse_hdf5_table back;
            message.bytes[i] ^= changes[c];
            const hanse_status status =
                get(message.bytes, message.n, &back, NULL);
            if (status == HANSE_OK) {
                hanse_message again = put(&back);
                assert_true(again.n <= message.n);
                assert_memory_equal(again.bytes, message.bytes, again.n);
                free(again.bytes);
                hanse_hdf5_table_clear(&back);
            } else {
                assert_int_equal(status, HANSE_ERR_FORMAT);
                n_refused++;
            }
            message.bytes[i] ^= changes[c];
        }
    assert_true(n_refused > 1000);
    hanse_hdf5_table_clear(&table);
    free(message.bytes);
}

/* ---- Lies --------------------------------------------------------------- */

/* Puts the table as it is now, gets it, and clears it. */
static void assert_refused(hanse_hdf5_table *table, const char *words)
{
    hanse_hdf5_table back;
    hanse_error error = {0};
    hanse_message message = put(table);
    assert_int_equal(get(message.bytes, message.n, &back, &error),
                     HANSE_ERR_FORMAT);
    if (strstr(error.message, words) == NULL)
        fail_msg("'%s' does not say '%s'", error.message, words);
    free(message.bytes);
    hanse_hdf5_table_clear(table);
}

static void table_impossible_columns_are_refused(void **state)
{
    (void)state;
    hanse_hdf5_table t = sample_map_compound();
    t.columns[1].member_offset = 21;
    assert_refused(&t, "outside its row");
    t = sample_map_columns();
    t.columns[4].layout.n_rows--;
    assert_refused(&t, "another number of rows");
    t = sample_map_compound();
    t.n_rows = 1000000000000;
    for (size_t i = 0; i < 2; i++)
        t.columns[i].layout.n_rows = t.n_rows;
    assert_refused(&t, "more rows than the file can hold");
    t = sample_map_columns();
    t.columns[1].type.form = HANSE_FORM_TEXT_FIXED;
    assert_refused(&t, "described wrongly");
    t = sample_map_columns();
    t.columns[1].type.type = HANSE_INT32;
    assert_refused(&t, "described wrongly");
    t = sample_map_columns();
    t.columns[0].name[0] = (char)0xff;
    assert_refused(&t, "described wrongly");
    t = sample_map_columns();
    t.columns[0].layout.chunk_rows = 0;
    assert_refused(&t, "described wrongly");
    t = sample_map_columns();
    t.columns[0].type.labels[1].code = -2;
    assert_refused(&t, "described wrongly");
}

static void table_impossible_maps_are_refused(void **state)
{
    (void)state;
    hanse_hdf5_table t = sample_map_columns();
    t.maps[1].address = SAMPLE_MAP_FILE_BYTES - 8 * t.n_rows + 1;
    assert_refused(&t, "beyond the end");
    t = sample_map_columns();
    t.maps[0].chunks[3].address = UINT64_MAX - 4;
    assert_refused(&t, "chunk 3");
    t = sample_map_columns();
    t.maps[0].n_chunks--;
    assert_refused(&t, "chunks");
    t = sample_map_columns();
    t.maps[0].pipeline.filters[1].id = 4;
    assert_refused(&t, "filters");
    t = sample_map_columns();
    t.maps[1].n_rows--;
    assert_refused(&t, "map of something else");
    t = sample_map_compound();
    t.maps[0].kind = HANSE_LAYOUT_COMPACT;
    assert_refused(&t, "map of something else");
    t = sample_map_compound();
    free(t.maps[0].fill);
    t.maps[0].fill = NULL;
    assert_refused(&t, "no bytes");
}

/* Columns 5 and 6 lie in other files, in two pieces each. */
static void table_impossible_foreign_maps_are_refused(void **state)
{
    (void)state;
    for (size_t column = 5; column < 7; column++)
        for (int fault = 0; fault < 6; fault++) {
            hanse_hdf5_table t = sample_map_columns();
            hanse_foreign_piece *piece = &t.maps[column].pieces[1];
            if (fault == 0)
                piece->file = 7; /* no such */
            else if (fault == 1)
                piece->first = 5; /* overlaps */
            else if (fault == 2)
                piece->n *= 3; /* beyond the end */
            else if (fault == 3)
                piece->n = 0;
            else if (fault == 4)
                piece->start = UINT64_MAX - 1; /* overflows */
            else
                piece->first = UINT64_MAX - 1;
            assert_refused(&t, "lie nowhere");
        }
    hanse_hdf5_table t = sample_map_columns();
    t.maps[5].pieces[1].n--; /* a byte that lies nowhere */
    assert_refused(&t, "lie nowhere");
    t = sample_map_columns();
    t.columns[6].type.irregular = true;
    assert_refused(&t, "cannot lie in other files");
}

/* A map that comes by itself must suit its column. */
static void map_for_another_column_is_refused(void **state)
{
    (void)state;
    hanse_hdf5_table t = sample_map_columns();
    for (size_t column = 0; column < 3; column++) {
        hanse_dataset_map back;
        hanse_message message = {0};
        hanse_dataset_map_put(&message, &t.maps[1]);
        hanse_cursor cursor = {.next = message.bytes, .left = message.n};
        const hanse_status status = hanse_dataset_map_get(
            &cursor, SAMPLE_MAP_FILE_BYTES, &t, column, &back, NULL);
        assert_int_equal(status, column == 1 ? HANSE_OK : HANSE_ERR_FORMAT);
        if (status == HANSE_OK)
            hanse_dataset_map_clear(&back);
        free(message.bytes);
    }
    hanse_hdf5_table_clear(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_round_trip_is_equal),
        cmocka_unit_test(found_round_trip_is_equal),
        cmocka_unit_test(table_cut_anywhere_is_refused),
        cmocka_unit_test(table_changed_byte_is_refused_or_sound),
        cmocka_unit_test(table_impossible_columns_are_refused),
        cmocka_unit_test(table_impossible_maps_are_refused),
        cmocka_unit_test(table_impossible_foreign_maps_are_refused),
        cmocka_unit_test(map_for_another_column_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
