/* SPDX-License-Identifier: Apache-2.0
 *
 * What deflate would save is estimated in a fifteenth of the time that
 * libdeflate takes for noise at its lowest level.
 */
#include "io/deflate_planes.h"

#include <string.h>

enum {
    N_BYTES = 256,             /* values of a byte */
    N_KEYS = 1024,             /* a power of 2 */
    KEY_BYTES = 4,             /* shorter matches save next to nothing */
    WINDOW_BYTES = 1 << 15,    /* how far back deflate can look */
    PART_BYTES = 1 << 16,      /* about a block of libdeflate */
    MIN_PLANE_BYTES = 1 << 13, /* below, counts vary too much by chance */
    STORED_BYTES = 65535,      /* of a stored block, at the most */
    BLOCK_HEADER_BYTES = 5,    /* of a stored block, from a whole byte on */
    HEADER_BYTES = 2,
    TRAILER_BYTES = 4
};

/* ---- Estimates ---------------------------------------------------------- */

/* Shell's, with Ciura's gaps. */
static void sort_counts(uint32_t *counts)
{
    static const size_t gaps[] = {57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++)
        for (size_t i = gaps[g]; i < N_BYTES; i++) {
            const uint32_t count = counts[i];
            size_t k = i;
            for (; k >= gaps[g] && counts[k - gaps[g]] > count; k -= gaps[g])
                counts[k] = counts[k - gaps[g]];
            counts[k] = count;
        }
}

/* Bits of all symbols together in a Huffman code: the sum of the inner nodes of
 * the tree, which come in ascending order, as the leaves do. */
static size_t code_bits(uint32_t *counts)
{
    uint32_t inner[N_BYTES];
    size_t bits = 0, leaf = 0, taken = 0;
    sort_counts(counts);
    while (counts[leaf] == 0)
        leaf++;
    const size_t n_inner = N_BYTES - 1 - leaf;
    for (size_t made = 0; made < n_inner; made++) {
        uint32_t sum = 0;
        for (size_t side = 0; side < 2; side++)
            sum += leaf < N_BYTES &&
                           (taken == made || counts[leaf] <= inner[taken])
                       ? counts[leaf++]
                       : inner[taken++];
        inner[made] = sum;
        bits += sum;
    }
    return bits;
}

/* Bytes that a Huffman code saves of a part. */
static size_t saved_by_code(const uint8_t *bytes, size_t n)
{
    uint32_t counts[N_BYTES] = {0};
    for (size_t i = 0; i < n; i++)
        counts[bytes[i]]++;
    return n - (code_bits(counts) + 7) / 8;
}

/* Bytes that are the same as the one before, beyond what chance makes. */
static size_t saved_of_runs(const uint8_t *bytes, size_t n)
{
    size_t n_same = 0;
    for (size_t i = 1; i < n; i++)
        n_same += bytes[i] == bytes[i - 1];
    return n_same > n / 128 ? n_same - n / 256 : 0;
}

/* Bytes that repeat what has been. Looked at are the places of one value, which
 * are the same ones wherever a sequence occurs again; in noise they are one in
 * 256, and 2^-17 of them repeat. */
static size_t saved_of_repeats(const uint8_t *plane, size_t n)
{
    struct {
        uint32_t key;
        size_t end; /* 0: none */
    } last[N_KEYS] = {0};
    const uint8_t *end = plane + n - KEY_BYTES + 1;
    const int value = plane[n / 2];
    size_t n_looked = 0, n_repeats = 0;
    for (const uint8_t *at = plane;
         at < end && (at = memchr(at, value, (size_t)(end - at))) != NULL;
         at++) {
        uint32_t key;
        memcpy(&key, at, sizeof key);
        const size_t slot =
            key * UINT32_C(0x9E3779B1) / (UINT32_MAX / N_KEYS + 1);
        const size_t place = (size_t)(at - plane) + 1;
        n_looked++;
        n_repeats += last[slot].end > 0 && last[slot].key == key &&
                     place - last[slot].end <= WINDOW_BYTES;
        last[slot].key = key;
        last[slot].end = place;
    }
    return n_looked == 0 ? 0 : n / n_looked * n_repeats;
}

