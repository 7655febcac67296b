/* SPDX-License-Identifier: Apache-2.0
 *
 * Transmission along links, flows between groups, and their linkages.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/models/information_state.h"
#include "engine/models/information_tables.h"
#include "engine/parallel.h"

enum {
    TASK_ROWS = 1 << 16
};

/* ---- Groups ------------------------------------------------------------- */

/* The groups that flows go between. */
typedef struct flow_groups {
    hanse_groups *groups; /* kept by the run */
    hanse_result *result;
    const hanse_table *table;
} flow_groups;

static hanse_status find_groups(hanse_information *info, flow_groups *out,
                                hanse_error *error)
{
    const hanse_information_spec *spec = info->spec;
    const char *const *keys = (const char *const *)spec->within;
    size_t n_keys = spec->n_within;
    const hanse_model_measure total = {"linkages", spec->linkages_total};
    hanse_model_within(info->run, &keys, &n_keys);
    HANSE_TRY(hanse_model_pass(info->run, keys, n_keys, &total,
                               spec->linkages_total != NULL, HANSE_STAT_TOTAL,
                               &out->groups, &out->result, error));
    out->table = hanse_result_table(out->result, 0);
    if (spec->linkages_total != NULL &&
        out->table->n_rows > HANSE_LINKAGES_GROUPS_MAX)
        return hanse_fail(error, HANSE_ERR_LIMIT,
                          "linkages of the %zu groups of %s, the most is %d; "
                          "name fewer keys under 'within'",
                          out->table->n_rows, out->table->name,
                          HANSE_LINKAGES_GROUPS_MAX);
    return HANSE_OK;
}

/* ---- Linkages ----------------------------------------------------------- */

/* The matrix of flows and the totals behind it, n * n + n numbers. */
static hanse_status compute_linkages(hanse_information *info,
                                     const flow_groups *groups,
                                     const hanse_group_flows *flows,
                                     double *matrix, hanse_error *error)
{
    const size_t n = groups->table->n_rows;
    double *totals = matrix + n * n;
    hanse_linkages linkages;
    for (size_t k = 0; k < flows->n; k++)
        matrix[(size_t)flows->from[k] * n + (size_t)flows->to[k]] =
            flows->flow[k];
    for (size_t i = 0; i < n; i++)
        totals[i] = hanse_table_number(groups->table, "linkages", "total", i);
    HANSE_TRY(hanse_linkages_compute(matrix, totals, n,
                                     hanse_model_threads(info->run),
                                     info->budget, &linkages, error));
    const hanse_status status =
        hanse_publish_linkages(info->run, groups->table, matrix, totals,
                               info->spec->wants_inverse, &linkages, error);
    hanse_linkages_clear(&linkages);
    return status;
}

static hanse_status add_linkages(hanse_information *info,
                                 const flow_groups *groups,
                                 const hanse_group_flows *flows,
                                 hanse_error *error)
{
    const size_t n = groups->table->n_rows;
    double *matrix =
        hanse_allocate_zero(info->budget, n * (n + 1), sizeof *matrix);
    if (matrix == NULL)
        return hanse_fail_budget(error, info->budget, "flows between groups",
                                 n * (n + 1), sizeof *matrix);
    const hanse_status status =
        compute_linkages(info, groups, flows, matrix, error);
    hanse_free(info->budget, matrix, n * (n + 1), sizeof *matrix);
    return status;
}

/* ---- Flows along links -------------------------------------------------- */

static hanse_status fold_flows(hanse_information *info,
                               const flow_groups *groups,
                               const hanse_network *network,
                               const uint32_t *numbers, const double *sent,
                               hanse_error *error)
{
    hanse_group_flows flows;
    HANSE_TRY(hanse_group_flows_fold(info->run, network, numbers, sent, &flows,
                                     error));
    hanse_status status =
        hanse_publish_flows(info->run, groups->table, &flows,
                            sent != NULL ? info->units : NULL, error);
    if (status == HANSE_OK && info->spec->linkages_total != NULL)
        status = add_linkages(info, groups, &flows, error);
    hanse_group_flows_clear(&flows);
    return status;
}

