/* SPDX-License-Identifier: Apache-2.0
 *
 * The in-situ interface at its edges: what must not merge, arguments that are
 * wrong, labels that are alike.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/hanse.h"

static void check(hanse_status status, const hanse_error *error)
{
    if (status != HANSE_OK)
        fail_msg("%s: %s", hanse_status_name(status), error->message);
}

/* ---- A table of two columns --------------------------------------------- */

static const hanse_label energy_first[] = {{0, "energy"}, {1, "medical"}};
static const hanse_label medical_first[] = {{0, "medical"}, {1, "energy"}};

static const hanse_field two_fields[] = {
    {.name = "sector", .type = HANSE_INT8},
    {.name = "x", .type = HANSE_FLOAT64},
};
static const hanse_schema two_columns = {two_fields, 2};

static const int8_t sectors[] = {0, 1, 0};
static const double values[] = {1.0, 2.0, 4.0};
static const hanse_array two_arrays[] = {{.values = sectors},
                                         {.values = values}};
static const hanse_batch three_rows = {3, two_arrays};

static hanse_spec *create_spec(const char *formula, const char *filter)
{
    static const char *const keys[] = {"sector"};
    hanse_spec *spec;
    hanse_error error;
    check(hanse_spec_create(&spec, &error), &error);
    check(hanse_spec_add_grouping(spec, keys, 1, &error), &error);
    check(hanse_spec_add_grouping(spec, NULL, 0, &error), &error);
    check(hanse_spec_add_measure(spec, "m", formula, &error), &error);
    check(hanse_spec_set_filter(spec, filter, &error), &error);
    return spec;
}

static hanse_aggregation *create(const char *formula, const char *filter,
                                 const hanse_schema *schema)
{
    hanse_spec *spec = create_spec(formula, filter);
    hanse_aggregation *aggregation;
    hanse_error error;
    check(hanse_aggregation_create(spec, schema, &aggregation, &error), &error);
    hanse_spec_destroy(spec);
    return aggregation;
}

static double total_of(const hanse_aggregation *aggregation)
{
    hanse_result *result;
    hanse_error error;
    check(hanse_aggregation_finish(aggregation, &result, &error), &error);
    const hanse_table *table = hanse_result_find(result, "total");
    assert_non_null(table);
    assert_string_equal(table->columns[1].name, "m_total");
    const double total = ((const double *)table->columns[1].values)[0];
    hanse_result_destroy(result);
    return total;
}

/* ---- Merging ------------------------------------------------------------ */

/* Expects the merge of b into a to be refused and to leave a as it was. */
static void refuse_merge(hanse_aggregation *a, hanse_aggregation *b)
{
    hanse_error error;
    check(hanse_aggregation_add(a, &three_rows, &error), &error);
    check(hanse_aggregation_add(b, &three_rows, &error), &error);
    const double before = total_of(a);
    assert_int_equal(hanse_aggregation_merge(a, b, &error), HANSE_ERR_SPEC);
    assert_true(total_of(a) == before);
    hanse_aggregation_destroy(a);
    hanse_aggregation_destroy(b);
}

static void merge_of_other_filter_is_refused(void **state)
{
    (void)state;
    refuse_merge(create("x", "x > 1", &two_columns),
                 create("x", "x > 2", &two_columns));
    refuse_merge(create("x", NULL, &two_columns),
                 create("x", "x > 2", &two_columns));
    refuse_merge(create("x", "x > 2", &two_columns),
                 create("x", NULL, &two_columns));
}

/* An aggregation by a key `k` of that definition. */
static hanse_aggregation *create_by(const char *definition)
{
    static const char *const keys[] = {"k"};
    hanse_spec *spec = create_spec("x", NULL);
    hanse_aggregation *aggregation;
    hanse_error error;
    check(hanse_spec_define_key(spec, "k", definition, &error), &error);
    check(hanse_spec_define_key(spec, "k", definition, &error), &error);
    check(hanse_spec_add_grouping(spec, keys, 1, &error), &error);
    check(hanse_aggregation_create(spec, &two_columns, &aggregation, &error),
          &error);
    assert_int_equal(hanse_spec_define_key(spec, "k", "sector", &error),
                     strcmp(definition, "sector") == 0 ? HANSE_OK
                                                       : HANSE_ERR_SPEC);
    assert_int_equal(hanse_spec_define_key(spec, "", "sector", &error),
                     HANSE_ERR_SPEC);
    assert_int_equal(hanse_spec_define_key(spec, "k", NULL, &error),
                     HANSE_ERR_ARGUMENT);
    hanse_spec_destroy(spec);
    return aggregation;
}

