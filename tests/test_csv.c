/* SPDX-License-Identifier: Apache-2.0
 *
 * The CSV reader: RFC 4180, places of errors, buffers that end anywhere.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/csv.h"
#include "tests/own_directory.h"

static void write_bytes(const char *bytes, size_t n)
{
    FILE *file = fopen("t.csv", "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

/* All records as "[a|b][c|d]", a quoted field as 'a'. */
static hanse_status read_all(const char *bytes, size_t n,
                             const hanse_csv_options *options, char *out,
                             size_t size, hanse_error *error)
{
    hanse_csv *csv;
    size_t n_fields, used = 0;
    write_bytes(bytes, n);
    out[0] = '\0';
    HANSE_TRY(hanse_csv_open("t.csv", options, &csv, error));
    const hanse_csv_field *fields = hanse_csv_header(csv, &n_fields);
    hanse_status status = HANSE_OK;
    while (status == HANSE_OK && fields != NULL) {
        for (size_t i = 0; i < n_fields; i++) {
            assert_int_equal(strlen(fields[i].text), fields[i].n);
            const char *quote = fields[i].quoted ? "'" : "";
            used += (size_t)snprintf(out + used, size - used, "%s%s%s%s%s",
                                     i == 0 ? "[" : "|", quote, fields[i].text,
                                     quote, i + 1 == n_fields ? "]" : "");
            assert_true(used < size);
        }
        status = hanse_csv_next(csv, &fields, error);
    }
    hanse_csv_close(csv);
    return status;
}

static void expect(const char *bytes, const char *expected)
{
    char out[4096];
    hanse_error error;
    assert_int_equal(
        read_all(bytes, strlen(bytes), NULL, out, sizeof out, &error),
        HANSE_OK);
    assert_string_equal(out, expected);
}

static void csv_plain_records_arrive(void **state)
{
    (void)state;
    expect("a,b\n1,2\n3,4\n", "[a|b][1|2][3|4]");
    expect("a,b\r\n1,2\r\n3,4", "[a|b][1|2][3|4]");
    expect("a,b\n1,2\r", "[a|b][1|2]");
    expect("a", "[a]");
    expect("a,b\n,\n", "[a|b][|]");
    expect(" a , b\n 1, 2 \n", "[ a | b][ 1| 2 ]");
    expect("\xef\xbb\xbf"
           "a,b\n1,2\n",
           "[a|b][1|2]");
}

static void csv_quotes_are_taken_away(void **state)
{
    (void)state;
    expect("\"a\",b\n\"1,2\",\"3\"\"4\"\n", "['a'|b]['1,2'|'3\"4']");
    expect("a,b\r\n\"x\r\ny\",\"\"\r\n", "[a|b]['x\r\ny'|'']");
    expect("a\n\"\"\"\"\n", "[a]['\"']");
    expect("a,b\n1,\"\"", "[a|b][1|'']");
    expect("a,b\n1,\"x\ry\"", "[a|b][1|'x\ry']");
}

static void csv_empty_lines_are_no_records(void **state)
{
    (void)state;
    expect("\n\r\na,b\n\n1,2\n\n\r\n", "[a|b][1|2]");
    /* In a file of one column they are empty fields. */
    expect("a\n\n1\n", "[a][][1]");
    expect("a,b\n\n\"\",\n", "[a|b][''|]");
}

static void expect_error(const char *bytes, size_t n, hanse_status status,
                         const char *message)
{
    char out[4096];
    hanse_error error = {0};
    assert_int_equal(read_all(bytes, n, NULL, out, sizeof out, &error), status);
    assert_string_equal(error.message, message);
}

