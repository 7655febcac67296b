/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers in and out of the command line, options, and the quoting of command
 * lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/command.h"
#include "cli/numbers.h"
#include "cli/options.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void parse_count_whole_numbers_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {
        {"0", 0},           {"2000000", 2000000},
        {"2M", 2000000},    {"3k", 3000},
        {"1G", 1000000000}, {"18446744073709551615", UINT64_MAX},
    };
    static const char *const bad[] = {"",
                                      "-1",
                                      "1.5",
                                      " 1",
                                      "1 ",
                                      "k",
                                      "1kk",
                                      "1T",
                                      "0x10",
                                      "+1",
                                      "18446744073709551616",
                                      "18446744073709551615k"};
    for (size_t i = 0; i < COUNT(good); i++) {
        uint64_t value = 1;
        assert_true(hanse_parse_count(good[i].text, &value));
        assert_true(value == good[i].value);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint64_t value = 77;
        assert_false(hanse_parse_count(bad[i], &value));
        assert_true(value == 77);
    }
}

static void parse_size_bytes_and_powers_of_1024_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {
        {"517", 517},
        {"517B", 517},
        {"1K", 1024},
        {"8G", UINT64_C(8) << 30},
        {"1.5M", 3 << 19},
        {"2GiB", UINT64_C(2) << 30},
        {"2GB", UINT64_C(2) << 30},
        {"1T", UINT64_C(1) << 40},
    };
    static const char *const bad[] = {"",    "G",    "-1G", "1Gx", "1iB",
                                      "0x1", "1e30", "nan", "inf", "9999999T"};
    for (size_t i = 0; i < COUNT(good); i++) {
        uint64_t value = 1;
        assert_true(hanse_parse_size(good[i].text, &value));
        assert_true(value == good[i].value);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint64_t value = 77;
        assert_false(hanse_parse_size(bad[i], &value));
        assert_true(value == 77);
    }
}

static void format_numbers_are_readable(void **state)
{
    (void)state;
    assert_string_equal(hanse_format_count(0).text, "0");
    assert_string_equal(hanse_format_count(999).text, "999");
    assert_string_equal(hanse_format_count(1234567).text, "1,234,567");
    assert_string_equal(hanse_format_count(UINT64_MAX).text,
                        "18,446,744,073,709,551,615");
    assert_string_equal(hanse_format_bytes(0).text, "0 B");
    assert_string_equal(hanse_format_bytes(999).text, "999 B");
    assert_string_equal(hanse_format_bytes(999.7).text, "1.00 kB");
    assert_string_equal(hanse_format_bytes(12345678).text, "12.3 MB");
    assert_string_equal(hanse_format_bytes(123456789012.0).text, "123 GB");
    assert_string_equal(hanse_format_rate(93).text, "93");
    assert_string_equal(hanse_format_rate(45.12e6).text, "45.1 M");
    assert_string_equal(hanse_format_seconds(0.836).text, "0.84 s");
    assert_string_equal(hanse_format_seconds(59.9).text, "59.9 s");
    assert_string_equal(hanse_format_seconds(59.96).text, "1 min 00 s");
    assert_string_equal(hanse_format_seconds(125).text, "2 min 05 s");
    assert_string_equal(hanse_format_seconds(11234).text, "3 h 07 min");
}

static const hanse_option table[] = {
    {"output", 'o', "FILE", "help"},
    {"quiet", 'q', NULL, "help"},
    {"by", 0, "KEYS", "help"},
};
static const hanse_usage usage = {
    .command = "test",
    .operands = "",
    .purpose = "",
    .options = table,
    .n_options = COUNT(table),
};

static void options_next_mixed_words_are_sorted_out(void **state)
{
    (void)state;
    char *argv[] = {"test", "a.h5", "-qo", "x",  "--by=k,l", "b.h5",
                    "--by", "m",    "--",  "-c", NULL};
    hanse_options options;
    /* Twice: a parse leaves nothing behind for the next one. */
    for (int round = 0; round < 2; round++) {
        char *words[COUNT(argv)];
        memcpy(words, argv, sizeof argv);
        hanse_options_start(&options, &usage, COUNT(argv) - 1, words);
        assert_int_equal(hanse_options_next(&options), 1);
        assert_int_equal(hanse_options_next(&options), 0);
        assert_string_equal(options.value, "x");
        assert_int_equal(hanse_options_next(&options), 2);
        assert_string_equal(options.value, "k,l");
        assert_int_equal(hanse_options_next(&options), 2);
        assert_string_equal(options.value, "m");
        assert_int_equal(hanse_options_next(&options), HANSE_OPTIONS_END);
        assert_int_equal(options.n_operands, 3);
        assert_string_equal(options.operands[0], "a.h5");
        assert_string_equal(options.operands[1], "b.h5");
        assert_string_equal(options.operands[2], "-c");
    }
}

static void options_next_wrong_words_stop_with_status_2(void **state)
{
    (void)state;
    static char *const wrong[] = {"--outptu", "-x", "--quiet=1",
                                  "--by",     "-o", "--zzz=1"};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        char *argv[] = {"test", wrong[i], NULL};
        hanse_options options;
        hanse_options_start(&options, &usage, 2, argv);
        assert_int_equal(hanse_options_next(&options), HANSE_OPTIONS_STOP);
        assert_int_equal(options.exit_status, HANSE_EXIT_USAGE);
    }
}

static void command_line_special_words_are_quoted(void **state)
{
    (void)state;
    char *words[] = {"hanse", "run",  "a b.h5", "it's",
                     "",      "x\ny", "\xff'",  "caf\xc3\xa9"};
    char *line = hanse_command_line(COUNT(words), words);
    assert_non_null(line);
    assert_string_equal(line, "hanse run 'a b.h5' 'it'\\''s' '' $'x\\x0ay' "
                              "$'\\xff\\'' 'caf\xc3\xa9'");
    free(line);
}

static void report_error_status_becomes_exit_status(void **state)
{
    (void)state;
    static const struct {
        hanse_status status;
        int exit_status;
    } cases[] = {
        {HANSE_ERR_ARGUMENT, 2},    {HANSE_ERR_SPEC, 2},
        {HANSE_ERR_FORMULA, 2},     {HANSE_ERR_COLUMN, 2},
        {HANSE_ERR_TYPE, 2},        {HANSE_ERR_NOMEM, 1},
        {HANSE_ERR_IO, 1},          {HANSE_ERR_FORMAT, 1},
        {HANSE_ERR_OVERFLOW, 1},    {HANSE_ERR_LIMIT, 1},
        {HANSE_ERR_INTERRUPTED, 1},
    };
    assert_int_equal(COUNT(cases), HANSE_STATUS_COUNT - 1);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const hanse_error error = {.status = cases[i].status};
        assert_int_equal(hanse_report_error(&error), cases[i].exit_status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_count_whole_numbers_are_taken),
        cmocka_unit_test(parse_size_bytes_and_powers_of_1024_are_taken),
        cmocka_unit_test(format_numbers_are_readable),
        cmocka_unit_test(options_next_mixed_words_are_sorted_out),
        cmocka_unit_test(options_next_wrong_words_stop_with_status_2),
        cmocka_unit_test(command_line_special_words_are_quoted),
        cmocka_unit_test(report_error_status_becomes_exit_status),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
