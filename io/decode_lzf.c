/* SPDX-License-Identifier: Apache-2.0
 *
 * The filter LZF (32000), h5py's own. A chunk is a plain LZF stream of
 *
 *     000lllll                     l + 1 bytes follow and are taken as they are
 *     lllooooo oooooooo            repeat l + 2 bytes from o + 1 bytes back
 *     111ooooo llllllll oooooooo   the same for l + 9 bytes
 */
#include <string.h>

#include "io/decode_stage.h"

enum {
    LITERALS_MAX = 32,
    SHORT_MATCH = 16
};

typedef struct cursor {
    const uint8_t *in, *in_end;
    uint8_t *out, *out_start, *out_end;
} cursor;

static hanse_status damaged(hanse_error *error, const char *what)
{
    return hanse_fail(error, HANSE_ERR_FORMAT, "lzf: damaged stream (%s)",
                      what);
}

/* Copies from `distance` bytes back; with a distance below n the bytes written
 * are read again, which repeats them. */
static void copy_match(cursor *c, size_t distance, size_t n)
{
    const uint8_t *from = c->out - distance;
    if (distance >= SHORT_MATCH && n <= SHORT_MATCH &&
        (size_t)(c->out_end - c->out) >= SHORT_MATCH)
        memcpy(c->out, from, SHORT_MATCH);
    else if (distance >= n)
        memcpy(c->out, from, n);
    else if (distance == 1)
        memset(c->out, *from, n);
    else
        for (size_t i = 0; i < n; i++)
            c->out[i] = from[i];
    c->out += n;
}

static void copy_literals(cursor *c, size_t n)
{
    if ((size_t)(c->in_end - c->in) >= LITERALS_MAX &&
        (size_t)(c->out_end - c->out) >= LITERALS_MAX)
        memcpy(c->out, c->in, LITERALS_MAX);
    else
        memcpy(c->out, c->in, n);
    c->in += n;
    c->out += n;
}

/* After the first byte of a match: its length and distance. */
static bool read_match(cursor *c, uint8_t control, size_t *distance, size_t *n)
{
    *n = control >> 5;
    if (*n == 7) {
        if (c->in == c->in_end)
            return false;
        *n += *c->in++;
    }
    if (c->in == c->in_end)
        return false;
    *distance = ((size_t)(control & 0x1f) << 8) + *c->in++ + 1;
    *n += 2;
    return true;
}

hanse_status hanse_decode_lzf(hanse_decoder *decoder, hanse_decode_stage *stage,
                              hanse_error *error)
{
    (void)decoder;
    cursor c = {stage->in, stage->in + stage->n_in, stage->out, stage->out,
                stage->out + stage->capacity};
    while (c.in < c.in_end) {
        const uint8_t control = *c.in++;
        size_t n = (size_t)control + 1, distance = 0;
        if (control >= LITERALS_MAX) {
            if (!read_match(&c, control, &distance, &n))
                return damaged(error, "cut short");
            if (distance > (size_t)(c.out - c.out_start))
                return damaged(error, "repeats what was before the start");
        } else if (n > (size_t)(c.in_end - c.in)) {
            return damaged(error, "cut short");
        }
        if (n > (size_t)(c.out_end - c.out))
            return hanse_decode_too_long("lzf", stage->capacity, error);
        if (distance == 0)
            copy_literals(&c, n);
        else
            copy_match(&c, distance, n);
    }
    stage->n_out = (size_t)(c.out - c.out_start);
    return HANSE_OK;
}
