/* SPDX-License-Identifier: Apache-2.0
 *
 * The yardstick: the work that no reader of these bytes can leave out. Every
 * stored chunk is read, inflated, unshuffled, and each value touched once by a
 * plain sum, on all threads; what a job takes beyond that is its own.
 *
 *     hanse_limit FILE INDEX THREADS
 *
 * INDEX is a text (limit.py writes it), a line for each chunk, or for all of a
 * contiguous column: address, stored bytes, decoded bytes, bytes of a value,
 * and what was done to it, "-", "deflate" or "shuffle,deflate". The sum is
 * printed so that nothing can be left out.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/kernels/kernels.h"

/* Contiguous columns are read in such pieces. */
static const uint64_t piece_bytes = 1 << 20;

typedef struct piece {
    uint64_t address;
    size_t stored_bytes;
    size_t decoded_bytes;
    size_t width;
    bool deflated;
    bool shuffled;
} piece;

typedef struct work {
    piece *pieces;
    size_t n;
    size_t capacity;
    size_t largest; /* bytes, stored or decoded */
    int descriptor;
    const hanse_kernels *kernels;
} work;

/* Buffers of a thread. */
typedef struct buffers {
    uint8_t *stored;
    uint8_t *inflated;
    uint8_t *values;
    struct libdeflate_decompressor *inflater;
} buffers;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "hanse_limit: error: %s\n", what);
    exit(EXIT_FAILURE);
}

static void add_piece(work *w, piece p)
{
    if (w->n == w->capacity) {
        w->capacity = w->capacity == 0 ? 1024 : 2 * w->capacity;
        w->pieces = realloc(w->pieces, w->capacity * sizeof *w->pieces);
        if (w->pieces == NULL)
            fail("out of memory");
    }
    w->pieces[w->n++] = p;
    if (p.stored_bytes > w->largest)
        w->largest = p.stored_bytes;
    if (p.decoded_bytes > w->largest)
        w->largest = p.decoded_bytes;
}

static void read_index(work *w, const char *path)
{
    FILE *stream = fopen(path, "r");
    uint64_t address, stored, decoded, width;
    char filters[32];
    if (stream == NULL)
        fail("no index");
    while (fscanf(stream,
                  "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %31s",
                  &address, &stored, &decoded, &width, filters) == 5) {
        const bool deflated = strstr(filters, "deflate") != NULL;
        const bool shuffled = strstr(filters, "shuffle") != NULL;
        const uint64_t step = strcmp(filters, "-") == 0 ? piece_bytes : stored;
        for (uint64_t at = 0; at < stored; at += step) {
            const uint64_t left = stored - at;
            const size_t n = (size_t)(left < step ? left : step);
            add_piece(w, (piece){address + at, n,
                                 step == stored ? (size_t)decoded : n,
                                 (size_t)width, deflated, shuffled});
        }
    }
    (void)fclose(stream);
}

static uint8_t *new_buffer(size_t size_bytes)
{
    uint8_t *buffer = aligned_alloc(64, (size_bytes + 127) / 64 * 64);
    if (buffer == NULL)
        fail("out of memory");
    return buffer;
}

/* Reads and decodes a piece. */
static const uint8_t *decode(const work *w, const piece *p, buffers *b)
{
    const uint8_t *data = b->stored;
    if (pread(w->descriptor, b->stored, p->stored_bytes, (off_t)p->address) !=
        (ssize_t)p->stored_bytes)
        fail("cannot read");
    if (p->deflated) {
        if (libdeflate_zlib_decompress(b->inflater, data, p->stored_bytes,
                                       b->inflated, p->decoded_bytes,
                                       NULL) != LIBDEFLATE_SUCCESS)
            fail("cannot inflate");
        data = b->inflated;
    }
    if (p->shuffled) {
        const size_t n = p->decoded_bytes / p->width;
        w->kernels->unshuffle(data, n, p->width, n, b->values);
        data = b->values;
    }
    return data;
}

/* Touches every value, be it what it may, in the widest registers. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
static uint64_t
sum(const uint8_t *data, size_t n_bytes)
{
    uint64_t total = 0;
#pragma omp simd reduction(+ : total)
    for (size_t i = 0; i < n_bytes / 8; i++) {
        uint64_t value;
        memcpy(&value, data + 8 * i, sizeof value);
        total += value;
    }
    return total;
}

static uint64_t do_all(const work *w, int n_threads)
{
    uint64_t total = 0;
#pragma omp parallel num_threads(n_threads) reduction(+ : total)
    {
        buffers b = {new_buffer(w->largest), new_buffer(w->largest),
                     new_buffer(w->largest), libdeflate_alloc_decompressor()};
        if (b.inflater == NULL)
            fail("out of memory");
#pragma omp for schedule(dynamic, 1)
        for (size_t i = 0; i < w->n; i++)
            total +=
                sum(decode(w, &w->pieces[i], &b), w->pieces[i].decoded_bytes);
        libdeflate_free_decompressor(b.inflater);
        free(b.stored);
        free(b.inflated);
        free(b.values);
    }
    return total;
}

int main(int argc, char **argv)
{
    work w = {0};
    hanse_cpu cpu;
    const int n_threads = argc == 4 ? atoi(argv[3]) : 0;
    if (n_threads < 1)
        fail("usage: hanse_limit FILE INDEX THREADS");
    if (hanse_cpu_choose(&cpu, NULL) != HANSE_OK)
        fail("HANSE_CPU is not the name of an instruction set");
    w.kernels = hanse_kernels_of(cpu);
    w.descriptor = open(argv[1], O_RDONLY);
    if (w.descriptor < 0)
        fail("no file");
    read_index(&w, argv[2]);
    if (w.n == 0)
        fail("the index is empty");
    printf("%016" PRIx64 "\n", do_all(&w, n_threads));
    free(w.pieces);
    return close(w.descriptor) != 0;
}