static void csv_faults_have_a_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "t.csv: the file is empty; its first line should name the "
             "columns"},
        {"\n\r\n", "t.csv: the file is empty; its first line should name the "
                   "columns"},
        {"a,b\n1\n", "t.csv:2:1: the record has 1 field, the header 2"},
        {"a\n1,2,3\n", "t.csv:2:1: the record has 3 fields, the header 1"},
        {"a,b\n\"x\ny\",z\"\n",
         "t.csv:3:5: a quote within a field without quotes; put the field in "
         "quotes and double it"},
        {"a,b\n\xc3\xa9\xc3\xa9,\"x\" \n",
         "t.csv:2:7: text after the closing quote of a field; a quote within "
         "a field is doubled"},
        {"a,\"b\nc", "t.csv:1:3: the quote is not closed"},
        {"a,b\n1,2\rx\n",
         "t.csv:2:4: a carriage return that ends no line; lines end with CRLF "
         "or LF"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_error(cases[i].text, strlen(cases[i].text), HANSE_ERR_FORMAT,
                     cases[i].message);
    expect_error("a,b\n1,\0\n", 8, HANSE_ERR_FORMAT,
                 "t.csv:2:3: a NUL byte; the file is no CSV text");
    hanse_csv *csv;
    hanse_error error;
    assert_int_equal(hanse_csv_open("none.csv", NULL, &csv, &error),
                     HANSE_ERR_IO);
    assert_string_equal(error.message, "none.csv: cannot open: No such file or "
                                       "directory");
    assert_int_equal(hanse_csv_open(".", NULL, &csv, &error), HANSE_ERR_IO);
    assert_string_equal(error.message, ".: cannot read: Is a directory");
}

static void csv_fail_names_the_field(void **state)
{
    (void)state;
    hanse_csv *csv;
    hanse_error error;
    const hanse_csv_field *fields;
    const char text[] = "a,b\n\"x\ny\",z\n";
    write_bytes(text, strlen(text));
    assert_int_equal(hanse_csv_open("t.csv", NULL, &csv, NULL), HANSE_OK);
    assert_int_equal(hanse_csv_find(csv, "b"), 1);
    assert_int_equal(hanse_csv_find(csv, "c"), SIZE_MAX);
    assert_int_equal(hanse_csv_next(csv, &fields, NULL), HANSE_OK);
    assert_int_equal(hanse_csv_fail(csv, &fields[1], &error, HANSE_ERR_FORMAT,
                                    "'%s' is bad", fields[1].text),
                     HANSE_ERR_FORMAT);
    assert_string_equal(error.message, "t.csv:3:4: 'z' is bad");
    assert_int_equal(hanse_csv_next(csv, &fields, NULL), HANSE_OK);
    assert_null(fields);
    assert_int_equal(hanse_csv_next(csv, &fields, NULL), HANSE_OK);
    assert_null(fields);
    hanse_csv_close(csv);
}

/* Records of every length around the size of the buffer, so that it ends
 * within fields, quotes and line ends. */
static void csv_buffer_may_end_anywhere(void **state)
{
    (void)state;
    enum {
        BUFFER = 64 * 1024
    };
    char *text = malloc(3 * BUFFER);
    assert_non_null(text);
    for (size_t pad = BUFFER - 24; pad < BUFFER + 8; pad++) {
        hanse_csv *csv;
        const hanse_csv_field *fields;
        char *end = text + sprintf(text, "a,b\r\n");
        memset(end, 'x', pad);
        end += pad;
        end += sprintf(end, ",\"q\"\"\r\nr\"\r\n\"\xc3\xa9\",2\r\n");
        write_bytes(text, (size_t)(end - text));
        assert_int_equal(hanse_csv_open("t.csv", NULL, &csv, NULL), HANSE_OK);
        assert_int_equal(hanse_csv_next(csv, &fields, NULL), HANSE_OK);
        assert_int_equal(fields[0].n, pad);
        assert_string_equal(fields[1].text, "q\"\r\nr");
        assert_int_equal(fields[1].column, pad + 2);
        assert_int_equal(hanse_csv_next(csv, &fields, NULL), HANSE_OK);
        assert_string_equal(fields[0].text, "\xc3\xa9");
        assert_string_equal(fields[1].text, "2");
        assert_int_equal(fields[1].line, 4);
        assert_int_equal(fields[1].column, 5);
        assert_int_equal(hanse_csv_next(csv, &fields, NULL), HANSE_OK);
        assert_null(fields);
        hanse_csv_close(csv);
    }
    free(text);
}

