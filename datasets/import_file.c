/* SPDX-License-Identifier: Apache-2.0
 *
 * An import from end to end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/import_write.h"
#include "datasets/new_file.h"
#include "io/hdf5_library.h"
#include "io/result_attributes.h"
#include "io/spill_file.h"

enum {
    SPOOL_BYTES = 256 * 1024
};

/* All that an import owns. */
typedef struct import {
    hanse_import_options options;
    const char *name; /* of the CSV, in messages */
    int source;       /* a file that can be read twice; -1: none */
    hanse_csv *csv;   /* names of the columns belong to it */
    hanse_csv *again; /* the second pass */
    hanse_import_columns columns;
    hanse_atomic_file *atomic;
    hanse_descriptor_target descriptor;
} import;

/* ---- Input -------------------------------------------------------------- */

static hanse_status fail_input(const import *m, const char *what, int cause,
                               hanse_error *error)
{
    return hanse_fail(error, HANSE_ERR_IO, "%s: %s: %s", m->name, what,
                      strerror(cause));
}

static hanse_status write_all(const import *m, int to, const char *bytes,
                              size_t n, hanse_error *error)
{
    while (n > 0) {
        const ssize_t done = write(to, bytes, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return fail_input(m, "cannot be copied to a temporary file",
                              done < 0 ? errno : ENOSPC, error);
        bytes += done;
        n -= (size_t)done;
    }
    return HANSE_OK;
}

static hanse_status copy(const import *m, int from, int to, hanse_error *error)
{
    char *bytes = malloc(SPOOL_BYTES);
    hanse_status status = HANSE_OK;
    if (bytes == NULL)
        return hanse_fail_nomem(error, "copy of a CSV file", SPOOL_BYTES);
    while (status == HANSE_OK) {
        const ssize_t n = read(from, bytes, SPOOL_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            status = fail_input(m, "cannot read", errno, error);
        if (n <= 0)
            break;
        status = write_all(m, to, bytes, (size_t)n, error);
    }
    free(bytes);
    return status;
}

/* What cannot be read twice is copied beside the file that is to be made,
 * where there is room for a table. */
static hanse_status spool(import *m, int from, const char *to,
                          hanse_error *error)
{
    const char *slash = strrchr(to, '/');
    char *directory = hanse_text_copy(to);
    if (directory == NULL)
        return hanse_fail_nomem(error, "name of a directory", strlen(to));
    directory[slash == NULL ? 0 : slash == to ? 1 : slash - to] = '\0';
    m->source = hanse_spill_file_nameless(slash == NULL ? "." : directory);
    const int cause = errno;
    free(directory);
    if (m->source < 0)
        return fail_input(m,
                          "no temporary file can be made for a copy beside "
                          "the result",
                          cause, error);
    return copy(m, from, m->source, error);
}

static hanse_status open_source(import *m, const char *from, const char *to,
                                hanse_error *error)
{
    struct stat status;
    const bool is_standard = strcmp(from, "-") == 0;
    m->name = is_standard ? "standard input" : from;
    const int descriptor =
        is_standard ? STDIN_FILENO : open(from, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 || fstat(descriptor, &status) != 0)
        return fail_input(m, "cannot open", errno, error);
    if (!is_standard && S_ISREG(status.st_mode)) {
        m->source = descriptor;
        return HANSE_OK;
    }
    const hanse_status spooled = spool(m, descriptor, to, error);
    if (!is_standard)
        (void)close(descriptor);
    return spooled;
}

static hanse_status open_csv(const import *m, hanse_csv **out,
                             hanse_error *error)
{
    const hanse_csv_options options = {
        .separator = m->options.delimiter,
        .charset = m->options.latin1 ? HANSE_CSV_LATIN1 : HANSE_CSV_UTF8,
        .no_header = m->options.no_header,
        .source = &m->source,
    };
    return hanse_csv_open(m->name, &options, out, error);
}

/* ---- Output ------------------------------------------------------------- */

static hanse_status write_hdf5(import *m, hanse_error *error)
{
    hid_t driver;
    HANSE_TRY(hanse_hdf5_start(error));
    const hid_t file = hanse_new_file_create(
        m->atomic, &m->descriptor, !m->options.storage.chunked, &driver);
    const hanse_import_target target = {file, &m->descriptor, m->atomic};
    hanse_status status = HANSE_OK;
    if (file < 0 || !hanse_attribute_put_text(file, "source",
                                              "hanse " HANSE_VERSION_STRING
                                              ", hanse import"))
        status = hanse_new_file_fail(m->atomic, &m->descriptor, error);
    if (status == HANSE_OK)
        status = hanse_import_write(&target, &m->columns, m->again, error);
    if (file >= 0 && H5Fclose(file) < 0 && status == HANSE_OK)
        status = hanse_new_file_fail(m->atomic, &m->descriptor, error);
    if (driver >= 0)
        (void)H5FDunregister(driver);
    if (status == HANSE_OK && m->descriptor.cause != 0)
        status = hanse_new_file_fail(m->atomic, &m->descriptor, error);
    return status;
}

static hanse_status write_file(import *m, const char *to, hanse_error *error)
{
    HANSE_TRY(open_csv(m, &m->again, error));
    HANSE_TRY(hanse_atomic_file_open(to, 0600, &m->atomic, error));
    m->descriptor.descriptor = hanse_atomic_file_descriptor(m->atomic);
    hanse_hdf5_lock();
    const hanse_status status = write_hdf5(m, error);
    hanse_hdf5_unlock();
    HANSE_TRY(status);
    return hanse_atomic_file_commit(m->atomic, error);
}

/* ---- Summary ------------------------------------------------------------ */

static uint64_t size_of(int descriptor)
{
    struct stat status;
    return fstat(descriptor, &status) == 0 ? (uint64_t)status.st_size : 0;
}

void hanse_import_summary_clear(hanse_import_summary *summary)
{
    for (size_t i = 0; i < summary->n_columns; i++)
        free(summary->columns[i].name);
    free(summary->columns);
    *summary = (hanse_import_summary){0};
}

static hanse_status summarise(const import *m, hanse_import_summary *summary,
                              hanse_error *error)
{
    const size_t n = m->columns.n_columns;
    summary->columns = calloc(n, sizeof *summary->columns);
    if (summary->columns == NULL)
        return hanse_fail_nomem(error, "summary of the columns",
                                n * sizeof *summary->columns);
    summary->n_columns = n;
    summary->n_rows = m->columns.n_rows;
    summary->input_bytes = size_of(m->source);
    for (size_t i = 0; i < n; i++) {
        const hanse_import_column *column = &m->columns.columns[i];
        hanse_import_result *result = &summary->columns[i];
        result->name = hanse_text_copy(column->name);
        if (result->name == NULL)
            return hanse_fail_nomem(error, "name of a column", 0);
        result->type = column->type;
        result->width = column->type == HANSE_TEXT && !column->variable
                            ? column->size_bytes
                            : 0;
        result->n_missing = hanse_import_n_missing(column);
        result->line = column->line;
        result->column = column->column;
        memcpy(result->cause, column->cause, sizeof result->cause);
    }
    return HANSE_OK;
}

/* ---- The whole ---------------------------------------------------------- */

static hanse_status check_options(import *m, const char *to, hanse_error *error)
{
    hanse_import_options *o = &m->options;
    const char delimiter = o->delimiter != 0 ? o->delimiter : ',';
    const char decimal = o->decimal != 0 ? o->decimal : '.';
    if (o->table == NULL)
        o->table = "/enterprises";
    if (delimiter == decimal)
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "fields and decimals are both marked by '%c'; use "
                          "--delimiter or --decimal",
                          delimiter);
    if (o->table[strspn(o->table, "/")] == '\0')
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "--table: expected the name of a group such as "
                          "/enterprises, found '%s'",
                          o->table);
    HANSE_TRY(hanse_storage_check(&o->storage, error));
    return o->replace ? HANSE_OK : hanse_new_file_check(to, error);
}

hanse_status hanse_import_file(const char *from, const char *to,
                               const hanse_import_options *options,
                               hanse_import_summary *summary,
                               hanse_error *error)
{
import m = {.options = * options, .source = - 1 };
    hanse_status status = check_options(&m, to, error);
    if (status == HANSE_OK)
        status = open_source(&m, from, to, error);
    if (status == HANSE_OK)
        status = open_csv(&m, &m.csv, error);
    if (status == HANSE_OK)
        status =
            hanse_import_columns_init(&m.columns, &m.options, m.csv, error);
    if (status == HANSE_OK)
        status = hanse_import_columns_find(&m.columns, m.csv, error);
    if (status == HANSE_OK)
        status = summarise(&m, summary, error);
    if (status == HANSE_OK)
        status = write_file(&m, to, error);
    if (status == HANSE_OK)
        summary->file_bytes = size_of(m.descriptor.descriptor);
    hanse_atomic_file_close(m.atomic);
    hanse_import_columns_clear(&m.columns);
    hanse_csv_close(m.again);
    hanse_csv_close(m.csv);
    if (m.source >= 0)
        (void)close(m.source);
    return status;
}