size_t hanse_plane_estimate(const uint8_t *plane, size_t plane_bytes)
{
    /* Nobody asks how much more it is. */
    const size_t enough = plane_bytes / 8;
    if (plane_bytes < MIN_PLANE_BYTES)
        return plane_bytes;
    size_t saved = saved_of_runs(plane, plane_bytes);
    for (size_t begin = 0; begin < plane_bytes && saved <= enough;
         begin += PART_BYTES) {
        const size_t left = plane_bytes - begin;
        saved +=
            saved_by_code(plane + begin, left < PART_BYTES ? left : PART_BYTES);
    }
    return saved > enough ? saved
                          : saved + saved_of_repeats(plane, plane_bytes);
}

/* How many planes to store. */
static size_t count_stored(const hanse_planes *planes, int level)
{
    const size_t per_plane = planes->plane_bytes / 100 / (size_t)level;
    size_t n_stored = 0, saved = 0;
    for (size_t k = 0; k < planes->n_planes; k++) {
        saved += hanse_plane_estimate(planes->bytes + k * planes->plane_bytes,
                                      planes->plane_bytes);
        if (saved > planes->n_planes * per_plane)
            break;
        if (saved <= (k + 1) * per_plane)
            n_stored = k + 1;
    }
    return n_stored;
}

/* ---- The stream --------------------------------------------------------- */

/* RFC 1950: deflate with the largest window, libdeflate's hint at the level,
 * and what makes a multiple of 31. */
static void put_header(uint8_t *out, int level)
{
    const unsigned hint = level < 2 ? 0 : level < 6 ? 1 : level < 8 ? 2 : 3;
    const unsigned header = 0x7800 | hint << 6;
    out[0] = (uint8_t)(header >> 8);
    out[1] = (uint8_t)(header + 31 - header % 31);
}

static size_t stored_bytes(size_t n)
{
    return n + (n + STORED_BYTES - 1) / STORED_BYTES * BLOCK_HEADER_BYTES;
}

/* Blocks of which none is the last of the stream; each ends at a whole byte. */
static uint8_t *put_stored(uint8_t *out, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        const size_t length = n < STORED_BYTES ? n : STORED_BYTES;
        out[0] = 0;
        out[1] = (uint8_t)length;
        out[2] = (uint8_t)(length >> 8);
        out[3] = (uint8_t)~out[1];
        out[4] = (uint8_t)~out[2];
        memcpy(out + BLOCK_HEADER_BYTES, bytes, length);
        out += BLOCK_HEADER_BYTES + length;
        bytes += length;
        n -= length;
    }
    return out;
}

static void put_checksum(uint8_t *out, const uint8_t *bytes, size_t n)
{
    const uint32_t checksum = libdeflate_adler32(1, bytes, n);
    for (size_t i = 0; i < TRAILER_BYTES; i++)
        out[i] = (uint8_t)(checksum >> (24 - 8 * i));
}

size_t hanse_deflate_planes(struct libdeflate_compressor *deflate, int level,
                            const hanse_planes *planes, uint8_t *out,
                            size_t room_bytes)
{
    const uint8_t *bytes = planes->bytes;
    const size_t n = planes->n_planes * planes->plane_bytes;
    const size_t n_stored = count_stored(planes, level);
    if (n_stored == 0)
        return libdeflate_zlib_compress(deflate, bytes, n, out, room_bytes);
    const size_t skipped = n_stored * planes->plane_bytes;
    const size_t taken = HEADER_BYTES + stored_bytes(skipped) + TRAILER_BYTES;
    if (skipped == n || taken > room_bytes)
        return 0;
    put_header(out, level);
    uint8_t *at = put_stored(out + HEADER_BYTES, bytes, skipped);
    const size_t rest = libdeflate_deflate_compress(
        deflate, bytes + skipped, n - skipped, at, room_bytes - taken);
    if (rest == 0)
        return 0;
    put_checksum(at + rest, bytes, n);
    return taken + rest;
}
