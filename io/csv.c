/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading CSV. A record is scanned where it lies in the buffer, byte by byte,
 * in four states; its fields are closed up in place, quotes removed, so that
 * nothing is copied. When the buffer ends within a record, the record moves to
 * its front, more is read behind it, and the scan goes on.
 */
#include "io/csv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "io/csv_bytes.h"
#include "io/utf8.h"

enum {
    FIRST_FIELDS = 32,
    MAX_FIELDS = 64 * 1024,
    MAX_RECORD_BYTES = 16 * 1024 * 1024
};

typedef enum state {
    FIELD_START,
    PLAIN,      /* in a field without quotes */
    QUOTED,     /* in one with quotes */
    AFTER_QUOTE /* behind a quote in the latter: its end, or one of two */
} state;

/* A field by its place in the record. */
typedef struct place {
    size_t begin, end;
    uint64_t line, column;
    bool quoted;
} place;

/* The scan of a record so far. */
typedef struct scan {
    state state;
    size_t read, write; /* from the record's start */
    uint64_t line, column;
    size_t n_fields;
    place field; /* the one that is open */
} scan;

struct hanse_csv {
    hanse_csv_bytes in;
    char separator;
    bool is_special[256]; /* bytes that mean something outside quotes */
    bool check_utf8;
    bool kept; /* the first record is no header and is still to be given */
    hanse_budget *budget;
    place *places;
    hanse_csv_field *fields;
    size_t capacity_fields;
    hanse_csv_field *header; /* texts in header_bytes */
    size_t n_header;
    char *header_bytes;
    size_t n_header_bytes;
};

/* ---- Messages ----------------------------------------------------------- */

static hanse_status fail_at(const hanse_csv *csv, uint64_t line,
                            uint64_t column, hanse_error *error,
                            hanse_status status, const char *message)
{
    return hanse_fail(error, status, "%s:%llu:%llu: %s", csv->in.path,
                      (unsigned long long)line, (unsigned long long)column,
                      message);
}

hanse_status hanse_csv_fail(const hanse_csv *csv, const hanse_csv_field *field,
                            hanse_error *error, hanse_status status,
                            const char *format, ...)
{
    char message[512];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    return fail_at(csv, field->line, field->column, error, status, message);
}

/* ---- Fields ------------------------------------------------------------- */

static hanse_status grow_fields(hanse_csv *csv, hanse_error *error)
{
    const size_t old = csv->capacity_fields;
    const size_t wanted = old == 0 ? FIRST_FIELDS : 2 * old;
    place *places =
        hanse_grow(csv->budget, csv->places, old, wanted, sizeof *places);
    if (places != NULL)
        csv->places = places;
    hanse_csv_field *fields =
        places == NULL ? NULL
                       : hanse_allocate(csv->budget, wanted, sizeof *fields);
    if (fields == NULL) {
        /* The places have grown alone: they go back to their old size. */
        if (places != NULL)
            hanse_free(csv->budget, places, wanted, sizeof *places);
        if (places != NULL)
            csv->places = NULL;
        hanse_free(csv->budget, csv->fields, old, sizeof *fields);
        csv->fields = NULL;
        csv->capacity_fields = 0;
        return hanse_fail_budget(error, csv->budget, "fields of a CSV file",
                                 wanted, sizeof *fields);
    }
    hanse_free(csv->budget, csv->fields, old, sizeof *fields);
    csv->fields = fields;
    csv->capacity_fields = wanted;
    return HANSE_OK;
}

static hanse_status end_field(hanse_csv *csv, scan *s, hanse_error *error)
{
    if (s->n_fields == MAX_FIELDS)
        return fail_at(csv, s->line, s->column, error, HANSE_ERR_LIMIT,
                       "more than 65536 fields in a record");
    if (s->n_fields == csv->capacity_fields)
        HANSE_TRY(grow_fields(csv, error));
    s->field.end = s->write;
    csv->places[s->n_fields++] = s->field;
    /* The separator's place holds the terminator. */
    csv->in.bytes[csv->in.start + s->write++] = '\0';
    s->state = FIELD_START;
    return HANSE_OK;
}

static void begin_field(scan *s, bool quoted)
{
    s->field = (place){s->write, s->write, s->line, s->column, quoted};
    s->state = quoted ? QUOTED : PLAIN;
}

