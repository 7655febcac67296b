/* SPDX-License-Identifier: Apache-2.0
 *
 * Building a specification. Everything here can be checked without knowing
 * the table; plan.c checks the rest.
 */
#include "engine/spec.h"

#include "engine/plan.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/memory.h"

hanse_status hanse_spec_create(hanse_spec **out, hanse_error *error)
{
    HANSE_REQUIRE(out, error);
    hanse_spec *spec = calloc(1, sizeof *spec);
    if (spec == NULL)
        return hanse_fail_nomem(error, "specification", sizeof *spec);
    spec->statistics.mask = HANSE_STAT_DEFAULT;
    spec->default_statistics = true;
    spec->missing_keys = HANSE_MISSING_KEYS_GROUP;
    *out = spec;
    return HANSE_OK;
}

static void clear_measure(hanse_spec_measure *measure)
{
    free(measure->name);
    free(measure->formula);
    free(measure->long_name);
}

static void clear_grouping(hanse_spec_grouping *grouping)
{
    for (size_t i = 0; i < grouping->n_keys; i++)
        free(grouping->keys[i]);
    free(grouping->keys);
    free(grouping->name);
}

static void clear_key(hanse_spec_key *key)
{
    free(key->name);
    free(key->definition);
    free(key->column);
    hanse_mapping_release(key->mapping);
}

void hanse_spec_destroy(hanse_spec *spec)
{
    if (spec == NULL)
        return;
    for (size_t i = 0; i < spec->n_keys; i++)
        clear_key(&spec->keys[i]);
    free(spec->keys);
    for (size_t i = 0; i < spec->n_measures; i++)
        clear_measure(&spec->measures[i]);
    for (size_t i = 0; i < spec->n_groupings; i++)
        clear_grouping(&spec->groupings[i]);
    free(spec->measures);
    free(spec->groupings);
    free(spec->filter);
    free(spec->weights);
    free(spec->id);
    free(spec);
}

static hanse_status set_text(char **slot, const char *text, const char *what,
                             hanse_error *error)
{
    char *copy = hanse_text_copy(text);
    if (text != NULL && copy == NULL)
        return hanse_fail_nomem(error, what, strlen(text) + 1);
    free(*slot);
    *slot = copy;
    return HANSE_OK;
}

/* ---- Keys --------------------------------------------------------------- */

const hanse_spec_key *hanse_spec_find_key(const hanse_spec *spec,
                                          const char *name)
{
    for (size_t i = 0; i < spec->n_keys; i++)
        if (strcmp(spec->keys[i].name, name) == 0)
            return &spec->keys[i];
    return NULL;
}

/* Whether a key may be defined; *known when it is, in the same words. */
static hanse_status check_key(const hanse_spec *spec, const char *name,
                              const char *definition, bool *known,
                              hanse_error *error)
{
    *known = false;
    if (name[0] == '\0' || strlen(name) > 200)
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "key '%.200s': a name has 1 to 200 bytes", name);
    const hanse_spec_key *old = hanse_spec_find_key(spec, name);
    if (old != NULL && strcmp(old->definition, definition) != 0)
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "key '%s' is defined twice, as %.300s and as %.300s; "
                          "give one another name",
                          name, old->definition, definition);
    *known = old != NULL;
    return HANSE_OK;
}

static hanse_status append_key(hanse_spec *spec, const hanse_spec_key *from,
                               hanse_error *error)
{
    hanse_spec_key key = {.name = hanse_text_copy(from->name),
                          .definition = hanse_text_copy(from->definition),
                          .column = hanse_text_copy(from->column)};
    hanse_spec_key *larger =
        realloc(spec->keys, (spec->n_keys + 1) * sizeof *larger);
    if (larger != NULL)
        spec->keys = larger;
    if (larger == NULL || key.name == NULL || key.definition == NULL ||
        (from->column != NULL && key.column == NULL)) {
        clear_key(&key);
        return hanse_fail_nomem(error, "key", sizeof key);
    }
    if (from->mapping != NULL)
        key.mapping = hanse_mapping_share(from->mapping);
    spec->keys[spec->n_keys++] = key;
    return HANSE_OK;
}