/* Flows of one hop between the groups of the rows. */
static hanse_status add_flows(hanse_information *info,
                              const hanse_network *network, const double *sent,
                              hanse_error *error)
{
    const size_t n = info->n_rows;
    flow_groups groups = {0};
    uint32_t *numbers = NULL;
    hanse_status status = find_groups(info, &groups, error);
    if (status == HANSE_OK) {
        numbers = hanse_allocate(info->budget, n, sizeof *numbers);
        if (numbers == NULL)
            status = hanse_fail_budget(error, info->budget, "groups of rows", n,
                                       sizeof *numbers);
    }
    if (status == HANSE_OK)
        status = hanse_groups_collect(groups.groups, info->run->options,
                                      numbers, error);
    if (status == HANSE_OK)
        status = fold_flows(info, &groups, network, numbers, sent, error);
    hanse_free(info->budget, numbers, n, sizeof *numbers);
    hanse_result_destroy(groups.result);
    return status;
}

/* ---- A table of flows --------------------------------------------------- */

/* Ids of groups are the values of their one key. */
static hanse_status index_groups(hanse_information *info,
                                 const hanse_table *table, hanse_row_ids **out,
                                 hanse_error *error)
{
    const size_t n = table->n_rows;
    if (table->n_keys != 1)
        return hanse_fail(
            error, HANSE_ERR_SPEC,
            "linkages of a table of flows: its ends are values of "
            "one key, but 'within' has %zu keys",
            table->n_keys);
    const hanse_column *key = &table->keys[0];
    const hanse_field field = {.name = key->name, .type = key->type};
    hanse_array array = {.values = key->values, .missing = key->missing};
    int32_t *offsets = NULL;
    char *bytes = NULL;
    hanse_row_ids *ids = NULL;
    if (key->type == HANSE_TEXT) {
        const char *const *texts = key->values;
        size_t size_bytes = 0;
        for (size_t i = 0; i < n; i++)
            size_bytes += strlen(texts[i]);
        offsets = calloc(n + 1, sizeof *offsets);
        bytes = malloc(size_bytes + 1);
        if (offsets == NULL || bytes == NULL || size_bytes > INT32_MAX) {
            free(offsets);
            free(bytes);
            return hanse_fail_nomem(error, "texts of keys", size_bytes);
        }
        for (size_t i = 0; i < n; i++) {
            const size_t length = strlen(texts[i]);
            memcpy(bytes + offsets[i], texts[i], length);
            offsets[i + 1] = offsets[i] + (int32_t)length;
        }
        array = (hanse_array){bytes, offsets, key->missing};
    }
    hanse_status status =
        hanse_row_ids_create(&field, n, info->budget, &ids, error);
    if (status == HANSE_OK)
        status = hanse_row_ids_add(ids, &array, 0, n, error);
    if (status == HANSE_OK)
        status =
            hanse_row_ids_finish(ids, hanse_model_threads(info->run), error);
    free(offsets);
    free(bytes);
    if (status != HANSE_OK)
        hanse_row_ids_destroy(ids);
    else
        *out = ids;
    return status;
}

/* Flows between groups that a table has, instead of links between rows. */
static hanse_status read_flows(hanse_information *info,
                               const flow_groups *groups, hanse_error *error)
{
    hanse_row_ids *ids = NULL;
    hanse_network network;
    const hanse_network_options options = {
        .n_threads = hanse_model_threads(info->run), .budget = info->budget};
    HANSE_TRY(index_groups(info, groups->table, &ids, error));
    HANSE_TRY(hanse_link_table_read_by(info->run, &info->spec->flows, ids,
                                       groups->table->n_rows, &options,
                                       &network, error));
    const hanse_status status =
        fold_flows(info, groups, &network, NULL, NULL, error);
    hanse_network_clear(&network);
    return status;
}

static hanse_status add_table_flows(hanse_information *info, hanse_error *error)
{
    flow_groups groups = {0};
    hanse_status status = find_groups(info, &groups, error);
    if (status == HANSE_OK)
        status = read_flows(info, &groups, error);
    hanse_result_destroy(groups.result);
    return status;
}

/* ---- Transmission ------------------------------------------------------- */

/* Rows that links are left of: neither left out by the job's filter nor, if
 * the model removes them, rejected by its own. */
typedef struct keeping {
    size_t n;
    const uint32_t *used; /* NULL: all */
    const double *kept;   /* NULL: all */
    uint8_t *keep;
} keeping;

static hanse_status mark_rows(void *context, size_t task, hanse_error *error)
{
    const keeping *k = context;
    (void)error;
    for (size_t i = task * TASK_ROWS;
         i < k->n && i < (task + 1) * (size_t)TASK_ROWS; i++)
        k->keep[i] = (k->used == NULL || k->used[i] != HANSE_NO_GROUP) &&
                     (k->kept == NULL || k->kept[i] == 1.0);
    return HANSE_OK;
}

