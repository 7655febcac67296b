/* SPDX-License-Identifier: Apache-2.0
 *
 * The pipeline: filters are undone from the last to the first, from one
 * scratch buffer into the other.
 *
 * What comes out of each is known, or at least bounded, before it begins: the
 * chunk's size is known, shuffles keep a size, fletcher32 adds its checksum.
 * Only before a second compressor is the size unknown; it is bounded by what a
 * compressor can make of incompressible data.
 */
#include "io/decode.h"

#include <libdeflate.h>
#include <stdio.h>
#include <string.h>
#include <zstd.h>

#include "io/decode_stage.h"
#include "io/fletcher32.h"

enum {
    CHECKSUM_BYTES = 4
};

/* ---- Stages that need no file of their own ------------------------------ */

hanse_status hanse_decode_too_long(const char *codec, size_t capacity,
                                   hanse_error *error)
{
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "%s: decodes to more than the expected %zu bytes", codec,
                      capacity);
}

static hanse_status decode_deflate(hanse_decoder *decoder,
                                   hanse_decode_stage *stage,
                                   hanse_error *error)
{
    if (decoder->deflate == NULL)
        decoder->deflate = libdeflate_alloc_decompressor();
    if (decoder->deflate == NULL)
        return hanse_fail(error, HANSE_ERR_NOMEM,
                          "out of memory: decoder of deflate");
    switch (libdeflate_zlib_decompress(decoder->deflate, stage->in, stage->n_in,
                                       stage->out, stage->capacity,
                                       &stage->n_out)) {
    case LIBDEFLATE_SUCCESS:
        return HANSE_OK;
    case LIBDEFLATE_INSUFFICIENT_SPACE:
        return hanse_decode_too_long("deflate", stage->capacity, error);
    default:
        return hanse_fail(error, HANSE_ERR_FORMAT, "deflate: damaged stream");
    }
}

/* Bytes after the last whole element are not shuffled. */
static hanse_status decode_shuffle(hanse_decoder *decoder,
                                   hanse_decode_stage *stage,
                                   hanse_error *error)
{
    const size_t width = stage->filter->values[0];
    const size_t n = stage->n_in / width, whole = n * width;
    if (stage->n_in > stage->capacity)
        return hanse_decode_too_long("shuffle", stage->capacity, error);
    decoder->kernels->unshuffle(stage->in, n, width, n, stage->out);
    if (whole < stage->n_in)
        memcpy(stage->out + whole, stage->in + whole, stage->n_in - whole);
    stage->n_out = stage->n_in;
    return HANSE_OK;
}

/* Checks the checksum behind the data and takes it off; nothing moves. */
static hanse_status check_fletcher32(const uint8_t *in, size_t *n_bytes,
                                     hanse_error *error)
{
    if (*n_bytes < CHECKSUM_BYTES)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "fletcher32: %zu bytes, too few for a checksum",
                          *n_bytes);
    const size_t n = *n_bytes - CHECKSUM_BYTES;
    const uint8_t *at = in + n;
    const uint32_t stored = (uint32_t)at[0] | (uint32_t)at[1] << 8 |
                            (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
    const uint32_t found = hanse_fletcher32(in, n);
    if (stored != found && stored != hanse_fletcher32_swapped(found))
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "fletcher32: checksum mismatch (stored %08x, found "
                          "%08x)",
                          stored, found);
    *n_bytes = n;
    return HANSE_OK;
}

/* ---- Filters ------------------------------------------------------------ */

typedef struct filter_kind {
    uint32_t id;
    const char *name;
    hanse_decode_function *decode; /* NULL: fletcher32, or not for us */
} filter_kind;

static const filter_kind kinds[] = {
    {HANSE_FILTER_DEFLATE, "deflate", decode_deflate},
    {HANSE_FILTER_SHUFFLE, "shuffle", decode_shuffle},
    {HANSE_FILTER_FLETCHER32, "fletcher32", NULL},
    {HANSE_FILTER_BZIP2, "bzip2", hanse_decode_bzip2},
    {HANSE_FILTER_LZF, "lzf", hanse_decode_lzf},
    {HANSE_FILTER_BLOSC, "blosc", hanse_decode_blosc},
    {HANSE_FILTER_LZ4, "lz4", hanse_decode_lz4},
    {HANSE_FILTER_BITSHUFFLE, "bitshuffle", hanse_decode_bitshuffle},
    {HANSE_FILTER_ZSTD, "zstd", hanse_decode_zstd},
    /* For messages. */
    {4, "szip", NULL},
    {5, "nbit", NULL},
    {6, "scale-offset", NULL},
    {305, "lzo", NULL},
    {32013, "zfp", NULL},
    {32017, "sz", NULL},
    {32026, "blosc2", NULL},
};

