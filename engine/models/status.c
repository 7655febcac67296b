/* SPDX-License-Identifier: Apache-2.0
 *
 * The codes of undefined values.
 */
#include "engine/models/status.h"

static const char *const meanings[HANSE_MODEL_STATUS_COUNT] = {
#define MEANING(name, code, meaning) [code] = #meaning,
    HANSE_MODEL_STATUS_MAP(MEANING)
#undef MEANING
};

static const int8_t codes[HANSE_MODEL_STATUS_COUNT] = {
#define CODE(name, code, meaning) code,
    HANSE_MODEL_STATUS_MAP(CODE)
#undef CODE
};

const char *hanse_model_status_meaning(int code)
{
    return code >= 0 && code < HANSE_MODEL_STATUS_COUNT ? meanings[code]
                                                        : "unknown";
}

void hanse_model_status_flags(hanse_column *column)
{
    column->flag_values = codes;
    column->flag_meanings = meanings;
    column->n_flags = HANSE_MODEL_STATUS_COUNT;
}
