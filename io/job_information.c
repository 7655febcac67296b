/* SPDX-License-Identifier: Apache-2.0
 *
 * `models: information` of a job file.
 */
#include "io/job_models.h"

static hanse_status read_formula(hanse_job_reader *r, const yaml_node_t *node)
{
    return hanse_job_read_model_formula(r, node, HANSE_MODEL_INFORMATION);
}

const hanse_node_rule hanse_job_information_rules[] = {
    {"column", read_formula},
    {"formula", read_formula},
    {NULL, NULL},
};
