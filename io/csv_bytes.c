/* SPDX-License-Identifier: Apache-2.0
 *
 * The buffer of a CSV reader.
 */
#include "io/csv_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum {
    FIRST_BYTES = 64 * 1024
};

/* Makes room for at least two more bytes, which a character of Latin-1 may
 * take, and one for a terminator. */
static hanse_status make_room(hanse_csv_bytes *in, hanse_error *error)
{
    if (in->start > 0) {
        in->end -= in->start;
        memmove(in->bytes, in->bytes + in->start, in->end);
        in->start = 0;
    }
    if (in->end + 2 < in->capacity_bytes)
        return HANSE_OK;
    if (in->end >= in->max_record_bytes)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "%s:%llu: the record is longer than %zu bytes; is a "
                          "quote not closed?",
                          in->path, (unsigned long long)in->line,
                          in->max_record_bytes);
    char *larger = hanse_grow(in->budget, in->bytes, in->capacity_bytes,
                              2 * in->capacity_bytes, 1);
    if (larger == NULL)
        return hanse_fail_budget(error, in->budget, "record of a CSV file",
                                 2 * in->capacity_bytes, 1);
    in->bytes = larger;
    in->capacity_bytes *= 2;
    return HANSE_OK;
}

/* The n bytes at bytes + end + n become UTF-8 from bytes + end on: what is
 * written never passes what is read. Returns how many bytes that makes. */
static size_t widen(hanse_csv_bytes *in, size_t n)
{
    const unsigned char *from = (unsigned char *)in->bytes + in->end + n;
    unsigned char *begin = (unsigned char *)in->bytes + in->end;
    unsigned char *to = begin;
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = from[i];
        if (c >= 0x80) {
            *to++ = (unsigned char)(0xC0 | c >> 6);
            *to++ = (unsigned char)(0x80 | (c & 0x3F));
        } else {
            *to++ = c;
        }
    }
    return (size_t)(to - begin);
}

hanse_status hanse_csv_bytes_more(hanse_csv_bytes *in, hanse_error *error)
{
    HANSE_TRY(make_room(in, error));
    const size_t room = in->capacity_bytes - in->end - 1;
    const size_t wanted = in->latin1 ? room / 2 : room;
    char *to = in->bytes + in->end + (in->latin1 ? wanted : 0);
    for (;;) {
        const ssize_t n = read(in->descriptor, to, wanted);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return hanse_fail(error, HANSE_ERR_IO, "%s: cannot read: %s",
                              in->path, strerror(errno));
        in->at_end = n == 0;
        if (in->latin1) {
            memmove(in->bytes + in->end + n, to, (size_t)n);
            in->end += widen(in, (size_t)n);
        } else {
            in->end += (size_t)n;
        }
        return HANSE_OK;
    }
}

/* A byte order mark is no part of the first name. */
static hanse_status skip_mark(hanse_csv_bytes *in, hanse_error *error)
{
    static const char mark[] = "\xef\xbb\xbf";
    static const char widened[] = "\xc3\xaf\xc2\xbb\xc2\xbf";
    while (!in->at_end && in->end < sizeof widened - 1)
        HANSE_TRY(hanse_csv_bytes_more(in, error));
    if (in->latin1 && in->end >= sizeof widened - 1 &&
        memcmp(in->bytes, widened, sizeof widened - 1) == 0)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "%s:1:1: the file begins with the mark of UTF-8; "
                          "leave out --latin1",
                          in->path);
    if (!in->latin1 && in->end >= sizeof mark - 1 &&
        memcmp(in->bytes, mark, sizeof mark - 1) == 0)
        in->start = sizeof mark - 1;
    return HANSE_OK;
}

hanse_status hanse_csv_bytes_start(hanse_csv_bytes *in, hanse_error *error)
{
    in->bytes = hanse_allocate(in->budget, FIRST_BYTES, 1);
    in->capacity_bytes = FIRST_BYTES;
    if (in->bytes == NULL)
        return hanse_fail_budget(error, in->budget, "record of a CSV file",
                                 FIRST_BYTES, 1);
    if (in->source != NULL) {
        in->descriptor = *in->source;
        (void)lseek(in->descriptor, 0, SEEK_SET);
        return skip_mark(in, error);
    }
    in->descriptor = open(in->path, O_RDONLY | O_CLOEXEC);
    if (in->descriptor < 0)
        return hanse_fail(error, HANSE_ERR_IO, "%s: cannot open: %s", in->path,
                          strerror(errno));
    return skip_mark(in, error);
}

void hanse_csv_bytes_close(hanse_csv_bytes *in)
{
    if (in->descriptor >= 0 && in->source == NULL)
        (void)close(in->descriptor);
    hanse_free(in->budget, in->bytes, in->capacity_bytes, 1);
}
