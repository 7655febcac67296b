/* SPDX-License-Identifier: Apache-2.0
 *
 * A run of models: the passes before the last one find constants and add
 * computed columns, the last one folds the table as any job, with the measures
 * that the models have made. What belongs to no fold comes beside it: columns
 * that are computed from a finished table, record-level columns, further
 * tables.
 *
 * A step of a model takes the run and does its passes; hanse_models_run calls
 * the steps of all models in order and then finishes.
 */
#ifndef HANSE_ENGINE_MODELS_MODELS_H
#define HANSE_ENGINE_MODELS_MODELS_H

#include "engine/models/columns.h"
#include "engine/run.h"

struct hanse_owned_table;

/* Opens another table of the input, such as the links: `file` NULL means the
 * input files, `path` is where it lies in them. The caller closes it. */
typedef hanse_status hanse_open_table(void *context, const char *file,
                                      const char *path, hanse_source **out,
                                      hanse_error *error);

/* A record-level output: a computed column under its name in /records. */
typedef struct hanse_record_column {
    char *name;
    char *column; /* of the run's columns */
    char *long_name;
    char *units;    /* NULL: none */
    bool is_status; /* whole numbers, codes of hanse_model_status */
} hanse_record_column;

/* Columns that all tables get, or those that `applies` chooses (NULL: all),
 * computed from the finished table and from the table of sums, which has the
 * same rows. */
typedef struct hanse_table_column {
    const char *name;
    const char *long_name;
    const char *units; /* NULL: none */
    hanse_type type;   /* HANSE_FLOAT64, HANSE_INT64 or HANSE_INT8 */
    bool has_status;   /* with a column <name>_status */
} hanse_table_column;

typedef struct hanse_table_columns {
    const hanse_table_column *columns; /* static storage */
    size_t n_columns;
    bool (*applies)(const void *context, const hanse_table *table);
    /* values[column][row]; status[column][row], NULL where it has none. It may
     * also change values of the table's other columns
     * (hanse_table_values). */
    hanse_status (*fill)(const void *context, struct hanse_owned_table *table,
                         const hanse_table *sums, void *const *values,
                         int8_t *const *status, hanse_error *error);
    const void *context; /* kept until the run is destroyed */
} hanse_table_columns;

typedef struct hanse_model_run {
    /* Set by the caller; borrowed. */
    hanse_source *source; /* the table; it has a budget */
    const hanse_spec *spec;
    const hanse_run_options *options;
    const hanse_run_tuning *tuning;
    hanse_open_table *open_table;
    void *open_context;

    /* Made by hanse_model_run_init. */
    hanse_columns *columns;
    hanse_spec *last; /* what the last pass folds */
    hanse_spec *sums; /* totals that table columns are computed from */
    size_t n_threads;
    uint64_t n_rows;

    /* Filled by the steps. */
    hanse_table_columns *table_columns;
    size_t n_table_columns;
    hanse_record_column *records;
    size_t n_records;
    char **record_names; /* of those that the steps are going to add */
    size_t n_record_names;
    hanse_result **tables; /* further ones, published as they are */
    size_t n_tables;
    void **kept; /* with their destroy functions */
    void (**destroy_kept)(void *object);
    size_t n_kept;
    uint64_t n_bytes; /* column values read so far */
} hanse_model_run;

/* Starts a run whose first members are set. Clear it after a failure, too. */
hanse_status hanse_model_run_init(hanse_model_run *run, hanse_error *error);
void hanse_model_run_clear(hanse_model_run *run);

/* Whether the steps are going to make all of these record-level outputs:
 * HANSE_ERR_SPEC for a name that none has. */
hanse_status hanse_model_check_records(const hanse_model_run *run,
                                       const char *const *names, size_t n,
                                       hanse_error *error);

/* Keeps of the record-level outputs only those named, in the order of the
 * steps. */
void hanse_model_choose_records(hanse_model_run *run, const char *const *names,
                                size_t n);

/* The last pass: the result with the columns of the models; the caller reads
 * record columns through run->columns and further tables from run->tables
 * before it clears the run. */
hanse_status hanse_model_run_finish(hanse_model_run *run,
                                    hanse_run_report *report,
                                    hanse_result **out, hanse_error *error);

/* ---- For the steps ------------------------------------------------------ */

/* Keeps an object until the run is cleared; on failure it is destroyed. */
hanse_status hanse_model_keep(hanse_model_run *run, void *object,
                              void (*destroy)(void *object),
                              hanse_error *error);

