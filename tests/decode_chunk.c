/* SPDX-License-Identifier: Apache-2.0
 *
 * usage: decode_chunk RAW_BYTES FILTER_MASK [ID[:VALUE,VALUE,...]]...
 *
 * Decodes the chunk on standard input to standard output, for tests in Python.
 * Prints the error and exits with 1 when it cannot.
 */
#include <stdio.h>
#include <stdlib.h>

#include "io/decode.h"

enum {
    CHUNK_BYTES_MAX = 1 << 26
};

/* "32008:0,3,8" */
static bool parse_filter(const char *text, hanse_filter *filter)
{
    char *end;
    *filter = (hanse_filter){.id = (uint32_t)strtoul(text, &end, 10)};
    for (char before = ':'; *end == before; before = ',') {
        if (filter->n_values == HANSE_FILTER_VALUES_MAX)
            return false;
        filter->values[filter->n_values++] =
            (uint32_t)strtoul(end + 1, &end, 10);
    }
    return *end == '\0';
}

static int decode(const hanse_pipeline *pipeline, size_t raw_bytes,
                  uint32_t filter_mask)
{
    hanse_decoder *decoder = NULL;
    hanse_error error = {0};
    const void *out = NULL;
    int result = 1;
    void *stored = malloc(CHUNK_BYTES_MAX);
    if (stored == NULL)
        return 1;
    const size_t stored_bytes = fread(stored, 1, CHUNK_BYTES_MAX, stdin);
    if (hanse_decoder_create(NULL, &decoder, &error) != HANSE_OK ||
        hanse_decoder_decode(decoder, pipeline, filter_mask, stored,
                             stored_bytes, raw_bytes, &out, &error) != HANSE_OK)
        fprintf(stderr, "%s\n", error.message);
    else if (fwrite(out, 1, raw_bytes, stdout) == raw_bytes &&
             fflush(stdout) == 0)
        result = 0;
    hanse_decoder_destroy(decoder);
    free(stored);
    return result;
}

int main(int argc, char **argv)
{
    hanse_pipeline pipeline = {0};
    if (argc < 3 || argc - 3 > HANSE_PIPELINE_MAX)
        return 64;
    for (int i = 3; i < argc; i++)
        if (!parse_filter(argv[i], &pipeline.filters[pipeline.n_filters++]))
            return 64;
    return decode(&pipeline, strtoul(argv[1], NULL, 10),
                  (uint32_t)strtoul(argv[2], NULL, 10));
}