/* `scratch`: room for n_rows numbers. *out stays NULL where all are kept. */
static hanse_status find_kept(hanse_information *info, double *scratch,
                              uint8_t **out, hanse_error *error)
{
    static const char *const formula = HANSE_IN_QUOTES(HANSE_KEPT_COLUMN);
    const size_t n = info->n_rows;
    const bool removes =
        info->spec->remove_rejected && info->spec->n_conditions > 0;
    uint32_t *used = NULL;
    uint8_t *keep = NULL;
    if (!removes && info->used == NULL)
        return HANSE_OK;
    if (removes)
        HANSE_TRY(hanse_columns_collect(info->run->columns, &formula, 1,
                                        "step 'filter'", info->run->options,
                                        &scratch, error));
    HANSE_TRY(hanse_information_used(info, &used, error));
    keep = hanse_allocate(info->budget, n, sizeof *keep);
    hanse_status status = HANSE_OK;
    if (keep == NULL) {
        status = hanse_fail_budget(error, info->budget, "rows of a network", n,
                                   sizeof *keep);
    } else {
        keeping k = {n, used, removes ? scratch : NULL, keep};
        status = hanse_parallel_for(hanse_model_threads(info->run),
                                    (n + TASK_ROWS - 1) / TASK_ROWS, mark_rows,
                                    &k, error);
    }
    hanse_free(info->budget, used, n, sizeof *used);
    if (status != HANSE_OK)
        hanse_free(info->budget, keep, n, sizeof *keep);
    else
        *out = keep;
    return status;
}

static hanse_status build_network(hanse_information *info, const uint8_t *keep,
                                  hanse_network *out, hanse_error *error)
{
    const hanse_network_options options = {.n_threads =
                                               hanse_model_threads(info->run),
                                           .budget = info->budget,
                                           .normalise = info->spec->normalise,
                                           .keep = keep};
    return hanse_link_table_read(info->run, &info->spec->links, &options, out,
                                 error);
}

/* With sent[i], what the rows start with. */
static hanse_status walk(hanse_information *info, const hanse_network *network,
                         const double *sent, hanse_error *error)
{
    const hanse_information_spec *spec = info->spec;
    hanse_walk_report report;
    const bool has_flows = spec->wants_flows || (spec->linkages_total != NULL &&
                                                 spec->flows.path == NULL);
    if (has_flows)
        HANSE_TRY(add_flows(info, network, sent, error));
    const hanse_walk how = {network,           sent,
                            spec->walk,        hanse_model_threads(info->run),
                            hanse_model_go_on, info->run};
    HANSE_TRY(hanse_walk_sums(&how, info->received, &report, error));
    info->has_converged = report.has_converged;
    return hanse_publish_walk(info->run, spec, network->n_links, &report,
                              error);
}

static hanse_status send(hanse_information *info, double *sent,
                         hanse_error *error)
{
    static const char *const formula = HANSE_IN_QUOTES(HANSE_SENT_COLUMN);
    uint8_t *keep = NULL;
    hanse_network network = {0};
    HANSE_TRY(find_kept(info, sent, &keep, error));
    hanse_status status = build_network(info, keep, &network, error);
    hanse_free(info->budget, keep, info->n_rows, sizeof *keep);
    if (status == HANSE_OK)
        status = hanse_columns_collect(info->run->columns, &formula, 1,
                                       "measure 'information'",
                                       info->run->options, &sent, error);
    if (status == HANSE_OK)
        status = walk(info, &network, sent, error);
    hanse_network_clear(&network);
    return status;
}

static hanse_status transmit(hanse_information *info, hanse_error *error)
{
    const size_t n = info->n_rows;
    double *sent = hanse_allocate(info->budget, n, sizeof *sent);
    info->received = hanse_allocate(info->budget, n, sizeof *info->received);
    hanse_status status =
        sent == NULL || info->received == NULL
            ? hanse_fail_budget(error, info->budget, "quantities of rows", n,
                                2 * sizeof *sent)
            : send(info, sent, error);
    hanse_free(info->budget, sent, n, sizeof *sent);
    if (status == HANSE_OK)
        status = hanse_columns_add_array(
            info->run->columns, HANSE_RECEIVED_COLUMN, info->received, error);
    return status;
}

hanse_status hanse_information_transmit(hanse_information *info,
                                        hanse_error *error)
{
    if (info->spec->transmits)
        HANSE_TRY(transmit(info, error));
    return info->spec->linkages_total != NULL && info->spec->flows.path != NULL
               ? add_table_flows(info, error)
               : HANSE_OK;
}
