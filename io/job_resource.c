/* SPDX-License-Identifier: Apache-2.0
 *
 * `models: resource` of a job file.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/models/resource.h"
#include "io/job_evaluate.h"
#include "io/job_models.h"
#include "io/job_places.h"

/* The specification of the job, which the first step makes. */
static hanse_status get_spec(hanse_job_reader *r, hanse_resource_spec **out)
{
    hanse_models *models = &r->job->models;
    if (models->resource == NULL)
        models->resource = hanse_resource_spec_create();
    *out = models->resource;
    return *out != NULL ? HANSE_OK
                        : hanse_fail_nomem(r->error, "job", sizeof **out);
}

static hanse_status read_formula(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_job_read_model_formula(r, node, HANSE_MODEL_RESOURCE);
}

static hanse_status read_within(hanse_job_reader *r, const yaml_node_t *node)
{
    hanse_resource_spec *spec;
    HANSE_TRY(get_spec(r, &spec));
    return hanse_job_read_within(r, node, &spec->within, &spec->n_within);
}

static hanse_status read_evaluate(hanse_job_reader *r, const yaml_node_t *node)
{
    hanse_resource_spec *spec;
    HANSE_TRY(get_spec(r, &spec));
    spec->evaluates = true;
    HANSE_TRY(hanse_node_note(r, node, hanse_place_step, "resource: evaluate"));
    return hanse_job_read_evaluate(r, node, &spec->evaluate, &spec->normalised);
}

/* ---- allocate ----------------------------------------------------------- */

static hanse_status read_rule(hanse_job_reader *r, const yaml_node_t *node)
{
    size_t index = 0;
    HANSE_TRY(hanse_node_choice(r, node, "rule", hanse_claims_rule_names(),
                                HANSE_RULE_COUNT, &index));
    r->job->models.resource->allocate.rule = (hanse_claims_rule)index;
    return HANSE_OK;
}

static hanse_status read_claim(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_formula(r, node, "claim",
                              &r->job->models.resource->allocate.claim);
}

static hanse_status read_rho(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_number(r, node, "rho", 0.0, 1.0,
                             &r->job->models.resource->allocate.rho);
}

static hanse_status read_pool(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_node_formula(r, node, "pool",
                              &r->job->models.resource->allocate.pool);
}

static const hanse_node_rule allocate_rules[] = {
    {"rule", read_rule}, {"claim", read_claim}, {"rho", read_rho},
    {"pool", read_pool}, {NULL, NULL},
};

static hanse_status read_allocate(hanse_job_reader *r, const yaml_node_t *node)
{
    hanse_resource_spec *spec;
    HANSE_TRY(get_spec(r, &spec));
    spec->allocates = true;
    HANSE_TRY(hanse_node_note(r, node, hanse_place_step, "resource: allocate"));
    spec->allocate.rule = HANSE_RULE_PROPORTIONAL;
    HANSE_TRY(hanse_node_mapping(r, node, "allocate", allocate_rules));
    const bool has_rho = hanse_node_has_key(r, node, "rho");
    const char *fault = NULL;
    if (spec->allocate.pool != NULL && has_rho)
        fault = "allocate: give either 'pool' or 'rho', the share of the "
                "resources that is pooled";
    else if (spec->allocate.rule == HANSE_RULE_SHAPLEY &&
             (spec->allocate.pool != NULL || has_rho))
        fault = "allocate: rule shapley shares the largest claim; it takes "
                "neither 'pool' nor 'rho'";
    if (fault != NULL)
        return hanse_yaml_fail(r->error, r->path, node->start_mark, "%s",
                               fault);
    return HANSE_OK;
}

const hanse_node_rule hanse_job_resource_rules[] = {
    {"column", read_formula},    {"formula", read_formula},
    {"within", read_within},     {"evaluate", read_evaluate},
    {"allocate", read_allocate}, {NULL, NULL},
};
