/* SPDX-License-Identifier: Apache-2.0
 *
 * Decodes chunks for tests in Python. Reads requests from standard input, each
 *
 *     STORED_BYTES RAW_BYTES FILTER_MASK [ID[:VALUE,VALUE,...]]...
 *
 * on a line, followed by the stored bytes; answers each by the length of what
 * follows it, on a line, and the decoded bytes, or by -1 and the error on the
 * next line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/decode.h"

typedef struct request {
    size_t stored_bytes, raw_bytes;
    uint32_t filter_mask;
    hanse_pipeline pipeline;
} request;

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

static bool parse_request(char *line, request *out)
{
    char *rest = NULL;
    const char *word[3 + HANSE_PIPELINE_MAX];
    size_t n = 0;
    for (char *w = strtok_r(line, " \n", &rest); w != NULL;
         w = strtok_r(NULL, " \n", &rest)) {
        if (n == 3 + HANSE_PIPELINE_MAX)
            return false;
        word[n++] = w;
    }
    if (n < 3)
        return false;
    *out = (request){.stored_bytes = strtoul(word[0], NULL, 10),
                     .raw_bytes = strtoul(word[1], NULL, 10),
                     .filter_mask = (uint32_t)strtoul(word[2], NULL, 10)};
    for (size_t i = 3; i < n; i++)
        if (!parse_filter(word[i],
                          &out->pipeline.filters[out->pipeline.n_filters++]))
            return false;
    return true;
}

static bool answer(hanse_decoder *decoder, const request *r)
{
    hanse_error error = {0};
    const void *out = NULL;
    void *stored = malloc(r->stored_bytes + 1);
    bool done = stored != NULL &&
                fread(stored, 1, r->stored_bytes, stdin) == r->stored_bytes;
    if (done && hanse_decoder_decode(decoder, &r->pipeline, r->filter_mask,
                                     stored, r->stored_bytes, r->raw_bytes,
                                     &out, &error) != HANSE_OK)
        printf("-1\n%s\n", error.message);
    else if (done)
        done = printf("%zu\n", r->raw_bytes) > 0 &&
               fwrite(out, 1, r->raw_bytes, stdout) == r->raw_bytes;
    free(stored);
    return done && fflush(stdout) == 0;
}

int main(void)
{
    char line[1000];
    hanse_decoder *decoder = NULL;
    bool done = hanse_decoder_create(NULL, &decoder, NULL) == HANSE_OK;
    while (done && fgets(line, sizeof line, stdin) != NULL) {
        request r;
        done = parse_request(line, &r) && answer(decoder, &r);
    }
    hanse_decoder_destroy(decoder);
    return done ? 0 : 1;
}