static void merge_of_other_keys_is_refused(void **state)
{
    (void)state;
    refuse_merge(create_by("bin(x, 2)"), create_by("bin(x, 3)"));
    refuse_merge(create_by("x > 2"), create_by("x > 3"));
    refuse_merge(create_by("sector"), create_by("sector + 0"));
}

static void made_keys_group_and_merge(void **state)
{
    (void)state;
    hanse_aggregation *a = create_by("bin(x, 1.5, 4)");
    hanse_aggregation *b = create_by("bin(x, 1.5, 4)");
    hanse_result *result;
    hanse_error error;
    check(hanse_aggregation_add(a, &three_rows, &error), &error);
    check(hanse_aggregation_add(b, &three_rows, &error), &error);
    check(hanse_aggregation_merge(a, b, &error), &error);
    check(hanse_aggregation_finish(a, &result, &error), &error);
    const hanse_table *table = hanse_result_find(result, "by_k");
    assert_non_null(table);
    assert_int_equal(table->n_rows, 3);
    static const char *const labels[] = {"<1.5", "1.5-4", ">=4"};
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(((const char *const *)table->keys[0].values)[i],
                            labels[i]);
    assert_string_equal(table->keys[0].long_name, "bin(x, 1.5, 4)");
    hanse_result_destroy(result);
    hanse_aggregation_destroy(a);
    hanse_aggregation_destroy(b);
}

/* By the key `k`, what `pairs` make of `sector`. */
static hanse_status create_mapped(const hanse_key_pairs *pairs,
                                  hanse_aggregation **out, hanse_error *error)
{
    static const char *const keys[] = {"k"};
    hanse_spec *spec = create_spec("x", NULL);
    hanse_status status = hanse_spec_map_key(spec, "k", "sector", pairs, error);
    if (status == HANSE_OK)
        status = hanse_spec_add_grouping(spec, keys, 1, error);
    if (status == HANSE_OK)
        status = hanse_aggregation_create(spec, &two_columns, out, error);
    if (status == HANSE_OK)
        assert_int_equal(hanse_spec_map_key(spec, "k", "sector", pairs, NULL),
                         HANSE_ERR_SPEC);
    hanse_spec_destroy(spec);
    return status;
}

static void mapped_keys_group_and_count(void **state)
{
    (void)state;
    static const int64_t codes[] = {1, 9, 1};
    static const char *const names[] = {"medical", "none", "medical"};
    static const char *const others[] = {"medical", NULL, "energy"};
    hanse_key_pairs pairs = {.n = 3, .from_integers = codes, .to_texts = names};
    hanse_aggregation *a, *b;
    hanse_result *result;
    hanse_error error;
    check(create_mapped(&pairs, &a, &error), &error);
    check(create_mapped(&pairs, &b, &error), &error);
    check(hanse_aggregation_add(a, &three_rows, &error), &error);
    check(hanse_aggregation_add(b, &three_rows, &error), &error);
    check(hanse_aggregation_merge(a, b, &error), &error);
    check(hanse_aggregation_finish(a, &result, &error), &error);
    const hanse_table *table = hanse_result_find(result, "by_k");
    assert_int_equal(table->n_rows, 2);
    assert_string_equal(((const char *const *)table->keys[0].values)[0],
                        "medical");
    assert_int_equal(table->keys[0].missing[1], 1);
    assert_int_equal(table->keys[0].n_unmapped, 4); /* sector 0, twice each */
    hanse_result_destroy(result);
    hanse_aggregation_destroy(b);
    pairs.n = 2; /* the same but for a pair that says nothing new */
    check(create_mapped(&pairs, &b, &error), &error);
    check(hanse_aggregation_merge(a, b, &error), &error);
    hanse_aggregation_destroy(b);
    pairs.to_texts = others;
    check(create_mapped(&pairs, &b, &error), &error);
    refuse_merge(a, b);
    pairs.n = 3;
    assert_int_equal(create_mapped(&pairs, &a, &error), HANSE_ERR_SPEC);
    assert_string_equal(error.message,
                        "key 'k': the value of pair 2 stands in pair 0, too, "
                        "with another target");
    pairs.to_integers = codes;
    assert_int_equal(create_mapped(&pairs, &a, &error), HANSE_ERR_ARGUMENT);
    pairs = (hanse_key_pairs){.n = 2, .from_texts = others, .to_texts = names};
    assert_int_equal(create_mapped(&pairs, &a, &error), HANSE_ERR_ARGUMENT);
    pairs.from_texts = names;
    assert_int_equal(create_mapped(&pairs, &a, &error), HANSE_ERR_TYPE);
}

