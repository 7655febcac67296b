/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies of a specification, for jobs of several passes.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/spec.h"

static hanse_status copy_keys(const hanse_spec *from, hanse_spec *to,
                              hanse_error *error)
{
    for (size_t k = 0; k < from->n_keys; k++) {
        const hanse_spec_key *key = &from->keys[k];
        HANSE_TRY(
            key->mapping != NULL
                ? hanse_spec_define_mapped_key(to, key->name, key->definition,
                                               key->column, key->mapping, error)
                : hanse_spec_define_key(to, key->name, key->definition, error));
    }
    return HANSE_OK;
}

static hanse_status copy_measures(const hanse_spec *from, hanse_spec *to,
                                  hanse_error *error)
{
    for (size_t m = 0; m < from->n_measures; m++) {
        const hanse_spec_measure *measure = &from->measures[m];
        HANSE_TRY(
            hanse_spec_add_measure(to, measure->name, measure->formula, error));
        char **long_name = &to->measures[to->n_measures - 1].long_name;
        *long_name = hanse_text_copy(measure->long_name);
        if (measure->long_name != NULL && *long_name == NULL)
            return hanse_fail_nomem(error, "measure", sizeof *measure);
    }
    to->statistics = from->statistics;
    to->default_statistics = from->default_statistics;
    HANSE_TRY(hanse_spec_set_weights(to, from->weights, error));
    return hanse_spec_set_id(to, from->id, error);
}

static hanse_status copy(const hanse_spec *from, bool with_measures,
                         hanse_spec *to, hanse_error *error)
{
    HANSE_TRY(copy_keys(from, to, error));
    for (size_t g = 0; g < from->n_groupings; g++)
        HANSE_TRY(hanse_spec_add_grouping(
            to, (const char *const *)from->groupings[g].keys,
            from->groupings[g].n_keys, error));
    HANSE_TRY(hanse_spec_set_filter(to, from->filter, error));
    HANSE_TRY(hanse_spec_set_missing_keys(to, from->missing_keys, error));
    return with_measures ? copy_measures(from, to, error) : HANSE_OK;
}

hanse_status hanse_spec_copy(const hanse_spec *spec, bool with_measures,
                             hanse_spec **out, hanse_error *error)
{
    hanse_spec *made;
    HANSE_TRY(hanse_spec_create(&made, error));
    const hanse_status status = copy(spec, with_measures, made, error);
    if (status != HANSE_OK) {
        hanse_spec_destroy(made);
        return status;
    }
    *out = made;
    return HANSE_OK;
}
