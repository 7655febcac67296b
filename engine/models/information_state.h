/* SPDX-License-Identifier: Apache-2.0
 *
 * What the steps of the information model hand to each other, and what stays
 * until the run is over.
 */
#ifndef HANSE_ENGINE_MODELS_INFORMATION_STATE_H
#define HANSE_ENGINE_MODELS_INFORMATION_STATE_H

#include "engine/models/information.h"

/* Columns of the run that the model computes; names that no file has by
 * chance. As formulas. */
#define HANSE_KEPT_COLUMN     "information.kept"
#define HANSE_SENT_COLUMN     "information.sent"
#define HANSE_RECEIVED_COLUMN "information.received"
#define HANSE_RECEIVED_CODE   "information.received status"
#define HANSE_IN_QUOTES(name) "`" name "`"

enum {
    HANSE_INFORMATION_COLUMNS = 5 /* that all tables get */
};

typedef struct hanse_information {
    const hanse_information_spec *spec;
    hanse_model_run *run;
    hanse_budget *budget;
    size_t n_rows;
    /* Rows that the job's filter keeps; NULL: it has none. Kept by the run. */
    const hanse_groups *used;
    uint8_t **outliers; /* [condition][row]; NULL: not an outlier test */
    double *received;   /* [row]; NULL: nothing is transmitted */
    const char *units;  /* of the quantity; NULL: unknown */
    hanse_table_column columns[HANSE_INFORMATION_COLUMNS];
    bool has_converged; /* or there was nothing to converge */
} hanse_information;

/* information_filter.c: the columns kept and sent, and filter/information. */
hanse_status hanse_information_filter(hanse_information *info,
                                      hanse_error *error);

/* information_transmit.c: the column received, flows and linkages. */
hanse_status hanse_information_transmit(hanse_information *info,
                                        hanse_error *error);

/* Memory for the transmission, beside blocks of rows and bytes of texts. */
typedef struct hanse_information_size {
    uint64_t build_bytes; /* the most until the network is made */
    uint64_t walk_bytes;  /* and then */
    uint64_t least_bytes; /* what it takes in any case */
} hanse_information_size;

hanse_information_size
hanse_information_bytes(const hanse_information_spec *spec,
                        const hanse_model_run *run,
                        const hanse_link_facts *links);

/* information_records.c: what is published of every record, and the column
 * HANSE_RECEIVED_CODE where something is transmitted. */
hanse_status hanse_information_records(hanse_information *info,
                                       hanse_error *error);

/* The formula of the quantity s, of the run's model. */
const char *hanse_information_quantity(const hanse_model_run *run);

/* HANSE_NO_GROUP for the rows that the job's filter leaves out, an array from
 * the budget of n_rows entries; NULL where it leaves out none. */
hanse_status hanse_information_used(const hanse_information *info,
                                    uint32_t **out, hanse_error *error);

#endif