static const filter_kind *kind_of(uint32_t id)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].id == id)
            return &kinds[i];
    return NULL;
}

bool hanse_filter_decodable(uint32_t id)
{
    const filter_kind *kind = kind_of(id);
    return id == HANSE_FILTER_FLETCHER32 ||
           (kind != NULL && kind->decode != NULL);
}

/* What is wrong with a filter's parameters, or NULL. */
static const char *parameter_fault(const hanse_filter *filter)
{
    if (filter->n_values > HANSE_FILTER_VALUES_MAX)
        return "too many parameters";
    if (filter->id == HANSE_FILTER_SHUFFLE &&
        (filter->n_values < 1 || filter->values[0] == 0))
        return "no size of an element";
    if (filter->id != HANSE_FILTER_BITSHUFFLE)
        return NULL;
    if (filter->n_values < 3 || filter->values[2] == 0)
        return "no size of an element";
    if (filter->n_values > 3 && filter->values[3] % 8 != 0)
        return "blocks not of a multiple of 8 elements";
    if (filter->n_values > 4 && filter->values[4] != 0 &&
        filter->values[4] != 2 && filter->values[4] != 3)
        return "unknown compression";
    return NULL;
}

bool hanse_pipeline_decodable(const hanse_pipeline *pipeline, char *reason,
                              size_t size)
{
    if (size > 0)
        reason[0] = '\0';
    if (pipeline->n_filters > HANSE_PIPELINE_MAX) {
        snprintf(reason, size, "%u filters in a row", pipeline->n_filters);
        return false;
    }
    for (uint32_t i = 0; i < pipeline->n_filters; i++) {
        const hanse_filter *filter = &pipeline->filters[i];
        const filter_kind *kind = kind_of(filter->id);
        const char *name = kind == NULL ? "unknown" : kind->name;
        if (!hanse_filter_decodable(filter->id)) {
            snprintf(reason, size, "filter %u (%s)", filter->id, name);
            return false;
        }
        const char *fault = parameter_fault(filter);
        if (fault != NULL) {
            snprintf(reason, size, "filter %u (%s): %s", filter->id, name,
                     fault);
            return false;
        }
    }
    return true;
}

/* ---- Decoder ------------------------------------------------------------ */

hanse_status hanse_decoder_create(hanse_budget *budget, hanse_decoder **out,
                                  hanse_error *error)
{
    hanse_cpu cpu;
    HANSE_TRY(hanse_cpu_choose(&cpu, error));
    hanse_decoder *decoder =
        hanse_allocate_zero(budget, 1, sizeof(hanse_decoder));
    if (decoder == NULL)
        return hanse_fail_budget(error, budget, "chunk decoder", 1,
                                 sizeof(hanse_decoder));
    decoder->budget = budget;
    decoder->kernels = hanse_kernels_of(cpu);
    *out = decoder;
    return HANSE_OK;
}

void hanse_decoder_destroy(hanse_decoder *decoder)
{
    if (decoder == NULL)
        return;
    for (int i = 0; i < HANSE_SCRATCH_COUNT; i++)
        hanse_free(decoder->budget, decoder->scratch[i].memory,
                   decoder->scratch[i].capacity_bytes, 1);
    libdeflate_free_decompressor(decoder->deflate);
    ZSTD_freeDCtx(decoder->zstd);
    hanse_free(decoder->budget, decoder, 1, sizeof(hanse_decoder));
}

hanse_status hanse_decoder_reserve(hanse_decoder *decoder, int which,
                                   size_t size_bytes, hanse_error *error)
{
    hanse_scratch *scratch = &decoder->scratch[which];
    if (scratch->memory != NULL && scratch->capacity_bytes >= size_bytes)
        return HANSE_OK;
    hanse_free(decoder->budget, scratch->memory, scratch->capacity_bytes, 1);
    scratch->capacity_bytes = 0;
    scratch->memory = hanse_allocate(decoder->budget, size_bytes, 1);
    if (scratch->memory == NULL)
        return hanse_fail_budget(error, decoder->budget, "chunk decoder",
                                 size_bytes, 1);
    scratch->capacity_bytes = size_bytes;
    return HANSE_OK;
}

/* ---- Undoing a pipeline ------------------------------------------------- */

/* The size of the data before a filter was applied. */
typedef struct stage_size {
    size_t bytes;
    bool exact; /* else an upper bound */
} stage_size;