/* One byte of the record; *ended when it was the record's last. */
static hanse_status take(hanse_csv *csv, scan *s, char c, bool *ended,
                         hanse_error *error)
{
    const bool is_line_end = c == '\n' && s->state != QUOTED;
    if (c == '\0')
        return fail_at(csv, s->line, s->column, error, HANSE_ERR_FORMAT,
                       "a NUL byte; the file is no CSV text");
    if (s->state == AFTER_QUOTE && c == '"') {
        csv->in.bytes[csv->in.start + s->write++] = '"';
        s->state = QUOTED;
    } else if (s->state == QUOTED) {
        if (c == '"')
            s->state = AFTER_QUOTE;
        else
            csv->in.bytes[csv->in.start + s->write++] = c;
    } else if (c == csv->separator || is_line_end) {
        if (s->state == FIELD_START)
            begin_field(s, false);
        HANSE_TRY(end_field(csv, s, error));
        *ended = is_line_end;
    } else if (s->state == AFTER_QUOTE) {
        return fail_at(csv, s->line, s->column, error, HANSE_ERR_FORMAT,
                       "text after the closing quote of a field; a quote "
                       "within a field is doubled");
    } else if (c == '"' && s->state == FIELD_START) {
        begin_field(s, true);
    } else if (c == '"') {
        return fail_at(csv, s->line, s->column, error, HANSE_ERR_FORMAT,
                       "a quote within a field without quotes; put the field "
                       "in quotes and double it");
    } else {
        if (s->state == FIELD_START)
            begin_field(s, false);
        csv->in.bytes[csv->in.start + s->write++] = c;
    }
    return HANSE_OK;
}

/* Counts lines and characters. */
static void advance(scan *s, char c)
{
    s->read++;
    if (c == '\n') {
        s->line++;
        s->column = 1;
    } else {
        s->column += ((unsigned char)c & 0xc0) != 0x80;
    }
}

/* Takes bytes that mean nothing but themselves, all there are in a row. Most
 * of a file goes this way. */
static void take_run(const hanse_csv *csv, scan *s)
{
    char *record = csv->in.bytes + csv->in.start;
    const size_t end = csv->in.end - csv->in.start;
    const bool quoted = s->state == QUOTED;
    size_t at = s->read;
    uint64_t n_characters = 0;
    for (; at < end; at++) {
        const unsigned char c = (unsigned char)record[at];
        if (quoted ? c == '"' || c == '\n' || c == '\0' : csv->is_special[c])
            break;
        n_characters += (c & 0xc0) != 0x80;
    }
    const size_t n = at - s->read;
    if (s->write != s->read)
        memmove(record + s->write, record + s->read, n);
    s->read += n;
    s->write += n;
    s->column += n_characters;
}

/* ---- Records ------------------------------------------------------------ */

/* Whether the byte is the CR of a CRLF; a CR elsewhere outside quotes is an
 * error. The caller has seen to it that the byte after it is there. */
static hanse_status check_return(hanse_csv *csv, const scan *s, bool *skip,
                                 hanse_error *error)
{
    const size_t at = csv->in.start + s->read;
    *skip = at + 1 < csv->in.end ? csv->in.bytes[at + 1] == '\n' : true;
    if (*skip)
        return HANSE_OK;
    return fail_at(csv, s->line, s->column, error, HANSE_ERR_FORMAT,
                   "a carriage return that ends no line; lines end with CRLF "
                   "or LF");
}

/* The file ended within the record. */
static hanse_status end_of_file(hanse_csv *csv, scan *s, hanse_error *error)
{
    if (s->state == QUOTED)
        return fail_at(csv, s->field.line, s->field.column, error,
                       HANSE_ERR_FORMAT, "the quote is not closed");
    if (s->state == FIELD_START && s->n_fields == 0)
        return HANSE_OK; /* nothing after the last line */
    if (s->state == FIELD_START)
        begin_field(s, false);
    return end_field(csv, s, error);
}

