/* SPDX-License-Identifier: Apache-2.0
 *
 * A job: everything that `hanse run` needs to know, whether it came from the
 * command line or from a YAML file.
 */
#ifndef HANSE_IO_JOB_H
#define HANSE_IO_JOB_H

#include "engine/hanse.h"
#include "engine/models/all.h"
#include "engine/statistic_set.h"

/* A list of texts that the job owns. */
typedef struct hanse_text_list {
    char **items;
    size_t n;
} hanse_text_list;

/* A named formula. */
typedef struct hanse_job_measure {
    char *name;
    char *formula;
} hanse_job_measure;

/* A key that the job defines. */
typedef struct hanse_job_key {
    char *name;
    char *definition; /* formula, bin(...) or map(...) */
} hanse_job_key;

/* Where a job file says something (io/job_places.h). */
typedef struct hanse_job_place {
    const char *what; /* static storage */
    char *name;       /* NULL: there is only one */
    size_t line;
    size_t column;
} hanse_job_place;

typedef struct hanse_job {
    hanse_text_list files; /* names or glob patterns, in order */
    char *table;           /* path in the files; NULL: by convention */
    char *where;           /* filter; NULL: none */
    hanse_job_key *keys;
    size_t n_keys;
    hanse_text_list *groupings; /* keys of each; n = 0 items: all rows */
    bool *from_sets;            /* [grouping]: of a rollup or cube */
    size_t n_groupings;
    hanse_statistic_set statistics;         /* empty: default */
    char *weights;                          /* formula; NULL: none */
    char *id;                               /* column; NULL: by convention */
    bool use_model[HANSE_MODEL_COUNT];      /* asked for by name */
    char *model_formula[HANSE_MODEL_COUNT]; /* NULL: the conventional column */
    hanse_models models;                    /* the steps before their totals */
    char *
        model_json[HANSE_MODEL_COUNT]; /* these as JSON; NULL: there are none */
    hanse_job_measure *measures;
    size_t n_measures;
    bool states_missing_keys; /* drop_missing_keys was given */
    bool drop_missing_keys;
    char *output; /* result file; NULL: not given */
    /* Of record-level results (hanse_storage_parse_chunked); NULL: not given */
    char *records_storage;
    hanse_text_list records_columns; /* those to be written; empty: all */
    char *path;                      /* of the job file; NULL: there is none */
    hanse_job_place *places;
    size_t n_places;
} hanse_job;

/* An empty job; every function below keeps it valid on failure. */
void hanse_job_init(hanse_job *job);
void hanse_job_clear(hanse_job *job);
void hanse_job_clear_groupings(hanse_job *job);

/* Setters; texts are copied. A repeated single value replaces the earlier
 * one. add_grouping takes an entry of `--by` (io/key_sets.h; "" or "total":
 * all rows), add_measure "name" or "name=formula", add_key
 * "name=definition", set_statistics "total,mean". */
hanse_status hanse_job_add_file(hanse_job *job, const char *pattern,
                                hanse_error *error);
hanse_status hanse_job_set_text(char **slot, const char *text,
                                hanse_error *error);
hanse_status hanse_job_set_records_storage(hanse_job *job, const char *text,
                                           hanse_error *error);
hanse_status hanse_job_add_grouping(hanse_job *job, const char *keys,
                                    hanse_error *error);
/* One grouping from a list of keys, which is moved; empty: all rows.
 * `from_set`: a rollup or cube makes it, and it goes away for a plain grouping
 * of the same keys. */
hanse_status hanse_job_take_grouping(hanse_job *job, hanse_text_list *keys,
                                     bool from_set, hanse_error *error);
hanse_status hanse_job_add_key(hanse_job *job, const char *definition,
                               hanse_error *error);
/* The same definition again changes nothing, another one is
 * HANSE_ERR_SPEC. */
hanse_status hanse_job_put_key(hanse_job *job, const char *name,
                               const char *definition, hanse_error *error);
hanse_status hanse_job_add_measure(hanse_job *job, const char *definition,
                                   hanse_error *error);
hanse_status hanse_job_put_measure(hanse_job *job, const char *name,
                                   const char *formula, hanse_error *error);
hanse_status hanse_job_set_statistics(hanse_job *job, const char *names,
                                      hanse_error *error);
hanse_status hanse_job_set_model(hanse_job *job, hanse_model model,
                                 const char *formula, hanse_error *error);

/* Moves what `with` states over `job`: files, groupings, single values and
 * statistics replace the job's; measures and models replace those of the same
 * name and join the others, as defined keys do. `with` is left empty. On
 * failure both stay valid, and part may have been moved. */
hanse_status hanse_job_override(hanse_job *job, hanse_job *with,
                                hanse_error *error);

/* Appends a copy of a text to a list. */
hanse_status hanse_text_list_add(hanse_text_list *list, const char *text,
                                 hanse_error *error);

/* Names as the job files and options write them: "resource"; the inverse
 * returns HANSE_MODEL_COUNT for an unknown one. */
const char *hanse_model_name(hanse_model model);
hanse_model hanse_model_parse(const char *name);

/* Reads a YAML job file into an empty job. Errors begin with
 * "FILE:LINE:COLUMN: "; an unknown key names the nearest known one. */
hanse_status hanse_job_load(hanse_job *job, const char *path,
                            hanse_error *error);

/* Puts "FILE:LINE:COLUMN: " before an error that was found later, in a
 * formula or a key of the job file. Returns `status`; `error` may be NULL. */
hanse_status hanse_job_locate(const hanse_job *job, hanse_status status,
                              hanse_error *error);

/* The job as canonical JSON text (for /provenance), from malloc. */
hanse_status hanse_job_to_json(const hanse_job *job, char **out,
                               hanse_error *error);

/* The specification that the job describes, not yet completed. */
hanse_status hanse_job_spec(const hanse_job *job, hanse_spec **out,
                            hanse_error *error);

/* Expands the patterns to file names, in order; a pattern that matches
 * nothing is an error. */
hanse_status hanse_job_expand_files(const hanse_job *job, hanse_text_list *out,
                                    hanse_error *error);
void hanse_text_list_clear(hanse_text_list *list);

#endif