/* One filter that was applied to the chunk at hand. */
typedef struct step {
    const hanse_filter *filter;
    const filter_kind *kind;
    stage_size size;
} step;

typedef struct steps {
    size_t n;
    step step[HANSE_PIPELINE_MAX]; /* in the order of writing */
    stage_size stored;
} steps;

/* What a filter makes of data of a size; false on overflow. */
static bool size_after(const hanse_filter *filter, stage_size before,
                       stage_size *after)
{
    *after = before;
    switch (filter->id) {
    case HANSE_FILTER_SHUFFLE:
        return true;
    case HANSE_FILTER_FLETCHER32:
        return !__builtin_add_overflow(before.bytes, CHECKSUM_BYTES,
                                       &after->bytes);
    default:
        break;
    }
    if (filter->id == HANSE_FILTER_BITSHUFFLE &&
        (filter->n_values < 5 || filter->values[4] == 0))
        return true;
    /* Codecs add a few bytes per block to what they cannot compress. Blocks of
     * a few bytes each would exceed a quarter, but nobody writes them. */
    after->exact = false;
    return !__builtin_add_overflow(before.bytes, before.bytes / 4 + 4096,
                                   &after->bytes);
}

static hanse_status list_steps(const hanse_pipeline *pipeline,
                               uint32_t filter_mask, size_t raw_bytes,
                               steps *out, hanse_error *error)
{
    char reason[128];
    if (!hanse_pipeline_decodable(pipeline, reason, sizeof reason))
        return hanse_fail(error, HANSE_ERR_FORMAT, "%s cannot be decoded",
                          reason);
    stage_size size = {raw_bytes, true};
    out->n = 0;
    for (uint32_t i = 0; i < pipeline->n_filters; i++) {
        const hanse_filter *filter = &pipeline->filters[i];
        if (filter_mask >> i & 1)
            continue;
        if (filter->id == HANSE_FILTER_SHUFFLE && filter->values[0] == 1)
            continue;
        out->step[out->n++] = (step){filter, kind_of(filter->id), size};
        if (!size_after(filter, size, &size))
            return hanse_fail(error, HANSE_ERR_FORMAT,
                              "a chunk of %zu bytes is too large", raw_bytes);
    }
    out->stored = size;
    return HANSE_OK;
}

/* Data on their way: in the stored chunk, in scratch or at their goal. */
typedef struct span {
    const uint8_t *data;
    size_t n_bytes;
} span;

/* Undoes one filter; into `out`, or into scratch when that is NULL. */
static hanse_status undo(hanse_decoder *decoder, const step *s, uint8_t *out,
                         span *at, hanse_error *error)
{
    if (s->filter->id == HANSE_FILTER_FLETCHER32)
        return check_fletcher32(at->data, &at->n_bytes, error);
    if (out == NULL) {
        const int scratch =
            at->data == decoder->scratch[HANSE_SCRATCH_EVEN].memory
                ? HANSE_SCRATCH_ODD
                : HANSE_SCRATCH_EVEN;
        HANSE_TRY(
            hanse_decoder_reserve(decoder, scratch, s->size.bytes, error));
        out = decoder->scratch[scratch].memory;
    }
    hanse_decode_stage stage = {.filter = s->filter,
                                .in = at->data,
                                .n_in = at->n_bytes,
                                .out = out,
                                .capacity = s->size.bytes};
    HANSE_TRY(s->kind->decode(decoder, &stage, error));
    *at = (span){out, stage.n_out};
    return HANSE_OK;
}

/* Undoes all steps from the last to number `first`; that one into `out` unless
 * it is NULL. at: the stored chunk, then the result. */
static hanse_status undo_all(hanse_decoder *decoder, const steps *all,
                             size_t first, uint8_t *out, span *at,
                             hanse_error *error)
{
    if (all->stored.exact && at->n_bytes != all->stored.bytes)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "%zu bytes stored, expected %zu", at->n_bytes,
                          all->stored.bytes);
    for (size_t i = all->n; i-- > first;) {
        const step *s = &all->step[i];
        HANSE_TRY(undo(decoder, s, i == first ? out : NULL, at, error));
        if (s->size.exact && at->n_bytes != s->size.bytes)
            return hanse_fail(error, HANSE_ERR_FORMAT,
                              "%s: decoded to %zu bytes, expected %zu",
                              s->kind->name, at->n_bytes, s->size.bytes);
    }
    return HANSE_OK;
}