/* Scans the record at csv->in.start. No field: the file has ended. */
static hanse_status scan_record(hanse_csv *csv, scan *s, hanse_error *error)
{
    bool ended = false;
    *s = (scan){.line = csv->in.line, .column = 1};
    while (!ended) {
        /* A CR needs the byte after it. */
        while (!csv->in.at_end && csv->in.start + s->read + 1 >= csv->in.end)
            HANSE_TRY(hanse_csv_bytes_more(&csv->in, error));
        if (csv->in.start + s->read == csv->in.end) {
            HANSE_TRY(end_of_file(csv, s, error));
            break;
        }
        if (s->state == PLAIN || s->state == QUOTED) {
            const size_t before = s->read;
            take_run(csv, s);
            if (s->read != before)
                continue;
        }
        const char c = csv->in.bytes[csv->in.start + s->read];
        bool skip = false;
        if (c == '\r' && s->state != QUOTED)
            HANSE_TRY(check_return(csv, s, &skip, error));
        if (!skip)
            HANSE_TRY(take(csv, s, c, &ended, error));
        advance(s, c);
    }
    csv->in.line = s->line;
    return HANSE_OK;
}

static void point_to_fields(hanse_csv *csv, const scan *s)
{
    for (size_t i = 0; i < s->n_fields; i++) {
        const place *p = &csv->places[i];
        csv->fields[i] =
            (hanse_csv_field){csv->in.bytes + csv->in.start + p->begin,
                              p->end - p->begin, p->line, p->column, p->quoted};
    }
}

static bool is_blank(const scan *s, const hanse_csv *csv)
{
    return s->n_fields == 1 && csv->places[0].begin == csv->places[0].end &&
           !csv->places[0].quoted;
}

/* Fails at the first character of a field that is no UTF-8, if there is one. */
static hanse_status check_field(const hanse_csv *csv,
                                const hanse_csv_field *field,
                                hanse_error *error)
{
    uint64_t line = field->line;
    uint64_t column = field->column + (field->quoted ? 1 : 0);
    for (const char *c = field->text; *c != '\0';) {
        uint32_t code_point;
        const size_t n = hanse_utf8_decode(c, &code_point);
        if (n == 0)
            return hanse_fail(error, HANSE_ERR_FORMAT,
                              "%s:%llu:%llu: the byte 0x%02x is not UTF-8; "
                              "convert the file, or say --latin1",
                              csv->in.path, (unsigned long long)line,
                              (unsigned long long)column, (unsigned char)*c);
        column = *c == '\n' ? 1 : column + (*c == '"' ? 2 : 1);
        line += *c == '\n';
        c += n;
    }
    return HANSE_OK;
}

/* Most records are ASCII, which is seen without going into the fields. */
static hanse_status check_record(const hanse_csv *csv, size_t n_bytes,
                                 size_t n_fields, hanse_error *error)
{
    const char *record = csv->in.bytes + csv->in.start - n_bytes;
    unsigned char all = 0;
    for (size_t i = 0; i < n_bytes; i++)
        all |= (unsigned char)record[i];
    for (size_t i = 0; i < n_fields && (all & 0x80) != 0; i++)
        HANSE_TRY(check_field(csv, &csv->fields[i], error));
    return HANSE_OK;
}

/* The next record; *n_fields 0 at the end of the file. The bytes of the one
 * before are given up. */
static hanse_status next_record(hanse_csv *csv, size_t *n_fields,
                                hanse_error *error)
{
    scan s;
    do {
        HANSE_TRY(scan_record(csv, &s, error));
        point_to_fields(csv, &s);
        csv->in.start += s.read;
    } while (is_blank(&s, csv) && csv->n_header != 1);
    *n_fields = s.n_fields;
    return csv->check_utf8 ? check_record(csv, s.read, s.n_fields, error)
                           : HANSE_OK;
}

hanse_status hanse_csv_next(hanse_csv *csv, const hanse_csv_field **fields,
                            hanse_error *error)
{
    size_t n = csv->n_header;
    if (csv->kept)
        csv->kept = false;
    else
        HANSE_TRY(next_record(csv, &n, error));
    if (n != 0 && n != csv->n_header)
        return hanse_csv_fail(csv, &csv->fields[0], error, HANSE_ERR_FORMAT,
                              "the record has %zu field%s, the header %zu", n,
                              n == 1 ? "" : "s", csv->n_header);
    *fields = n == 0 ? NULL : csv->fields;
    return HANSE_OK;
}

/* ---- Opening ------------------------------------------------------------ */

