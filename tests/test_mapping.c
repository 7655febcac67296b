/* SPDX-License-Identifier: Apache-2.0
 *
 * Mappings: targets, conflicts, inference, sharing, memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/mapping.h"

static hanse_mapping_value text_value(const char *text)
{
    return (hanse_mapping_value){.text = text, .n_text = strlen(text)};
}

static hanse_mapping_value integer_value(int64_t integer)
{
    return (hanse_mapping_value){.integer = integer};
}

static uint64_t add(hanse_mapping *mapping, hanse_mapping_value from,
                    hanse_mapping_value to, uint64_t row)
{
    uint64_t conflict = 0;
    assert_int_equal(
        hanse_mapping_add(mapping, &from, &to, row, &conflict, NULL), HANSE_OK);
    return conflict;
}

static hanse_mapping *make(bool from_text, bool to_text, hanse_budget *budget)
{
    hanse_mapping *mapping;
    assert_int_equal(
        hanse_mapping_create(from_text, to_text, budget, &mapping, NULL),
        HANSE_OK);
    return mapping;
}

static const char *label_of(const hanse_mapping *mapping, int64_t target)
{
    const hanse_label *labels;
    assert_true((size_t)target < hanse_mapping_labels(mapping, &labels));
    assert_int_equal(labels[target].code, target);
    return labels[target].text;
}

static void mapping_texts_become_ranks(void **state)
{
    (void)state;
    hanse_budget budget = {0};
    hanse_mapping *m = make(true, true, &budget);
    assert_true(add(m, text_value("b"), text_value("west"), 2) == UINT64_MAX);
    add(m, text_value("a"), text_value("east"), 3);
    add(m, text_value(""), text_value("west"), 4);
    add(m, text_value("n"), (hanse_mapping_value){.missing = true}, 5);
    assert_int_equal(hanse_mapping_finish(m, true, NULL), HANSE_OK);
    int64_t target = -1;
    assert_int_equal(hanse_mapping_text(m, "b", 1, &target), HANSE_MAPPED);
    assert_int_equal(target, 1);
    assert_string_equal(label_of(m, target), "west");
    assert_int_equal(hanse_mapping_text(m, "", 0, &target), HANSE_MAPPED);
    assert_string_equal(label_of(m, target), "west");
    assert_int_equal(hanse_mapping_text(m, "a", 1, &target), HANSE_MAPPED);
    assert_string_equal(label_of(m, target), "east");
    assert_int_equal(hanse_mapping_text(m, "n", 1, &target),
                     HANSE_MAPPED_TO_MISSING);
    assert_int_equal(hanse_mapping_text(m, "c", 1, &target), HANSE_UNMAPPED);
    hanse_mapping_release(hanse_mapping_share(m));
    assert_int_equal(hanse_mapping_n(m), 4);
    hanse_mapping_release(m);
    assert_int_equal(budget.used_bytes, 0);
}

static void mapping_conflicts_are_told(void **state)
{
    (void)state;
    hanse_mapping *m = make(false, true, NULL);
    add(m, integer_value(5), text_value("x"), 2);
    assert_true(add(m, integer_value(5), text_value("x"), 3) == UINT64_MAX);
    assert_true(add(m, integer_value(5), text_value("y"), 4) == 2);
    assert_true(add(m, integer_value(5), (hanse_mapping_value){.missing = true},
                    5) == 2);
    assert_int_equal(hanse_mapping_finish(m, false, NULL), HANSE_OK);
    int64_t target;
    assert_int_equal(hanse_mapping_integer(m, 5, &target), HANSE_MAPPED);
    assert_string_equal(label_of(m, target), "x");
    hanse_mapping_release(m);
}

/* What `text` beside "1" makes of the targets. */
static bool becomes_integer(const char *text, int64_t *value)
{
    const hanse_label *labels;
    hanse_mapping *m = make(false, true, NULL);
    add(m, integer_value(1), text_value("1"), 1);
    add(m, integer_value(2), text_value(text), 2);
    assert_int_equal(hanse_mapping_finish(m, true, NULL), HANSE_OK);
    const bool is_integer = hanse_mapping_labels(m, &labels) == 0;
    assert_int_equal(hanse_mapping_integer(m, 2, value), HANSE_MAPPED);
    hanse_mapping_release(m);
    return is_integer;
}