hanse_status hanse_spec_define_key(hanse_spec *spec, const char *name,
                                   const char *definition, hanse_error *error)
{
    bool known;
    HANSE_REQUIRE(spec, error);
    HANSE_REQUIRE(name, error);
    HANSE_REQUIRE(definition, error);
    HANSE_TRY(check_key(spec, name, definition, &known, error));
    const hanse_spec_key key = {.name = (char *)(uintptr_t)name,
                                .definition = (char *)(uintptr_t)definition};
    return known ? HANSE_OK : append_key(spec, &key, error);
}

hanse_status hanse_spec_define_mapped_key(hanse_spec *spec, const char *name,
                                          const char *definition,
                                          const char *column,
                                          const hanse_mapping *mapping,
                                          hanse_error *error)
{
    bool known;
    HANSE_TRY(check_key(spec, name, definition, &known, error));
    const hanse_spec_key key = {.name = (char *)(uintptr_t)name,
                                .definition = (char *)(uintptr_t)definition,
                                .column = (char *)(uintptr_t)column,
                                .mapping = (hanse_mapping *)(uintptr_t)mapping};
    return known ? HANSE_OK : append_key(spec, &key, error);
}

/* ---- Groupings ---------------------------------------------------------- */

/* Characters of a table name: netCDF and CF want letters, digits, _. */
static char safe_character(char c)
{
    return isalnum((unsigned char)c) ? c : '_';
}

static bool name_is_taken(const hanse_spec *spec, const char *name)
{
    for (size_t i = 0; i < spec->n_groupings; i++)
        if (strcasecmp(spec->groupings[i].name, name) == 0)
            return true;
    return false;
}

static char *grouping_name(const hanse_spec *spec, const char *const *keys,
                           size_t n_keys)
{
    if (n_keys == 0)
        return hanse_text_copy("total");
    size_t length = 3 + 24; /* "by" and a number */
    for (size_t i = 0; i < n_keys; i++)
        length += strlen(keys[i]) + 1;
    char *name = malloc(length);
    if (name == NULL)
        return NULL;
    char *end = name + sprintf(name, "by");
    for (size_t i = 0; i < n_keys; i++) {
        *end++ = '_';
        for (const char *c = keys[i]; *c != '\0'; c++)
            *end++ = safe_character(*c);
    }
    *end = '\0';
    for (size_t number = 2; name_is_taken(spec, name); number++)
        sprintf(end, "_%zu", number);
    return name;
}

static bool same_grouping(const hanse_spec_grouping *grouping,
                          const char *const *keys, size_t n_keys)
{
    for (size_t i = 0; i < n_keys && i < grouping->n_keys; i++)
        if (strcmp(grouping->keys[i], keys[i]) != 0)
            return false;
    return grouping->n_keys == n_keys;
}

static hanse_status check_keys(const hanse_spec *spec, const char *const *keys,
                               size_t n_keys, hanse_error *error)
{
    for (size_t i = 0; i < n_keys; i++) {
        if (keys[i] == NULL)
            return hanse_fail(error, HANSE_ERR_ARGUMENT,
                              "grouping: key %zu is NULL", i);
        if (keys[i][0] == '\0')
            return hanse_fail(error, HANSE_ERR_SPEC,
                              "grouping: a key without a name");
        for (size_t j = 0; j < i; j++)
            if (strcmp(keys[i], keys[j]) == 0)
                return hanse_fail(error, HANSE_ERR_SPEC,
                                  "grouping: key '%s' is named twice", keys[i]);
    }
    for (size_t i = 0; i < spec->n_groupings; i++)
        if (same_grouping(&spec->groupings[i], keys, n_keys))
            return hanse_fail(error, HANSE_ERR_SPEC,
                              "grouping: the table '%s' is asked for twice",
                              spec->groupings[i].name);
    return HANSE_OK;
}

hanse_status hanse_spec_add_grouping(hanse_spec *spec, const char *const *keys,
                                     size_t n_keys, hanse_error *error)
{
    hanse_spec_grouping grouping = {0};
    HANSE_REQUIRE(spec, error);
    if (n_keys != 0)
        HANSE_REQUIRE(keys, error);
    if (n_keys > HANSE_GROUP_KEYS_MAX)
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "group by: %zu keys in one grouping, the most are %d",
                          n_keys, HANSE_GROUP_KEYS_MAX);
    HANSE_TRY(check_keys(spec, keys, n_keys, error));
    grouping.name = grouping_name(spec, keys, n_keys);
    grouping.keys = calloc(n_keys + 1, sizeof *grouping.keys);
    if (grouping.name == NULL || grouping.keys == NULL)
        goto err_grouping;
    for (size_t i = 0; i < n_keys; i++) {
        grouping.keys[i] = hanse_text_copy(keys[i]);
        if (grouping.keys[i] == NULL)
            goto err_grouping;
        grouping.n_keys++;
    }
    hanse_spec_grouping *larger =
        realloc(spec->groupings, (spec->n_groupings + 1) * sizeof *larger);
    if (larger == NULL)
        goto err_grouping;
    spec->groupings = larger;
    spec->groupings[spec->n_groupings++] = grouping;
    return HANSE_OK;