/* Whether to go on, as the job's progress says; for work between passes.
 * `run`: the hanse_model_run. */
bool hanse_model_go_on(void *run);

/* A measure of a pass. */
typedef struct hanse_model_measure {
    const char *name;
    const char *formula; /* over run->columns */
} hanse_model_measure;

/* One pass over the rows that the job's filter keeps, by `keys` (of the job:
 * columns or defined keys; none: all rows are one group), with a mask of
 * hanse_statistic for each of the measures. *groups may be NULL when only the
 * table is wanted; otherwise the run keeps the groups. The result belongs to
 * the caller, who destroys it before the run's source; it has one table. */
hanse_status hanse_model_pass(hanse_model_run *run, const char *const *keys,
                              size_t n_keys,
                              const hanse_model_measure *measures,
                              size_t n_measures, uint32_t statistics,
                              hanse_groups **groups, hanse_result **result,
                              hanse_error *error);

/* Values of a column of a table, "<measure>_<statistic>"; NULL when there is
 * none. Integers are HANSE_INT64 or HANSE_UINT64 columns; counts are int64. */
const hanse_column *hanse_table_find(const hanse_table *table,
                                     const char *name);

/* The same of measure and statistic. */
const hanse_column *hanse_table_statistic(const hanse_table *table,
                                          const char *measure,
                                          const char *statistic);

/* Its value in row `row` as float64, NaN when there is none. */
double hanse_table_number(const hanse_table *table, const char *measure,
                          const char *statistic, size_t row);

/* Values of a float64 column of an owned table, to be changed. */
double *hanse_table_values(struct hanse_owned_table *table, const char *name);

/* A formula that is 1 where the job's filter keeps a row; NULL where there is
 * none. From malloc. */
hanse_status hanse_model_filter_number(const hanse_model_run *run, char **out,
                                       hanse_error *error);

/* Makes a measure of the last pass a formula over run->columns (adds it where
 * there is none). */
hanse_status hanse_model_set_measure(hanse_model_run *run, hanse_model model,
                                     const char *formula, hanse_error *error);

/* Units of a formula over run->columns that is one column; NULL when unknown.
 * Borrowed. `what` begins messages about the formula. */
hanse_status hanse_model_units(const hanse_model_run *run, const char *formula,
                               const char *what, const char **units,
                               hanse_error *error);

/* Adds a total for table columns: `name`_total and `name`_count in `sums`. */
hanse_status hanse_model_add_sum(hanse_model_run *run, const char *name,
                                 const char *formula, hanse_error *error);
hanse_status hanse_model_add_table_columns(hanse_model_run *run,
                                           const hanse_table_columns *columns,
                                           hanse_error *error);
hanse_status hanse_model_add_record(hanse_model_run *run,
                                    const hanse_record_column *column,
                                    hanse_error *error);

/* Says before the passes that a step is going to add this record-level
 * output. */
hanse_status hanse_model_name_record(hanse_model_run *run, const char *name,
                                     hanse_error *error);

/* Whether groups can be made by these keys: their types, and each once. */
hanse_status hanse_model_check_groups(const hanse_model_run *run,
                                      const char *const *keys, size_t n_keys,
                                      hanse_error *error);

/* Takes a finished table or several (any names, such as "flows/by_cluster"),
 * in every case. */
hanse_status hanse_model_add_tables(hanse_model_run *run, hanse_result *result,
                                    hanse_error *error);

/* Keys of `within`: those given, or those of the job's first grouping when
 * n_keys is SIZE_MAX. */
void hanse_model_within(const hanse_model_run *run, const char *const **keys,
                        size_t *n_keys);

/* ---- What `hanse explain` prints ---------------------------------------- */

/* One pass of a step, or work between passes. */
typedef struct hanse_pass_note {
    char *step;     /* "resource: evaluate" */
    char *reads;    /* "labour, equipment, cluster"; NULL: nothing */
    char *computes; /* "minimum and maximum of 3 indicators" */
    char *writes;   /* "score"; NULL: nothing */
    uint64_t bytes; /* that it keeps in memory beyond blocks of rows */
} hanse_pass_note;

typedef struct hanse_pass_notes {
    hanse_pass_note *notes;
    size_t n;
} hanse_pass_notes;

/* Texts are copied. */
hanse_status hanse_pass_notes_add(hanse_pass_notes *notes, const char *step,
                                  const char *reads, const char *computes,
                                  const char *writes, uint64_t bytes,
                                  hanse_error *error);
void hanse_pass_notes_clear(hanse_pass_notes *notes);

#endif
