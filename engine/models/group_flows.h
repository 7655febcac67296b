/* SPDX-License-Identifier: Apache-2.0
 *
 * Flows between groups of rows (MODELS.md, I2): F_gh is the sum of w_ij s_i
 * over the links from a row i of group g to a row j of group h. The products
 * are folded as any other table, by the two groups, so that the sums are exact.
 */
#ifndef HANSE_ENGINE_MODELS_GROUP_FLOWS_H
#define HANSE_ENGINE_MODELS_GROUP_FLOWS_H

#include "engine/models/models.h"
#include "engine/models/network.h"

/* Sums of flows: of pair k, from group from[k] to group to[k], in this order;
 * pairs without a link have no entry. `result` owns the arrays. */
typedef struct hanse_group_flows {
    hanse_result *result;
    size_t n;
    const int64_t *from;
    const int64_t *to;
    const double *flow; /* exact sum, rounded once */
    const double *mean; /* of the links; NaN where all flows are missing */
    const int64_t *n_links;
} hanse_group_flows;

/* groups[i]: the group of row i, HANSE_NO_GROUP for none, whose links count
 * nowhere; NULL: each row is a group. sent[i]: s_i; a NaN is missing; NULL: the
 * flows are the weights. */
hanse_status hanse_group_flows_fold(const hanse_model_run *run,
                                    const hanse_network *network,
                                    const uint32_t *groups, const double *sent,
                                    hanse_group_flows *out, hanse_error *error);

/* Accepts what is zero or already clear. */
void hanse_group_flows_clear(hanse_group_flows *flows);

#endif