err_grouping:
    clear_grouping(&grouping);
    return hanse_fail_nomem(error, "grouping", sizeof grouping);
}

void hanse_spec_clear_groupings(hanse_spec *spec)
{
    while (spec->n_groupings > 0)
        clear_grouping(&spec->groupings[--spec->n_groupings]);
}

/* ---- Measures ----------------------------------------------------------- */

static hanse_status check_measure_name(const hanse_spec *spec, const char *name,
                                       hanse_error *error)
{
    bool good = isalpha((unsigned char)name[0]);
    for (const char *c = name; *c != '\0'; c++)
        good = good && (isalnum((unsigned char)*c) || *c == '_');
    if (!good || strlen(name) > 200)
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "measure '%.200s': a name is a letter, then letters, "
                          "digits and underscores; give a formula a name, as "
                          "in name=formula",
                          name);
    for (size_t i = 0; i < spec->n_measures; i++)
        if (strcasecmp(spec->measures[i].name, name) == 0)
            return hanse_fail(error, HANSE_ERR_SPEC,
                              "measure '%s' is defined twice", name);
    return HANSE_OK;
}

static hanse_status add_measure(hanse_spec *spec, const char *name,
                                const char *formula, const char *long_name,
                                hanse_error *error)
{
    HANSE_REQUIRE(spec, error);
    HANSE_REQUIRE(name, error);
    HANSE_REQUIRE(formula, error);
    HANSE_TRY(check_measure_name(spec, name, error));
    hanse_spec_measure measure = {hanse_text_copy(name),
                                  hanse_text_copy(formula),
                                  hanse_text_copy(long_name)};
    hanse_spec_measure *larger =
        realloc(spec->measures, (spec->n_measures + 1) * sizeof *larger);
    if (larger != NULL)
        spec->measures = larger;
    if (larger == NULL || measure.name == NULL || measure.formula == NULL ||
        (long_name != NULL && measure.long_name == NULL)) {
        clear_measure(&measure);
        return hanse_fail_nomem(error, "measure", sizeof measure);
    }
    spec->measures[spec->n_measures++] = measure;
    return HANSE_OK;
}

hanse_status hanse_spec_add_measure(hanse_spec *spec, const char *name,
                                    const char *formula, hanse_error *error)
{
    return add_measure(spec, name, formula, NULL, error);
}

/* The three models: name of the measure, conventional column, description. */
static const struct {
    const char *name, *column, *long_name;
} model_table[HANSE_MODEL_COUNT] = {
    [HANSE_MODEL_RESOURCE] = {"resource", "resource", "integrated resource"},
    [HANSE_MODEL_INFORMATION] = {"information", "information",
                                 "shared information"},
    [HANSE_MODEL_COOPERATION] = {"cooperation", "strategy",
                                 "cooperation strategy"},
};

hanse_status hanse_spec_add_model(hanse_spec *spec, hanse_model model,
                                  const char *formula, hanse_error *error)
{
    if ((unsigned)model >= HANSE_MODEL_COUNT)
        return hanse_fail(error, HANSE_ERR_ARGUMENT, "no model number %d",
                          (int)model);
    return add_measure(spec, model_table[model].name,
                       formula != NULL ? formula : model_table[model].column,
                       model_table[model].long_name, error);
}

hanse_status hanse_spec_replace_model(hanse_spec *spec, hanse_model model,
                                      const char *formula, hanse_error *error)
{
    for (size_t m = 0; m < spec->n_measures; m++) {
        hanse_spec_measure *measure = &spec->measures[m];
        if (strcmp(measure->name, model_table[model].name) == 0)
            return set_text(&measure->formula, formula, "measure", error);
    }
    return hanse_spec_add_model(spec, model, formula, error);
}

/* ---- The rest ----------------------------------------------------------- */