static void key_that_is_no_integer_breaks_the_aggregation(void **state)
{
    (void)state;
    hanse_aggregation *a = create_by("x / 4");
    hanse_error error;
    assert_int_equal(hanse_aggregation_add(a, &three_rows, &error),
                     HANSE_ERR_OVERFLOW);
    assert_non_null(strstr(error.message, "key 'k': its value 0.25 in row 0 is "
                                          "not a whole number"));
    assert_int_equal(hanse_aggregation_add(a, &three_rows, &error),
                     HANSE_ERR_ARGUMENT);
    hanse_aggregation_destroy(a);
}

static void merge_of_other_formula_is_refused(void **state)
{
    (void)state;
    refuse_merge(create("2 * x", NULL, &two_columns),
                 create("3 * x", NULL, &two_columns));
}

static void merge_of_other_labels_is_refused(void **state)
{
    (void)state;
    hanse_field a[2], b[2];
    memcpy(a, two_fields, sizeof a);
    memcpy(b, two_fields, sizeof b);
    a[0].labels = energy_first;
    a[0].n_labels = 2;
    b[0].labels = medical_first;
    b[0].n_labels = 2;
    const hanse_schema left = {a, 2}, right = {b, 2};
    refuse_merge(create("x", NULL, &left), create("x", NULL, &right));
    refuse_merge(create("x", NULL, &left), create("x", NULL, &two_columns));
}

static void merge_of_same_specification_adds(void **state)
{
    (void)state;
    hanse_aggregation *a = create("2 * x", "x > 1", &two_columns);
    hanse_aggregation *b = create("2 * x", "x > 1", &two_columns);
    hanse_error error;
    check(hanse_aggregation_add(a, &three_rows, &error), &error);
    check(hanse_aggregation_add(b, &three_rows, &error), &error);
    check(hanse_aggregation_merge(a, b, &error), &error);
    assert_true(total_of(a) == 24.0);
    hanse_aggregation_destroy(a);
    hanse_aggregation_destroy(b);
}

/* ---- Labels ------------------------------------------------------------- */

/* Code 3 is called "5", code 5 has no name: two groups with one text. Their
 * order must not follow the rows. */
static void groups_of_one_label_keep_their_order(void **state)
{
    (void)state;
    static const hanse_label labels[] = {{3, "5"}, {9, "5"}};
    static const hanse_field f[] = {
        {.name = "sector", .type = HANSE_INT8, .labels = labels, .n_labels = 2},
        {.name = "x", .type = HANSE_FLOAT64}};
    static const int8_t orders[2][3] = {{3, 5, 9}, {9, 5, 3}};
    static const double xs[2][3] = {{30, 50, 90}, {90, 50, 30}};
    const hanse_schema schema = {f, 2};
    for (size_t o = 0; o < 2; o++) {
        const hanse_array arrays[] = {{.values = orders[o]}, {.values = xs[o]}};
        const hanse_batch batch = {3, arrays};
        hanse_aggregation *a = create("x", NULL, &schema);
        hanse_result *result;
        hanse_error error;
        check(hanse_aggregation_add(a, &batch, &error), &error);
        check(hanse_aggregation_finish(a, &result, &error), &error);
        const hanse_table *table = hanse_result_table(result, 0);
        const double *totals = table->columns[1].values;
        assert_int_equal(table->n_rows, 3);
        assert_true(totals[0] == 30 && totals[1] == 50 && totals[2] == 90);
        hanse_result_destroy(result);
        hanse_aggregation_destroy(a);
    }
}

