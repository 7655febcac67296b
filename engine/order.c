/* SPDX-License-Identifier: Apache-2.0
 *
 * Ranks. A key's codes are sorted by value; the groups of a node by the rank
 * of the parent's group and then of the code, one number per group.
 */
#include "engine/order.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/sort.h"
#include "engine/text_order.h"

/* The first label of a code, NULL when it has none. */
static const char *find_label(const hanse_plan_key *key, int64_t code)
{
    size_t low = 0, high = key->n_labels;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (key->labels[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < key->n_labels && key->labels[low].code == code
               ? key->labels[low].text
               : NULL;
}

const char *hanse_label_text(const hanse_plan_key *key, int64_t value,
                             char *buffer, size_t *length)
{
    const char *label = find_label(key, value);
    if (label != NULL) {
        *length = strlen(label);
        return label;
    }
    *length = (size_t)(key->type == HANSE_UINT64
                           ? snprintf(buffer, 32, "%" PRIu64, (uint64_t)value)
                           : snprintf(buffer, 32, "%" PRId64, value));
    return buffer;
}

const char *hanse_key_text(const hanse_fold *fold, size_t key, size_t code,
                           char *buffer, size_t *length)
{
    const hanse_key_codes *codes = &fold->keys[key];
    if (codes->is_text)
        return hanse_text_map_text(&codes->texts, code - 1, length);
    return hanse_label_text(&fold->plan->keys[key],
                            codes->ints.values[code - 1], buffer, length);
}

void hanse_group_codes(const hanse_fold *fold, size_t grouping, size_t group,
                       uint32_t *codes)
{
    const hanse_plan *plan = fold->plan;
    size_t node = plan->groupings[grouping].node;
    for (size_t k = plan->groupings[grouping].n_keys; k-- > 0;) {
        if (plan->nodes[node].parent == SIZE_MAX) {
            codes[k] = (uint32_t)group;
            return;
        }
        const uint64_t pair = (uint64_t)fold->pairs[node].values[group];
        codes[k] = (uint32_t)pair;
        group = (size_t)(pair >> 32);
        node = plan->nodes[node].parent;
    }
}

/* ranks[index] of sorted entries. */
static void to_ranks(const hanse_sort_entry *entries, size_t n, uint32_t *ranks)
{
    for (size_t i = 0; i < n; i++)
        ranks[entries[i].index] = (uint32_t)i;
}

static hanse_status nomem(hanse_error *error, size_t n)
{
    return hanse_fail_nomem(error, "order of groups",
                            2 * n * sizeof(hanse_sort_entry));
}

/* ---- Text keys ---------------------------------------------------------- */

static const char *text_of(const hanse_ranked_text *entry)
{
    return entry->text != NULL ? entry->text : entry->buffer;
}

static int compare_texts(const void *a, const void *b)
{
    const hanse_ranked_text *x = a, *y = b;
    const size_t n = x->length < y->length ? x->length : y->length;
    const int order = n == 0 ? 0 : memcmp(text_of(x), text_of(y), n);
    if (order != 0)
        return order;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    /* Different codes may have one text: never the order of the rows. */
    return (x->number > y->number) - (x->number < y->number);
}

void hanse_rank_texts(hanse_ranked_text *entries, size_t n, uint32_t *ranks)
{
    /* A buffer moves with its entry. */
    for (size_t i = 0; i < n; i++)
        if (entries[i].text == entries[i].buffer)
            entries[i].text = NULL;
    qsort(entries, n, sizeof *entries, compare_texts);
    for (size_t i = 0; i < n; i++)
        ranks[entries[i].code] = (uint32_t)i;
}

static hanse_status rank_labels(const hanse_fold *fold, size_t key,
                                uint32_t *ranks, hanse_error *error)
{
    const size_t n = hanse_key_codes_count(&fold->keys[key]);
    hanse_ranked_text *entries = malloc(n * sizeof *entries);
    if (entries == NULL)
        return nomem(error, n);
    for (size_t code = 1; code < n; code++) {
        hanse_ranked_text *entry = &entries[code - 1];
        entry->code = (uint32_t)code;
        entry->number = fold->keys[key].ints.values[code - 1];
        entry->text =
            hanse_key_text(fold, key, code, entry->buffer, &entry->length);
    }
    hanse_rank_texts(entries, n - 1, ranks);
    ranks[0] = (uint32_t)(n - 1);
    free(entries);
    return HANSE_OK;
}

static hanse_status rank_texts(const hanse_fold *fold, size_t key,
                               uint32_t *ranks, hanse_error *error)
{
    const hanse_text_map *texts = &fold->keys[key].texts;
    ranks[0] = (uint32_t)texts->n;
    return hanse_text_map_rank(texts, NULL, 1, ranks + 1, error);
}

/* ---- Integer keys and nodes --------------------------------------------- */

static hanse_status rank_integers(const hanse_fold *fold, size_t key,
                                  uint32_t *ranks, hanse_error *error)
{
    const size_t n = hanse_key_codes_count(&fold->keys[key]);
    const bool is_unsigned = fold->plan->keys[key].type == HANSE_UINT64;
    hanse_sort_entry *entries = malloc(2 * n * sizeof *entries);
    if (entries == NULL)
        return nomem(error, n);
    for (size_t code = 1; code < n; code++) {
        const uint64_t value = (uint64_t)fold->keys[key].ints.values[code - 1];
        entries[code - 1] = (hanse_sort_entry){
            is_unsigned ? value : value ^ ((uint64_t)1 << 63), (uint32_t)code};
    }
    hanse_sort(entries, entries + n, n - 1);
    to_ranks(entries, n - 1, ranks);
    ranks[0] = (uint32_t)(n - 1);
    free(entries);
    return HANSE_OK;
}

static hanse_status rank_node(hanse_order *order, const hanse_fold *fold,
                              size_t node, hanse_error *error)
{
    const hanse_plan_node *plan_node = &fold->plan->nodes[node];
    if (plan_node->parent == SIZE_MAX) {
        order->nodes[node] = order->keys[plan_node->key];
        return HANSE_OK;
    }
    const hanse_int_map *pairs = &fold->pairs[node];
    hanse_sort_entry *entries = malloc((2 * pairs->n + 1) * sizeof *entries);
    order->nodes[node] = malloc((pairs->n + 1) * sizeof(uint32_t));
    if (entries == NULL || order->nodes[node] == NULL) {
        free(entries);
        return nomem(error, pairs->n);
    }
    for (size_t g = 0; g < pairs->n; g++) {
        const uint64_t pair = (uint64_t)pairs->values[g];
        const uint64_t parent = order->nodes[plan_node->parent][pair >> 32];
        const uint64_t code = order->keys[plan_node->key][(uint32_t)pair];
        entries[g] = (hanse_sort_entry){parent << 32 | code, (uint32_t)g};
    }
    hanse_sort(entries, entries + pairs->n, pairs->n);
    to_ranks(entries, pairs->n, order->nodes[node]);
    free(entries);
    return HANSE_OK;
}

hanse_status hanse_order_init(hanse_order *order, const hanse_fold *fold,
                              hanse_error *error)
{
    const hanse_plan *plan = fold->plan;
    order->keys = calloc(plan->n_keys + 1, sizeof *order->keys);
    order->nodes = calloc(plan->n_nodes + 1, sizeof *order->nodes);
    if (order->keys == NULL || order->nodes == NULL)
        return nomem(error, plan->n_keys + plan->n_nodes);
    for (size_t k = 0; k < plan->n_keys; k++) {
        const size_t n = hanse_key_codes_count(&fold->keys[k]);
        if (!fold->is_key_coded[k])
            continue;
        order->keys[k] = malloc(n * sizeof(uint32_t));
        if (order->keys[k] == NULL)
            return nomem(error, n);
        if (fold->keys[k].is_text)
            HANSE_TRY(rank_texts(fold, k, order->keys[k], error));
        else if (plan->keys[k].n_labels != 0 && !plan->keys[k].by_code)
            HANSE_TRY(rank_labels(fold, k, order->keys[k], error));
        else
            HANSE_TRY(rank_integers(fold, k, order->keys[k], error));
    }
    for (size_t i = 0; i < plan->n_nodes; i++)
        if (fold->is_coded[i])
            HANSE_TRY(rank_node(order, fold, i, error));
    return HANSE_OK;
}

void hanse_order_clear(hanse_order *order, const hanse_fold *fold)
{
    const hanse_plan *plan = fold->plan;
    for (size_t i = 0; order->nodes != NULL && i < plan->n_nodes; i++)
        if (plan->nodes[i].parent != SIZE_MAX)
            free(order->nodes[i]);
    for (size_t k = 0; order->keys != NULL && k < plan->n_keys; k++)
        free(order->keys[k]);
    free(order->keys);
    free(order->nodes);
}
