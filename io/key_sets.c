/* SPDX-License-Identifier: Apache-2.0
 *
 * From elements to groupings.
 */
#include "io/key_sets.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"

enum {
    MAX_CUBE_KEYS = 10,
    MAX_ROLLUP_KEYS = 32,
    MAX_GROUPINGS = 4096
};

hanse_status hanse_set_list_add(hanse_set_list *list, hanse_set_kind kind,
                                hanse_set_element **out, hanse_error *error)
{
    hanse_set_element *larger =
        realloc(list->items, (list->n + 1) * sizeof *larger);
    if (larger == NULL)
        return hanse_fail_nomem(error, "job", sizeof *larger);
    list->items = larger;
    list->items[list->n] = (hanse_set_element){.kind = kind};
    *out = &list->items[list->n++];
    return HANSE_OK;
}

void hanse_set_list_clear(hanse_set_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        hanse_text_list_clear(&list->items[i].keys);
    free(list->items);
    *list = (hanse_set_list){NULL, 0};
}

/* ---- The sets of one element, as bits of its keys ----------------------- */

static size_t count_sets(const hanse_set_element *element)
{
    switch (element->kind) {
    case HANSE_SET_ROLLUP:
        return element->keys.n + 1;
    case HANSE_SET_CUBE:
        return (size_t)1 << element->keys.n;
    default:
        return 1;
    }
}

/* The next larger set of as many keys in the order of their names in the job:
 * (a, b), (a, c), (b, c). Key i of n is bit n - 1 - i, and a set goes before
 * another when its bits make the larger number. */
static uint64_t next_set(uint64_t bits, size_t n)
{
    const int n_keys = __builtin_popcountll(bits);
    for (uint64_t next = bits; next-- > 0;)
        if (__builtin_popcountll(next) == n_keys)
            return next;
    /* The first set of one key more: the first keys. */
    const size_t more = (size_t)n_keys + 1;
    return more > n ? 0 : (((uint64_t)1 << more) - 1) << (n - more);
}

/* Sets of an element in their order, the empty one last. A rollup's are
 * numbers of keys, a cube's are bits. */
static uint64_t set_after(const hanse_set_element *element, uint64_t set)
{
    if (element->kind == HANSE_SET_ROLLUP)
        return set < element->keys.n ? set + 1 : 0;
    return element->kind == HANSE_SET_CUBE ? next_set(set, element->keys.n) : 1;
}

static uint64_t first_set(const hanse_set_element *element)
{
    return element->kind == HANSE_SET_CUBE
               ? (uint64_t)1 << (element->keys.n - 1)
               : 1;
}

static bool has_key(const hanse_set_element *element, uint64_t set, size_t key)
{
    if (element->kind == HANSE_SET_CUBE)
        return (set >> (element->keys.n - 1 - key) & 1) != 0;
    return key < set;
}

/* ---- Groupings ---------------------------------------------------------- */

static bool contains(const hanse_text_list *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

static bool is_there(const hanse_job *job, const hanse_text_list *keys)
{
    for (size_t g = 0; g < job->n_groupings; g++) {
        const hanse_text_list *other = &job->groupings[g];
        bool same = other->n == keys->n;
        for (size_t i = 0; same && i < keys->n; i++)
            same = strcmp(other->items[i], keys->items[i]) == 0;
        if (same)
            return true;
    }
    return false;
}

/* Adds the grouping of one choice of sets. In a grouping of sets a key that
 * two elements name counts once. */
static hanse_status add_choice(hanse_job *job, const hanse_set_list *list,
                               const uint64_t *sets, bool is_plain,
                               hanse_error *error)
{
    hanse_text_list keys = {NULL, 0};
    hanse_status status = HANSE_OK;
    for (size_t e = 0; e < list->n; e++) {
        const hanse_set_element *element = &list->items[e];
        for (size_t k = 0; k < element->keys.n && status == HANSE_OK; k++) {
            const char *key = element->keys.items[k];
            if (has_key(element, sets[e], k) &&
                (is_plain || !contains(&keys, key)))
                status = hanse_text_list_add(&keys, key, error);
        }
    }
    /* All rows together come in any case, at the end. */
    const bool wanted = is_plain || (keys.n > 0 && !is_there(job, &keys));
    if (status == HANSE_OK && wanted)
        status = hanse_job_take_grouping(job, &keys, !is_plain, error);
    hanse_text_list_clear(&keys);
    return status;
}

static hanse_status check_sizes(const hanse_job *job,
                                const hanse_set_list *list, hanse_error *error)
{
    size_t n = 1;
    for (size_t e = 0; e < list->n; e++) {
        const hanse_set_element *element = &list->items[e];
        const bool is_cube = element->kind == HANSE_SET_CUBE;
        const size_t most = is_cube ? MAX_CUBE_KEYS : MAX_ROLLUP_KEYS;
        if (element->keys.n > most)
            return hanse_fail(error, HANSE_ERR_SPEC,
                              "grouping: a %s of %zu keys; at most %zu, or "
                              "list the groupings that are wanted",
                              is_cube ? "cube" : "rollup", element->keys.n,
                              most);
        n *= count_sets(element);
        if (n + job->n_groupings > MAX_GROUPINGS)
            return hanse_fail(error, HANSE_ERR_SPEC,
                              "grouping: more than %d groupings; list those "
                              "that are wanted",
                              MAX_GROUPINGS);
    }
    return HANSE_OK;
}

hanse_status hanse_job_add_sets(hanse_job *job, const hanse_set_list *list,
                                hanse_error *error)
{
    bool is_plain = true;
    HANSE_TRY(check_sizes(job, list, error));
    uint64_t *sets = calloc(list->n + 1, sizeof *sets);
    if (sets == NULL)
        return hanse_fail_nomem(error, "job", list->n * sizeof *sets);
    for (size_t e = 0; e < list->n; e++) {
        sets[e] = first_set(&list->items[e]);
        is_plain = is_plain && list->items[e].kind == HANSE_SET_KEY;
    }
    hanse_status status;
    bool more;
    do {
        status = add_choice(job, list, sets, is_plain, error);
        more = false;
        for (size_t e = list->n; e-- > 0 && !more;) {
            const hanse_set_element *element = &list->items[e];
            sets[e] = set_after(element, sets[e]);
            more = sets[e] != first_set(element);
        }
    } while (more && status == HANSE_OK);
    free(sets);
    return status;
}
