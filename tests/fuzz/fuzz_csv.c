/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzer of the CSV reader: any bytes are read as a file. Whatever they are,
 * fields end in a zero byte and hold none, memory goes back, and errors begin
 * with the file's name; and what was read, written with every field in quotes,
 * reads as the same again, in each of the character sets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stops the fuzzer, in release builds too. */
#define CHECK(holds)                                                    \
    do {                                                                \
        if (!(holds)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #holds); \
            abort();                                                    \
        }                                                               \
    } while (0)

/* Writes one record in quotes. */
static void write_record(FILE *to, const hanse_csv_field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CHECK(strlen(fields[i].text) == fields[i].n);
        CHECK(fields[i].line > 0 && fields[i].column > 0);
        fputs(i == 0 ? "\"" : ",\"", to);
        for (const char *c = fields[i].text; *c != '\0'; c++) {
            fputc(*c, to);
            if (*c == '"')
                fputc('"', to);
        }
        fputc('"', to);
    }
    fputc('\n', to);
}

/* Reads the bytes; *out is their records in quotes, up to an error. */
static hanse_status read_bytes(const void *bytes, size_t size,
                               hanse_csv_charset charset, char **out,
                               size_t *n_out)
{
    char path[64];
    hanse_error error = {0};
    hanse_budget budget = {0};
    const hanse_csv_options options = {
        .max_record_bytes = 1 << 20, .budget = &budget, .charset = charset};
    const hanse_csv_field *fields;
    hanse_csv *csv;
    size_t n;
    const int file = memfd_create("csv", 0);
    CHECK(file >= 0 && write(file, bytes, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    FILE *to = open_memstream(out, n_out);
    CHECK(to != NULL);
    hanse_status status = hanse_csv_open(path, &options, &csv, &error);
    if (status == HANSE_OK) {
        fields = hanse_csv_header(csv, &n);
        while (status == HANSE_OK && fields != NULL) {
            write_record(to, fields, n);
            status = hanse_csv_next(csv, &fields, &error);
        }
        hanse_csv_close(csv);
    }
    CHECK(fclose(to) == 0 && close(file) == 0);
    CHECK(budget.used_bytes == 0);
    if (status != HANSE_OK) {
        CHECK(status == HANSE_ERR_FORMAT || status == HANSE_ERR_LIMIT);
        CHECK(strncmp(error.message, path, strlen(path)) == 0);
    }
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *once = NULL, *twice = NULL;
    size_t n_once, n_twice;
    /* What was read as Latin-1 is written as UTF-8. */
    const hanse_csv_charset charset = (hanse_csv_charset)(size % 3);
    const hanse_status status = read_bytes(data, size, charset, &once, &n_once);
    if (status == HANSE_OK) {
        CHECK(read_bytes(once, n_once,
                         charset == HANSE_CSV_BYTES ? HANSE_CSV_BYTES
                                                    : HANSE_CSV_UTF8,
                         &twice, &n_twice) == HANSE_OK);
        CHECK(n_once == n_twice && memcmp(once, twice, n_once) == 0);
    }
    free(once);
    free(twice);
    return 0;
}