/* Copies the header out of the buffer. */
static hanse_status keep_header(hanse_csv *csv, size_t n, hanse_error *error)
{
    size_t n_bytes = 0;
    for (size_t i = 0; i < n; i++)
        n_bytes += csv->fields[i].n + 1;
    csv->header = hanse_allocate(csv->budget, n, sizeof *csv->header);
    csv->header_bytes = hanse_allocate(csv->budget, n_bytes, 1);
    csv->n_header = n;
    csv->n_header_bytes = n_bytes;
    if (csv->header == NULL || csv->header_bytes == NULL)
        return hanse_fail_budget(error, csv->budget, "header of a CSV file", n,
                                 sizeof *csv->header);
    char *end = csv->header_bytes;
    for (size_t i = 0; i < n; i++) {
        csv->header[i] = csv->fields[i];
        csv->header[i].text = end;
        memcpy(end, csv->fields[i].text, csv->fields[i].n + 1);
        end += csv->fields[i].n + 1;
    }
    return HANSE_OK;
}

/* Names for columns without a header: c1, c2 and so on. */
static hanse_status name_columns(hanse_csv *csv, size_t n, hanse_error *error)
{
    enum {
        NAME_BYTES = 8 /* "c65536" */
    };
    csv->header = hanse_allocate(csv->budget, n, sizeof *csv->header);
    csv->header_bytes = hanse_allocate(csv->budget, n, NAME_BYTES);
    csv->n_header = n;
    csv->n_header_bytes = n * NAME_BYTES;
    csv->kept = true;
    if (csv->header == NULL || csv->header_bytes == NULL)
        return hanse_fail_budget(error, csv->budget, "header of a CSV file", n,
                                 sizeof *csv->header);
    for (size_t i = 0; i < n; i++) {
        char *name = csv->header_bytes + i * NAME_BYTES;
        const int length = snprintf(name, NAME_BYTES, "c%zu", i + 1);
        csv->header[i] = csv->fields[i];
        csv->header[i].text = name;
        csv->header[i].n = (size_t)length;
    }
    return HANSE_OK;
}

static hanse_status start(hanse_csv *csv, bool no_header, hanse_error *error)
{
    size_t n;
    HANSE_TRY(hanse_csv_bytes_start(&csv->in, error));
    HANSE_TRY(next_record(csv, &n, error));
    if (n == 0)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "%s: the file is empty; its first line should name "
                          "the columns",
                          csv->in.path);
    return no_header ? name_columns(csv, n, error) : keep_header(csv, n, error);
}

hanse_status hanse_csv_open(const char *path, const hanse_csv_options *options,
                            hanse_csv **out, hanse_error *error)
{
    static const hanse_csv_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    hanse_csv *csv = hanse_allocate_zero(options->budget, 1, sizeof *csv);
    if (csv == NULL)
        return hanse_fail_budget(error, options->budget, "CSV reader", 1,
                                 sizeof *csv);
    csv->in = (hanse_csv_bytes){
        .path = path,
        .descriptor = -1,
        .source = options->source,
        .latin1 = options->charset == HANSE_CSV_LATIN1,
        .max_record_bytes = options->max_record_bytes != 0
                                ? options->max_record_bytes
                                : MAX_RECORD_BYTES,
        .budget = options->budget,
        .line = 1,
    };
    csv->separator = options->separator != 0 ? options->separator : ',';
    csv->check_utf8 = options->charset == HANSE_CSV_UTF8;
    csv->budget = options->budget;
    csv->is_special[(unsigned char)csv->separator] = true;
    for (const char *c = "\"\r\n"; *c != '\0'; c++)
        csv->is_special[(unsigned char)*c] = true;
    csv->is_special[0] = true;
    const hanse_status status = start(csv, options->no_header, error);
    if (status != HANSE_OK) {
        hanse_csv_close(csv);
        return status;
    }
    *out = csv;
    return HANSE_OK;
}

void hanse_csv_close(hanse_csv *csv)
{
    if (csv == NULL)
        return;
    hanse_budget *budget = csv->budget;
    hanse_csv_bytes_close(&csv->in);
    hanse_free(budget, csv->places, csv->capacity_fields, sizeof *csv->places);
    hanse_free(budget, csv->fields, csv->capacity_fields, sizeof *csv->fields);
    hanse_free(budget, csv->header, csv->n_header, sizeof *csv->header);
    hanse_free(budget, csv->header_bytes, csv->n_header_bytes, 1);
    hanse_free(budget, csv, 1, sizeof *csv);
}

const hanse_csv_field *hanse_csv_header(const hanse_csv *csv, size_t *n_fields)
{
    *n_fields = csv->n_header;
    return csv->header;
}

size_t hanse_csv_find(const hanse_csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->n_header; i++)
        if (strcmp(csv->header[i].text, name) == 0)
            return i;
    return SIZE_MAX;
}