hanse_status hanse_decoder_decode_into(hanse_decoder *decoder,
                                       const hanse_pipeline *pipeline,
                                       uint32_t filter_mask, const void *stored,
                                       size_t stored_bytes, size_t raw_bytes,
                                       void *out, hanse_error *error)
{
    steps all;
    span at = {stored, stored_bytes};
    HANSE_TRY(list_steps(pipeline, filter_mask, raw_bytes, &all, error));
    HANSE_TRY(undo_all(decoder, &all, 0, out, &at, error));
    if (at.data != out && raw_bytes != 0)
        memcpy(out, at.data, raw_bytes);
    return HANSE_OK;
}

hanse_status hanse_decoder_decode(hanse_decoder *decoder,
                                  const hanse_pipeline *pipeline,
                                  uint32_t filter_mask, const void *stored,
                                  size_t stored_bytes, size_t raw_bytes,
                                  const void **out, hanse_error *error)
{
    steps all;
    span at = {stored, stored_bytes};
    HANSE_TRY(list_steps(pipeline, filter_mask, raw_bytes, &all, error));
    HANSE_TRY(undo_all(decoder, &all, 0, NULL, &at, error));
    if ((uintptr_t)at.data % HANSE_ALIGNMENT != 0) {
        /* Only a stored chunk is not aligned, and then scratch is unused. */
        HANSE_TRY(hanse_decoder_reserve(decoder, HANSE_SCRATCH_EVEN, raw_bytes,
                                        error));
        uint8_t *copy = decoder->scratch[HANSE_SCRATCH_EVEN].memory;
        if (raw_bytes != 0)
            memcpy(copy, at.data, raw_bytes);
        at.data = copy;
    }
    *out = at.data;
    return HANSE_OK;
}

/* ---- Reading in pieces -------------------------------------------------- */

/* All but a shuffle of whole rows; into `buffer`, or scratch when it is
 * NULL. */
static hanse_status open_chunk(hanse_decoder *decoder,
                               const hanse_pipeline *pipeline,
                               uint32_t filter_mask, span at, size_t n_rows,
                               size_t row_bytes, uint8_t *buffer,
                               hanse_decoded *out, hanse_error *error)
{
    steps all;
    size_t raw_bytes;
    if (!hanse_size_multiply(n_rows, row_bytes, &raw_bytes))
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "a chunk of %zu rows of %zu bytes is too large",
                          n_rows, row_bytes);
    HANSE_TRY(list_steps(pipeline, filter_mask, raw_bytes, &all, error));
    const bool shuffled = all.n > 0 &&
                          all.step[0].filter->id == HANSE_FILTER_SHUFFLE &&
                          all.step[0].filter->values[0] == row_bytes;
    HANSE_TRY(undo_all(decoder, &all, shuffled, buffer, &at, error));
    if (buffer != NULL && at.data != buffer && raw_bytes != 0) {
        memcpy(buffer, at.data, raw_bytes);
        at.data = buffer;
    }
    /* Step 0, left out here, keeps the size that step 1 was checked for. */
    *out = (hanse_decoded){.data = at.data,
                           .n_rows = n_rows,
                           .row_bytes = row_bytes,
                           .shuffled = shuffled,
                           .kernels = decoder->kernels};
    return HANSE_OK;
}

hanse_status hanse_decoder_open(hanse_decoder *decoder,
                                const hanse_pipeline *pipeline,
                                uint32_t filter_mask, const void *stored,
                                size_t stored_bytes, size_t n_rows,
                                size_t row_bytes, hanse_decoded *out,
                                hanse_error *error)
{
    return open_chunk(decoder, pipeline, filter_mask,
                      (span){stored, stored_bytes}, n_rows, row_bytes, NULL,
                      out, error);
}

hanse_status hanse_decoder_open_into(hanse_decoder *decoder,
                                     const hanse_pipeline *pipeline,
                                     uint32_t filter_mask, const void *stored,
                                     size_t stored_bytes, size_t n_rows,
                                     size_t row_bytes, void *buffer,
                                     hanse_decoded *out, hanse_error *error)
{
    return open_chunk(decoder, pipeline, filter_mask,
                      (span){stored, stored_bytes}, n_rows, row_bytes, buffer,
                      out, error);
}

void hanse_decoded_read(const hanse_decoded *decoded, size_t offset,
                        size_t width, size_t first, size_t n, void *out)
{
    if (n == 0 || width == 0)
        return;
    if (decoded->shuffled)
        decoded->kernels->unshuffle(decoded->data + offset * decoded->n_rows +
                                        first,
                                    decoded->n_rows, width, n, out);
    else
        decoded->kernels->gather(decoded->data + first * decoded->row_bytes +
                                     offset,
                                 decoded->row_bytes, width, n, out);
}