static void csv_many_fields_and_small_limits(void **state)
{
    (void)state;
    hanse_csv *csv;
    hanse_error error;
    const hanse_csv_field *fields;
    size_t n_fields;
    enum {
        COMMAS = 65535
    };
    char *text = malloc(2 * COMMAS + 16);
    assert_non_null(text);
    memset(text, ',', COMMAS);
    text[COMMAS] = '\n';
    write_bytes(text, COMMAS + 1);
    assert_int_equal(hanse_csv_open("t.csv", NULL, &csv, NULL), HANSE_OK);
    (void)hanse_csv_header(csv, &n_fields);
    assert_int_equal(n_fields, COMMAS + 1);
    hanse_csv_close(csv);
    memset(text, ',', COMMAS + 1);
    write_bytes(text, COMMAS + 1);
    assert_int_equal(hanse_csv_open("t.csv", NULL, &csv, &error),
                     HANSE_ERR_LIMIT);
    free(text);

    hanse_budget budget = {0};
    const hanse_csv_options options = {
        .separator = ';', .max_record_bytes = 1000, .budget = &budget};
    write_bytes("a;b\n1;2\n", 8);
    assert_int_equal(hanse_csv_open("t.csv", &options, &csv, NULL), HANSE_OK);
    assert_int_equal(hanse_csv_next(csv, &fields, NULL), HANSE_OK);
    assert_string_equal(fields[1].text, "2");
    hanse_csv_close(csv);
    assert_int_equal(budget.used_bytes, 0);
    text = malloc(400000);
    assert_non_null(text);
    memset(text, 'x', 400000);
    memcpy(text, "a\n\"", 3);
    write_bytes(text, 400000);
    free(text);
    assert_int_equal(hanse_csv_open("t.csv", &options, &csv, NULL), HANSE_OK);
    assert_int_equal(hanse_csv_next(csv, &fields, &error), HANSE_ERR_LIMIT);
    assert_string_equal(error.message, "t.csv:2: the record is longer than "
                                       "1000 bytes; is a quote not closed?");
    hanse_csv_close(csv);
    assert_int_equal(budget.used_bytes, 0);
}

/* The budget is raised until a file with a long record and many fields can be
 * read; until then every failure says so and gives all memory back. */
static void csv_without_memory_fails_cleanly(void **state)
{
    (void)state;
    enum {
        LENGTH = 200000
    };
    char *text = malloc(LENGTH + 400);
    assert_non_null(text);
    char *end = text;
    for (int i = 0; i < 100; i++)
        end += sprintf(end, i == 99 ? "h\n" : "h,");
    memset(end, 'x', LENGTH);
    end += LENGTH;
    for (int i = 0; i < 99; i++)
        *end++ = ',';
    write_bytes(text, (size_t)(end - text));
    free(text);
    bool done = false;
    for (uint64_t limit = 1; !done; limit += 20011) {
        hanse_budget budget = {.limit_bytes = limit};
        const hanse_csv_options options = {.budget = &budget};
        hanse_csv *csv;
        const hanse_csv_field *fields = NULL;
        hanse_status status = hanse_csv_open("t.csv", &options, &csv, NULL);
        if (status == HANSE_OK) {
            status = hanse_csv_next(csv, &fields, NULL);
            done = status == HANSE_OK;
            hanse_csv_close(csv);
        }
        if (!done)
            assert_int_equal(status, HANSE_ERR_LIMIT);
        assert_int_equal(budget.used_bytes, 0);
    }
}

/* Pipes come in pieces. */
static void csv_reads_a_pipe(void **state)
{
    (void)state;
    assert_int_equal(mkfifo("pipe", 0600), 0);
    const pid_t writer = fork();
    assert_true(writer >= 0);
    if (writer == 0) {
        const int to = open("pipe", O_WRONLY);
        static const char *const pieces[] = {"a,\"", "b\"", "\r", "\n1", ",2"};
        for (size_t i = 0; i < 5; i++) {
            if (write(to, pieces[i], strlen(pieces[i])) < 0)
                _exit(1);
            usleep(2000);
        }
        _exit(0);
    }
    hanse_csv *csv;
    const hanse_csv_field *fields;
    assert_int_equal(hanse_csv_open("pipe", NULL, &csv, NULL), HANSE_OK);
    assert_int_equal(hanse_csv_find(csv, "b"), 1);
    assert_int_equal(hanse_csv_next(csv, &fields, NULL), HANSE_OK);
    assert_string_equal(fields[1].text, "2");
    hanse_csv_close(csv);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_plain_records_arrive),
        cmocka_unit_test(csv_quotes_are_taken_away),
        cmocka_unit_test(csv_empty_lines_are_no_records),
        cmocka_unit_test(csv_faults_have_a_place),
        cmocka_unit_test(csv_fail_names_the_field),
        cmocka_unit_test(csv_buffer_may_end_anywhere),
        cmocka_unit_test(csv_many_fields_and_small_limits),
        cmocka_unit_test(csv_without_memory_fails_cleanly),
        cmocka_unit_test(csv_reads_a_pipe),
    };
    return cmocka_run_group_tests(tests, enter_own_directory,
                                  leave_own_directory);
}