static void mapping_infers_integers_that_are_written_so(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0},
                {"-12", -12},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN}};
    static const char *const bad[] = {"007",
                                      "-0",
                                      "+1",
                                      "1.0",
                                      "",
                                      "-",
                                      " 1",
                                      "1 ",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999999"};
    int64_t value;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(becomes_integer(good[i].text, &value));
        assert_true(value == good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(becomes_integer(bad[i], &value));
}

/* Dense and far apart, the ends of int64 among them. */
static void mapping_integers_are_found_and_no_others(void **state)
{
    (void)state;
    static const int64_t steps[] = {1, 3, 9, 1000003, INT64_MAX / 4000};
    static const int64_t starts[] = {0, -2000, INT64_MIN, INT64_MAX - 8000};
    for (size_t s = 0; s < 5; s++) {
        for (size_t b = 0; b < 4; b++) {
            hanse_mapping *m = make(false, false, NULL);
            const uint64_t start = (uint64_t)starts[b];
            for (uint64_t i = 0; i < 2000; i++)
                add(m, integer_value((int64_t)(start + i * (uint64_t)steps[s])),
                    integer_value((int64_t)i), i);
            assert_int_equal(hanse_mapping_finish(m, false, NULL), HANSE_OK);
            for (uint64_t i = 0; i < 2000; i++) {
                int64_t target = -1;
                const int64_t value = (int64_t)(start + i * (uint64_t)steps[s]);
                assert_int_equal(hanse_mapping_integer(m, value, &target),
                                 HANSE_MAPPED);
                assert_true(target == (int64_t)i);
                if (steps[s] > 1)
                    assert_int_equal(
                        hanse_mapping_integer(m, (int64_t)((uint64_t)value + 1),
                                              &target),
                        HANSE_UNMAPPED);
            }
            hanse_mapping_release(m);
        }
    }
    hanse_mapping *empty = make(false, false, NULL);
    int64_t target;
    assert_int_equal(hanse_mapping_finish(empty, false, NULL), HANSE_OK);
    assert_int_equal(hanse_mapping_integer(empty, 0, &target), HANSE_UNMAPPED);
    hanse_mapping_release(empty);
    empty = make(true, true, NULL);
    assert_int_equal(hanse_mapping_finish(empty, true, NULL), HANSE_OK);
    assert_int_equal(hanse_mapping_text(empty, "", 0, &target), HANSE_UNMAPPED);
    hanse_mapping_release(empty);
}

static hanse_mapping *sample(bool turned, const char *second)
{
    hanse_mapping *m = make(true, true, NULL);
    for (int i = 0; i < 2; i++) {
        const bool first = (i == 0) != turned;
        add(m, text_value(first ? "a" : "b"), text_value(first ? "x" : second),
            (uint64_t)i);
    }
    assert_int_equal(hanse_mapping_finish(m, false, NULL), HANSE_OK);
    return m;
}

static void mapping_equal_looks_at_pairs(void **state)
{
    (void)state;
    hanse_mapping *a = sample(false, "y"), *b = sample(true, "y");
    hanse_mapping *c = sample(false, "z"), *d = make(true, false, NULL);
    assert_int_equal(hanse_mapping_finish(d, false, NULL), HANSE_OK);
    assert_true(hanse_mapping_equal(a, a));
    assert_true(hanse_mapping_equal(a, b));
    assert_false(hanse_mapping_equal(a, c));
    assert_false(hanse_mapping_equal(a, d));
    hanse_mapping_release(a);
    hanse_mapping_release(b);
    hanse_mapping_release(c);
    hanse_mapping_release(d);
    hanse_mapping_release(NULL);
}

static hanse_status build(hanse_budget *budget, bool from_text)
{
    hanse_mapping *m;
    hanse_status status =
        hanse_mapping_create(from_text, true, budget, &m, NULL);
    if (status != HANSE_OK)
        return status;
    for (int i = 0; i < 300 && status == HANSE_OK; i++) {
        char name[16];
        uint64_t conflict;
        snprintf(name, sizeof name, "n%d", i);
        hanse_mapping_value from = text_value(name);
        from.integer = i * 100;
        const hanse_mapping_value to = text_value(name);
        status = hanse_mapping_add(m, &from, &to, 0, &conflict, NULL);
    }
    if (status == HANSE_OK)
        status = hanse_mapping_finish(m, true, NULL);
    hanse_mapping_release(m);
    return status;
}

static void mapping_without_memory_fails_cleanly(void **state)
{
    (void)state;
    for (int from_text = 0; from_text < 2; from_text++) {
        hanse_status status = HANSE_ERR_LIMIT;
        for (uint64_t limit = 1; status != HANSE_OK; limit += 997) {
            hanse_budget budget = {.limit_bytes = limit};
            status = build(&budget, from_text != 0);
            if (status != HANSE_OK)
                assert_int_equal(status, HANSE_ERR_LIMIT);
            assert_int_equal(budget.used_bytes, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mapping_texts_become_ranks),
        cmocka_unit_test(mapping_conflicts_are_told),
        cmocka_unit_test(mapping_infers_integers_that_are_written_so),
        cmocka_unit_test(mapping_integers_are_found_and_no_others),
        cmocka_unit_test(mapping_equal_looks_at_pairs),
        cmocka_unit_test(mapping_without_memory_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