hanse_status hanse_spec_set_filter(hanse_spec *spec, const char *formula,
                                   hanse_error *error)
{
    HANSE_REQUIRE(spec, error);
    return set_text(&spec->filter, formula, "filter", error);
}

hanse_status hanse_spec_set_weights(hanse_spec *spec, const char *formula,
                                    hanse_error *error)
{
    HANSE_REQUIRE(spec, error);
    return set_text(&spec->weights, formula, "weights", error);
}

hanse_status hanse_spec_set_id(hanse_spec *spec, const char *column,
                               hanse_error *error)
{
    HANSE_REQUIRE(spec, error);
    return set_text(&spec->id, column, "id", error);
}

hanse_status hanse_spec_set_statistics(hanse_spec *spec, uint32_t statistics,
                                       hanse_error *error)
{
    HANSE_REQUIRE(spec, error);
    if (statistics == 0 || (statistics & ~(uint32_t)HANSE_STAT_KNOWN) != 0)
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "statistics: none given, or an unknown one");
    spec->statistics = (hanse_statistic_set){.mask = statistics};
    spec->default_statistics = false;
    return HANSE_OK;
}

hanse_status hanse_spec_add_statistic(hanse_spec *spec, const char *name,
                                      hanse_error *error)
{
    HANSE_REQUIRE(spec, error);
    HANSE_REQUIRE(name, error);
    hanse_statistic_set set = {0};
    if (!spec->default_statistics)
        set = spec->statistics;
    HANSE_TRY(hanse_statistic_set_add(&set, name, error));
    spec->statistics = set;
    spec->default_statistics = false;
    return HANSE_OK;
}

hanse_status hanse_spec_set_missing_keys(hanse_spec *spec,
                                         hanse_missing_keys choice,
                                         hanse_error *error)
{
    HANSE_REQUIRE(spec, error);
    if (choice != HANSE_MISSING_KEYS_GROUP && choice != HANSE_MISSING_KEYS_DROP)
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "missing keys: no such choice");
    spec->missing_keys = choice;
    return HANSE_OK;
}

static hanse_status complete_models(hanse_spec *spec,
                                    const hanse_schema *schema,
                                    hanse_error *error)
{
    for (int m = 0; m < HANSE_MODEL_COUNT; m++)
        if (hanse_schema_find(schema, model_table[m].column) != SIZE_MAX)
            HANSE_TRY(hanse_spec_add_model(spec, (hanse_model)m, NULL, error));
    if (spec->n_measures == 0)
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "nothing to compute: the table has none of the "
                          "columns resource, information, strategy; name "
                          "columns with --resource, --information, "
                          "--cooperation or --measure");
    return HANSE_OK;
}

static hanse_status complete_groupings(hanse_spec *spec,
                                       const hanse_schema *schema,
                                       hanse_error *error)
{
    static const char *const keys[] = {"cluster", "chain", "platform"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (hanse_spec_find_key(spec, keys[i]) != NULL ||
            hanse_schema_find(schema, keys[i]) != SIZE_MAX)
            HANSE_TRY(hanse_spec_add_grouping(spec, &keys[i], 1, error));
    return HANSE_OK;
}

static hanse_status complete_tables(hanse_spec *spec,
                                    const hanse_schema *schema,
                                    hanse_error *error)
{
    if (spec->n_groupings == 0)
        HANSE_TRY(complete_groupings(spec, schema, error));
    for (size_t i = 0; i < spec->n_groupings; i++)
        if (spec->groupings[i].n_keys == 0)
            return HANSE_OK;
    return hanse_spec_add_grouping(spec, NULL, 0, error);
}

hanse_status hanse_spec_complete(hanse_spec *spec, const hanse_schema *schema,
                                 hanse_error *error)
{
    HANSE_REQUIRE(spec, error);
    HANSE_REQUIRE(schema, error);
    HANSE_TRY(hanse_schema_check(schema, error));
    const size_t n_measures = spec->n_measures;
    const size_t n_groupings = spec->n_groupings;
    hanse_status status = HANSE_OK;
    if (n_measures == 0)
        status = complete_models(spec, schema, error);
    if (status == HANSE_OK)
        status = complete_tables(spec, schema, error);
    if (status == HANSE_OK)
        return HANSE_OK;
    while (spec->n_measures > n_measures)
        clear_measure(&spec->measures[--spec->n_measures]);
    while (spec->n_groupings > n_groupings)
        clear_grouping(&spec->groupings[--spec->n_groupings]);
    return status;
}