static void unlabelled_unsigned_code_is_positive(void **state)
{
    (void)state;
    static const hanse_field f[] = {{.name = "sector",
                                     .type = HANSE_UINT64,
                                     .labels = energy_first,
                                     .n_labels = 2},
                                    {.name = "x", .type = HANSE_FLOAT64}};
    static const uint64_t code[] = {UINT64_MAX};
    const hanse_schema schema = {f, 2};
    const hanse_array arrays[] = {{.values = code}, {.values = values}};
    const hanse_batch batch = {1, arrays};
    hanse_aggregation *a = create("x", NULL, &schema);
    hanse_result *result;
    hanse_error error;
    check(hanse_aggregation_add(a, &batch, &error), &error);
    check(hanse_aggregation_finish(a, &result, &error), &error);
    const hanse_table *table = hanse_result_table(result, 0);
    assert_string_equal(((const char *const *)table->keys[0].values)[0],
                        "18446744073709551615");
    hanse_result_destroy(result);
    hanse_aggregation_destroy(a);
}

/* A cut through a character would not be UTF-8 any more. */
static void long_names_are_whole(void **state)
{
    (void)state;
    char long_name[3 * 400 + 1] = "";
    for (size_t i = 0; i < 400; i++)
        strcat(long_name, "值");
    hanse_field f[2] = {two_fields[0], two_fields[1]};
    f[1].long_name = long_name;
    const hanse_schema schema = {f, 2};
    hanse_aggregation *a = create("x", NULL, &schema);
    hanse_result *result;
    hanse_error error;
    check(hanse_aggregation_finish(a, &result, &error), &error);
    const hanse_column *column = &hanse_result_table(result, 1)->columns[1];
    assert_memory_equal(column->long_name, long_name, sizeof long_name - 1);
    assert_string_equal(column->long_name + sizeof long_name - 1, ": total");
    hanse_result_destroy(result);
    hanse_aggregation_destroy(a);
}

static void messages_cut_keys_between_characters(void **state)
{
    (void)state;
    static const hanse_field f[] = {{.name = "sector", .type = HANSE_TEXT},
                                    {.name = "x", .type = HANSE_INT64}};
    static const char town[] = "值值值值值值值值值值值值值值值值值值值值值值";
    static const int32_t offsets[] = {0, 0, sizeof town - 1};
    static const int64_t large[] = {0, INT64_MAX};
    const hanse_schema schema = {f, 2};
    const hanse_array arrays[] = {{.values = town, .offsets = offsets},
                                  {.values = large}};
    const hanse_batch batch = {2, arrays};
    hanse_aggregation *a = create("x", NULL, &schema);
    hanse_result *result;
    hanse_error error;
    check(hanse_aggregation_add(a, &batch, &error), &error);
    check(hanse_aggregation_add(a, &batch, &error), &error);
    assert_int_equal(hanse_aggregation_finish(a, &result, &error),
                     HANSE_ERR_OVERFLOW);
    assert_non_null(strstr(error.message, "sector=值"));
    assert_non_null(strstr(error.message, "值 does not fit"));
    hanse_aggregation_destroy(a);
}

/* ---- Names of tables ---------------------------------------------------- */

