/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys through pairs that the caller has in memory.
 */
#include <stdio.h>
#include <string.h>

#include "engine/spec.h"

/* Exactly one array of each side, and no NULL among the texts mapped. */
static hanse_status check_pairs(const hanse_key_pairs *pairs,
                                hanse_error *error)
{
    if (pairs->n == 0)
        return HANSE_OK;
    if ((pairs->from_integers == NULL) == (pairs->from_texts == NULL) ||
        (pairs->to_integers == NULL) == (pairs->to_texts == NULL))
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "pairs: each side needs integers or texts, and not "
                          "both");
    for (size_t i = 0; pairs->from_texts != NULL && i < pairs->n; i++)
        if (pairs->from_texts[i] == NULL)
            return hanse_fail(error, HANSE_ERR_ARGUMENT,
                              "pairs: text %zu is NULL", i);
    return HANSE_OK;
}

static hanse_mapping_value value_of(const int64_t *integers,
                                    const char *const *texts, size_t i)
{
    if (texts == NULL)
        return (hanse_mapping_value){.integer = integers[i]};
    if (texts[i] == NULL)
        return (hanse_mapping_value){.missing = true};
    return (hanse_mapping_value){.text = texts[i], .n_text = strlen(texts[i])};
}

static hanse_status fill(hanse_mapping *mapping, const char *name,
                         const hanse_key_pairs *pairs, hanse_error *error)
{
    for (size_t i = 0; i < pairs->n; i++) {
        const hanse_mapping_value from =
            value_of(pairs->from_integers, pairs->from_texts, i);
        const hanse_mapping_value to =
            value_of(pairs->to_integers, pairs->to_texts, i);
        uint64_t conflict;
        HANSE_TRY(hanse_mapping_add(mapping, &from, &to, i, &conflict, error));
        if (conflict != UINT64_MAX)
            return hanse_fail(error, HANSE_ERR_SPEC,
                              "key '%s': the value of pair %zu stands in pair "
                              "%zu, too, with another target",
                              name, i, (size_t)conflict);
    }
    return hanse_mapping_finish(mapping, false, error);
}

hanse_status hanse_spec_map_key(hanse_spec *spec, const char *name,
                                const char *column,
                                const hanse_key_pairs *pairs,
                                hanse_error *error)
{
    char definition[512];
    hanse_mapping *mapping;
    HANSE_REQUIRE(spec, error);
    HANSE_REQUIRE(name, error);
    HANSE_REQUIRE(column, error);
    HANSE_REQUIRE(pairs, error);
    HANSE_TRY(check_pairs(pairs, error));
    if (hanse_spec_find_key(spec, name) != NULL)
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "key '%s' is defined twice; give one another name",
                          name);
    snprintf(definition, sizeof definition, "map(%s)", column);
    HANSE_TRY(hanse_mapping_create(pairs->from_texts != NULL,
                                   pairs->to_texts != NULL, NULL, &mapping,
                                   error));
    hanse_status status = fill(mapping, name, pairs, error);
    if (status == HANSE_OK)
        status = hanse_spec_define_mapped_key(spec, name, definition, column,
                                              mapping, error);
    hanse_mapping_release(mapping);
    return status;
}