static void groupings_of_like_names_have_tables_of_their_own(void **state)
{
    (void)state;
    static const char *const keys[][1] = {{"城市"}, {"行业"}, {"a-b"}, {"a_b"}};
    hanse_field f[5];
    for (size_t i = 0; i < 4; i++)
        f[i] = (hanse_field){.name = keys[i][0], .type = HANSE_INT8};
    f[4] = (hanse_field){.name = "x", .type = HANSE_FLOAT64};
    const hanse_schema schema = {f, 5};
    hanse_spec *spec;
    hanse_aggregation *a;
    hanse_result *result;
    hanse_error error;
    check(hanse_spec_create(&spec, &error), &error);
    for (size_t i = 0; i < 4; i++)
        check(hanse_spec_add_grouping(spec, keys[i], 1, &error), &error);
    assert_int_equal(hanse_spec_add_grouping(spec, keys[1], 1, &error),
                     HANSE_ERR_SPEC);
    check(hanse_spec_add_measure(spec, "m", "x", &error), &error);
    check(hanse_aggregation_create(spec, &schema, &a, &error), &error);
    check(hanse_aggregation_finish(a, &result, &error), &error);
    assert_int_equal(hanse_result_n_tables(result), 4);
    for (size_t i = 0; i < 4; i++) {
        const hanse_table *table = hanse_result_table(result, i);
        assert_ptr_equal(hanse_result_find(result, table->name), table);
        assert_string_equal(table->keys[0].name, keys[i][0]);
    }
    hanse_result_destroy(result);
    hanse_aggregation_destroy(a);
    hanse_spec_destroy(spec);
}

/* ---- Wrong arguments ---------------------------------------------------- */

static void null_arguments_of_specifications_are_refused(void **state)
{
    (void)state;
    hanse_spec *spec;
    hanse_error error;
    hanse_statistic statistic;
    check(hanse_spec_create(&spec, &error), &error);
#define REFUSE(call) assert_int_equal(call, HANSE_ERR_ARGUMENT)
    REFUSE(hanse_spec_create(NULL, &error));
    REFUSE(hanse_spec_add_grouping(NULL, NULL, 0, &error));
    REFUSE(hanse_spec_add_grouping(spec, NULL, 1, &error));
    REFUSE(hanse_spec_add_measure(NULL, "m", "x", &error));
    REFUSE(hanse_spec_add_measure(spec, NULL, "x", &error));
    REFUSE(hanse_spec_add_measure(spec, "m", NULL, &error));
    REFUSE(hanse_spec_add_model(NULL, HANSE_MODEL_RESOURCE, NULL, &error));
    REFUSE(hanse_spec_add_model(spec, HANSE_MODEL_COUNT, NULL, &error));
    REFUSE(hanse_spec_set_filter(NULL, "x > 1", NULL));
    REFUSE(hanse_spec_set_statistics(NULL, HANSE_STAT_TOTAL, NULL));
    REFUSE(hanse_spec_set_missing_keys(NULL, HANSE_MISSING_KEYS_DROP, NULL));
    REFUSE(hanse_spec_complete(NULL, &two_columns, &error));
    REFUSE(hanse_spec_complete(spec, NULL, &error));
    assert_false(hanse_statistic_parse(NULL, &statistic));
    hanse_spec_destroy(spec);
    hanse_spec_destroy(NULL);
}

static void null_arguments_of_aggregations_are_refused(void **state)
{
    (void)state;
    hanse_spec *spec = create_spec("x", NULL);
    hanse_aggregation *a = create("x", NULL, &two_columns), *out;
    hanse_result *result;
    hanse_error error;
    const hanse_batch no_arrays = {1, NULL};
    REFUSE(hanse_aggregation_create(NULL, &two_columns, &out, &error));
    REFUSE(hanse_aggregation_create(spec, NULL, &out, &error));
    REFUSE(hanse_aggregation_create(spec, &two_columns, NULL, &error));
    REFUSE(hanse_aggregation_add(NULL, &three_rows, &error));
    REFUSE(hanse_aggregation_add(a, NULL, &error));
    REFUSE(hanse_aggregation_add(a, &no_arrays, &error));
    REFUSE(hanse_aggregation_merge(NULL, a, &error));
    REFUSE(hanse_aggregation_merge(a, NULL, &error));
    REFUSE(hanse_aggregation_merge(a, a, &error));
    REFUSE(hanse_aggregation_finish(NULL, &result, &error));
    REFUSE(hanse_aggregation_finish(a, NULL, &error));
    hanse_aggregation_destroy(a);
    hanse_aggregation_destroy(NULL);
    hanse_spec_destroy(spec);
    hanse_result_destroy(NULL);
}

static void refuse_schema(const hanse_field *fields, size_t n_fields)
{
    hanse_spec *spec = create_spec("x", NULL);
    const hanse_schema schema = {fields, n_fields};
    hanse_aggregation *out = NULL;
    hanse_error error;
    REFUSE(hanse_aggregation_create(spec, &schema, &out, &error));
    REFUSE(hanse_spec_complete(spec, &schema, &error));
    assert_null(out);
    hanse_spec_destroy(spec);
}

static void wrong_schemas_are_refused(void **state)
{
    (void)state;
    static const hanse_label no_text[] = {{0, NULL}};
    hanse_field f[3] = {two_fields[0], two_fields[1], two_fields[0]};
    refuse_schema(NULL, 2);
    refuse_schema(f, 3); /* sector twice */
    f[0].name = NULL;
    refuse_schema(f, 2);
    f[0].name = "";
    refuse_schema(f, 2);
    f[0] = two_fields[0];
    f[0].type = HANSE_TYPE_COUNT;
    refuse_schema(f, 2);
    f[0] = two_fields[0];
    f[0].n_labels = 1;
    refuse_schema(f, 2);
    f[0].labels = no_text;
    refuse_schema(f, 2);
}

static void schema_without_fields_has_no_such_column(void **state)
{
    (void)state;
    hanse_spec *spec = create_spec("x", NULL);
    const hanse_schema nothing = {NULL, 0};
    hanse_aggregation *out = NULL;
    assert_int_equal(hanse_aggregation_create(spec, &nothing, &out, NULL),
                     HANSE_ERR_COLUMN);
    hanse_spec_destroy(spec);
}

static void wrong_text_arrays_are_refused(void **state)
{
    (void)state;
    static const hanse_field f[] = {{.name = "sector", .type = HANSE_TEXT},
                                    {.name = "x", .type = HANSE_FLOAT64}};
    static const int32_t falling[] = {0, 3, 1, 4}, negative[] = {-1, 0, 1, 2};
    static const int32_t all_empty[] = {0, 0, 0, 0}, rising[] = {0, 1, 2, 3};
    const hanse_schema schema = {f, 2};
    hanse_aggregation *a = create("x", NULL, &schema);
    hanse_error error;
    hanse_array arrays[] = {{.values = "abcd"}, {.values = values}};
    const hanse_batch batch = {3, arrays};
    REFUSE(hanse_aggregation_add(a, &batch, &error));
    arrays[0].offsets = falling;
    REFUSE(hanse_aggregation_add(a, &batch, &error));
    arrays[0].offsets = negative;
    REFUSE(hanse_aggregation_add(a, &batch, &error));
    arrays[0] = (hanse_array){.offsets = rising};
    REFUSE(hanse_aggregation_add(a, &batch, &error));
    arrays[0].offsets = all_empty;
    check(hanse_aggregation_add(a, &batch, &error), &error);
    assert_true(total_of(a) == 7.0);
    hanse_aggregation_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merge_of_other_filter_is_refused),
        cmocka_unit_test(merge_of_other_formula_is_refused),
        cmocka_unit_test(merge_of_other_keys_is_refused),
        cmocka_unit_test(made_keys_group_and_merge),
        cmocka_unit_test(mapped_keys_group_and_count),
        cmocka_unit_test(key_that_is_no_integer_breaks_the_aggregation),
        cmocka_unit_test(merge_of_other_labels_is_refused),
        cmocka_unit_test(merge_of_same_specification_adds),
        cmocka_unit_test(groups_of_one_label_keep_their_order),
        cmocka_unit_test(unlabelled_unsigned_code_is_positive),
        cmocka_unit_test(long_names_are_whole),
        cmocka_unit_test(messages_cut_keys_between_characters),
        cmocka_unit_test(groupings_of_like_names_have_tables_of_their_own),
        cmocka_unit_test(null_arguments_of_specifications_are_refused),
        cmocka_unit_test(null_arguments_of_aggregations_are_refused),
        cmocka_unit_test(wrong_schemas_are_refused),
        cmocka_unit_test(schema_without_fields_has_no_such_column),
        cmocka_unit_test(wrong_text_arrays_are_refused),
    };
    return cmocka_run_group_tests_name("in_situ", tests, NULL, NULL);
}
