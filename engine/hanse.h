/* SPDX-License-Identifier: Apache-2.0
 *
 * hanse: exact parallel aggregation of enterprise microdata.
 *
 * The whole public interface, for C and C++. A caller describes an
 * aggregation (hanse_spec), feeds it batches of its own arrays
 * (hanse_aggregation_add), merges partial aggregations, and reads or writes
 * the finished tables (hanse_result). Or it hands over the names of HDF5
 * files (hanse_run_files).
 *
 * Sums are exact: the total of a float measure is the real sum of its row
 * values rounded once, to nearest even. Results therefore never depend on the
 * order of rows, batches, threads or merges.
 *
 * Ownership: arguments are borrowed for the duration of the call unless the
 * comment says "keeps". What a create function stores belongs to the caller,
 * who gives it to the matching destroy function. Destroy functions accept
 * NULL.
 *
 * Errors: functions return a hanse_status, HANSE_OK (0) on success. `error`
 * may be NULL; otherwise it receives the detail. On failure outputs are left
 * untouched and handles stay valid in the state that they had, unless the
 * comment says otherwise. A NULL where the comment does not allow one is
 * HANSE_ERR_ARGUMENT in functions that return a status.
 *
 * Threads: different handles may be used from different threads at the same
 * time; one handle may not, except for functions that take it as const.
 */
#ifndef HANSE_H
#define HANSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define HANSE_API
#else
#define HANSE_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define HANSE_VERSION_MAJOR  0
#define HANSE_VERSION_MINOR  1
#define HANSE_VERSION_PATCH  0
#define HANSE_VERSION_STRING "0.1.0"

/* Version of the library in use, "major.minor.patch". Static storage. */
HANSE_API const char *hanse_version(void);

/* ---- Status and error --------------------------------------------------- */

/* X(name, text): the one list of status codes. */
#define HANSE_STATUS_MAP(X)                      \
    X(OK, "done")                                \
    X(ERR_ARGUMENT, "invalid argument")          \
    X(ERR_NOMEM, "out of memory")                \
    X(ERR_SPEC, "invalid job or specification")  \
    X(ERR_FORMULA, "invalid formula")            \
    X(ERR_COLUMN, "no such column")              \
    X(ERR_TYPE, "wrong type")                    \
    X(ERR_IO, "input or output failed")          \
    X(ERR_FORMAT, "damaged or unsupported file") \
    X(ERR_OVERFLOW, "integer overflow")          \
    X(ERR_LIMIT, "limit exceeded")               \
    X(ERR_INTERRUPTED, "interrupted")

typedef enum hanse_status {
#define HANSE_STATUS_ENUM(name, text) HANSE_##name,
    HANSE_STATUS_MAP(HANSE_STATUS_ENUM)
#undef HANSE_STATUS_ENUM
    HANSE_STATUS_COUNT
} hanse_status;

enum {
    HANSE_ERROR_SIZE = 1024
};

/* Detail of a failure: "what, where, what to do", one or more lines without a
 * final line break (a formula's error shows the formula and a caret). */
typedef struct hanse_error {
    hanse_status status;
    char message[HANSE_ERROR_SIZE];
} hanse_error;

/* "HANSE_ERR_TYPE" and "wrong type". Static storage; never NULL. */
HANSE_API const char *hanse_status_name(hanse_status status);
HANSE_API const char *hanse_status_text(hanse_status status);

/* ---- Columns and batches ------------------------------------------------ */

typedef enum hanse_type {
    HANSE_INT8,
    HANSE_INT16,
    HANSE_INT32,
    HANSE_INT64,
    HANSE_UINT8,
    HANSE_UINT16,
    HANSE_UINT32,
    HANSE_UINT64,
    HANSE_FLOAT32,
    HANSE_FLOAT64,
    HANSE_BOOL, /* one byte, 0 false, else true */
    HANSE_TEXT, /* UTF-8, no terminator; see hanse_array */
    HANSE_TYPE_COUNT
} hanse_type;

/* Name of a type as messages and `hanse info` print it: "int32", "text". */
HANSE_API const char *hanse_type_name(hanse_type type);

/* Bytes of one value; 0 for HANSE_TEXT. */
HANSE_API size_t hanse_type_size(hanse_type type);

/* One entry of a dictionary: a stored code and the text that it stands for. */
typedef struct hanse_label {
    int64_t code;
    const char *text;
} hanse_label;

/* Description of one column. Zero-initialise, then set name and type; the
 * rest is optional. */
typedef struct hanse_field {
    const char *name;
    hanse_type type;
    const char *units;     /* NULL when unknown */
    const char *long_name; /* NULL when unknown */
    /* Dictionary of an integer column (an HDF5 enum): as a key it is published
     * by its texts, in a formula a text literal means the code. */
    const hanse_label *labels;
    size_t n_labels;
    /* Integer key that stands for "missing" in published keys; used only for
     * rows that the batch marks missing. */
    int64_t missing_code;
} hanse_field;

/* Columns of a table. Names are not empty and occur once. */
typedef struct hanse_schema {
    const hanse_field *fields;
    size_t n_fields;
} hanse_schema;

/* Values of one column for the rows of a batch.
 *
 * Fixed-width types: `values` holds n_rows values, in the machine's byte
 * order, aligned to the type's size. HANSE_TEXT: `values` holds the bytes of
 * all texts, text i being bytes offsets[i] to offsets[i + 1] - 1; `offsets`
 * has n_rows + 1 entries, ascending.
 *
 * `missing`: NULL when no value is missing, else n_rows bytes, non-zero where
 * the value is missing. A NaN is missing without being marked. */
typedef struct hanse_array {
    const void *values;
    const int32_t *offsets;
    const uint8_t *missing;
} hanse_array;

/* Rows of a table: one array per field of the schema, in its order. An array
 * of a column that the specification does not use may be all zero. */
typedef struct hanse_batch {
    size_t n_rows;
    const hanse_array *arrays;
} hanse_batch;

/* ---- Specification ------------------------------------------------------ */

/* Statistics of a measure in a group, as bits of a mask. n is the number of
 * rows of the group whose value is not missing. */
typedef enum hanse_statistic {
    HANSE_STAT_COUNT = 1u << 0,   /* n */
    HANSE_STAT_MISSING = 1u << 1, /* rows of the group without a value */
    HANSE_STAT_TOTAL = 1u << 2,   /* sum, exact, rounded once; 0 if n = 0 */
    HANSE_STAT_MEAN = 1u << 3,    /* exact sum / n, rounded once */
    HANSE_STAT_MIN = 1u << 4,
    HANSE_STAT_MAX = 1u << 5,
    HANSE_STAT_VAR = 1u << 6, /* divisor n - 1; NaN if n < 2 */
    HANSE_STAT_STD = 1u << 7, /* square root of var */
    /* The ones above; "all" in jobs and options. */
    HANSE_STAT_ALL = (1u << 8) - 1,
    HANSE_STAT_RANGE = 1u << 8,       /* max - min, exact, rounded once */
    HANSE_STAT_SUM_SQUARES = 1u << 9, /* exact, rounded once */
    HANSE_STAT_SKEW = 1u << 10,       /* bias-corrected; NaN if n < 3 */
    HANSE_STAT_KURTOSIS = 1u << 11,   /* excess, bias-corrected; NaN if n < 4 */
    HANSE_STAT_FIRST = 1u << 12,      /* value of the smallest row number */
    HANSE_STAT_LAST = 1u << 13,       /* value of the largest row number */
    HANSE_STAT_NUNIQUE = 1u << 14,    /* number of different values */
    HANSE_STAT_MODE = 1u << 15,       /* most frequent value, the smallest */
    HANSE_STAT_WMEAN = 1u << 16,      /* mean weighted by the weights */
    HANSE_STAT_MEDIAN = 1u << 17,     /* exact, interpolated, rounded once */
    /* Of each two measures, over the rows that have both. */
    HANSE_STAT_COV = 1u << 18,  /* covariance, divisor n - 1 */
    HANSE_STAT_CORR = 1u << 19, /* Pearson's correlation */
    HANSE_STAT_KNOWN = (1u << 20) - 1,
    HANSE_STAT_DEFAULT = HANSE_STAT_TOTAL
} hanse_statistic;

/* Name of one statistic ("total"), NULL if the bit is unknown; and the
 * inverse, which returns false for an unknown name. */
HANSE_API const char *hanse_statistic_name(hanse_statistic statistic);
HANSE_API bool hanse_statistic_parse(const char *name, hanse_statistic *out);

/* The three models of industrial synergy. */
typedef enum hanse_model {
    HANSE_MODEL_RESOURCE,    /* measure "resource", R_total = sum R_i */
    HANSE_MODEL_INFORMATION, /* measure "information", I_total = sum I_i */
    HANSE_MODEL_COOPERATION, /* measure "cooperation", P_total = sum P_i */
    HANSE_MODEL_COUNT
} hanse_model;

/* What becomes of a row whose key is missing. */
typedef enum hanse_missing_keys {
    HANSE_MISSING_KEYS_GROUP, /* "missing" is a group of its own, last */
    HANSE_MISSING_KEYS_DROP   /* left out of that grouping and counted */
} hanse_missing_keys;

typedef struct hanse_spec hanse_spec;

/* An empty specification: no grouping, no measure, no filter, statistic
 * total, missing keys a group of their own. */
HANSE_API hanse_status hanse_spec_create(hanse_spec **out, hanse_error *error);
HANSE_API void hanse_spec_destroy(hanse_spec *spec);

/* Defines a key, for any number of groupings: another name for a column, a
 * formula that gives whole numbers, a condition (0, 1), or
 * "bin(x, 10, 50, 250)", the intervals below 10, from 10 to below 50, from 50
 * to below 250 and from 250 of the formula x (docs/formulas.md). In groupings
 * the name goes before that of a column. The same definition again changes
 * nothing; another one of that name is HANSE_ERR_SPEC. */
HANSE_API hanse_status hanse_spec_define_key(hanse_spec *spec, const char *name,
                                             const char *definition,
                                             hanse_error *error);

/* Pairs of a dimension table: each of n values, an integer or a text, and what
 * it stands for. Of the two arrays of a side one is given, the other NULL. */
typedef struct hanse_key_pairs {
    size_t n;
    const int64_t *from_integers;
    const char *const *from_texts;
    const int64_t *to_integers;
    const char *const *to_texts; /* NULL entries: missing */
} hanse_key_pairs;

/* Defines a key through a mapping: a row's key is what the value of its column
 * `column` stands for, and missing, and counted (hanse_column), where the pairs
 * do not have it. Integer columns (also with labels, by their codes) are mapped
 * from integers, those of uint64 by their bits; text columns from texts. A
 * value may stand twice with one target, not with two: HANSE_ERR_SPEC, as when
 * a key of that name is defined already. */
HANSE_API hanse_status hanse_spec_map_key(hanse_spec *spec, const char *name,
                                          const char *column,
                                          const hanse_key_pairs *pairs,
                                          hanse_error *error);

/* Adds a grouping by n_keys columns or defined keys; with n_keys 0 all rows are
 * one group. Its table is named by_<key>_<key>, or total; characters other than
 * letters and digits become underscores, and a name that is taken gets a
 * number. The same grouping twice is HANSE_ERR_SPEC. */
HANSE_API hanse_status hanse_spec_add_grouping(hanse_spec *spec,
                                               const char *const *keys,
                                               size_t n_keys,
                                               hanse_error *error);

/* Adds a measure: `name` (a letter, then letters, digits, underscores; unique
 * without regard to case) and a formula over the columns, see
 * docs/formulas.md; a formula that is just an integer column keeps exact
 * integer totals. */
HANSE_API hanse_status hanse_spec_add_measure(hanse_spec *spec,
                                              const char *name,
                                              const char *formula,
                                              hanse_error *error);

/* Adds a model's measure; formula NULL means the conventional column
 * (resource, information, strategy). */
HANSE_API hanse_status hanse_spec_add_model(hanse_spec *spec, hanse_model model,
                                            const char *formula,
                                            hanse_error *error);

/* Rows for which the formula is true are used; NULL means all. */
HANSE_API hanse_status hanse_spec_set_filter(hanse_spec *spec,
                                             const char *formula,
                                             hanse_error *error);

/* Statistics of every measure, a mask of hanse_statistic, at least one. The
 * number of rows of each group is always part of a table, as `count`. Replaces
 * what was set or added before. */
HANSE_API hanse_status hanse_spec_set_statistics(hanse_spec *spec,
                                                 uint32_t statistics,
                                                 hanse_error *error);

/* Adds one statistic by name: any of the above ("mean"), a quantile ("p90",
 * "p99.9"), the largest values with their enterprises ("top3"), or "all". The
 * first one replaces the default. */
HANSE_API hanse_status hanse_spec_add_statistic(hanse_spec *spec,
                                                const char *name,
                                                hanse_error *error);

/* Weights of the weighted mean, a formula over the columns; NULL: none. */
HANSE_API hanse_status hanse_spec_set_weights(hanse_spec *spec,
                                              const char *formula,
                                              hanse_error *error);

/* Column that names the enterprise of each of the largest values, an integer
 * or text; NULL: enterprise_id if there is one, else the number of the row. */
HANSE_API hanse_status hanse_spec_set_id(hanse_spec *spec, const char *column,
                                         hanse_error *error);

HANSE_API hanse_status hanse_spec_set_missing_keys(hanse_spec *spec,
                                                   hanse_missing_keys choice,
                                                   hanse_error *error);

/* Completes the specification for a table: where no measure is given, the
 * models whose conventional column exists; where no grouping is given,
 * cluster, chain and platform as far as they exist or are defined; always the
 * total. An error when nothing is found. */
HANSE_API hanse_status hanse_spec_complete(hanse_spec *spec,
                                           const hanse_schema *schema,
                                           hanse_error *error);

/* ---- Aggregation -------------------------------------------------------- */

typedef struct hanse_aggregation hanse_aggregation;
typedef struct hanse_result hanse_result;

/* Checks the specification against the columns and starts an aggregation in
 * its zero state. Neither argument is kept. */
HANSE_API hanse_status hanse_aggregation_create(const hanse_spec *spec,
                                                const hanse_schema *schema,
                                                hanse_aggregation **out,
                                                hanse_error *error);
HANSE_API void hanse_aggregation_destroy(hanse_aggregation *aggregation);

/* Whether field `index` of the schema is read at all. */
HANSE_API bool hanse_aggregation_uses(const hanse_aggregation *aggregation,
                                      size_t index);

/* Number of the first row of the next batch, for `first`, `last` and `topN`.
 * Rows count on from there; without a call, from 0. Aggregations that are to be
 * merged number their rows apart. */
HANSE_API hanse_status hanse_aggregation_set_row(hanse_aggregation *aggregation,
                                                 uint64_t row,
                                                 hanse_error *error);

/* Adds the rows of a batch. After HANSE_ERR_NOMEM or HANSE_ERR_LIMIT the
 * aggregation can only be destroyed; other calls are refused. */
HANSE_API hanse_status hanse_aggregation_add(hanse_aggregation *aggregation,
                                             const hanse_batch *batch,
                                             hanse_error *error);

/* Adds everything that `other` holds; both must come from the same
 * specification and columns, else HANSE_ERR_SPEC: the same keys with the same
 * labels, and formulas and filter in the same words. `other` is unchanged.
 * After HANSE_ERR_NOMEM or HANSE_ERR_LIMIT the aggregation can only be
 * destroyed. */
HANSE_API hanse_status hanse_aggregation_merge(hanse_aggregation *aggregation,
                                               const hanse_aggregation *other,
                                               hanse_error *error);

/* Result tables of the rows so far; the aggregation can go on afterwards. */
HANSE_API hanse_status
hanse_aggregation_finish(const hanse_aggregation *aggregation,
                         hanse_result **out, hanse_error *error);

/* ---- Results ------------------------------------------------------------ */

/* One column of a result table, n_rows of the table long. */
typedef struct hanse_column {
    const char *name;
    const char *long_name;    /* NULL when unknown */
    const char *units;        /* NULL when unknown */
    const char *cell_methods; /* CF, "enterprise: sum"; NULL for keys */
    hanse_type type;          /* INT8..INT64, UINT64, FLOAT64 or TEXT */
    const void *values;       /* HANSE_TEXT: array of const char * */
    /* Keys: NULL when no key of the table is missing, else 1 where it is. */
    const uint8_t *missing;
    /* Keys through a mapping: rows used whose value the mapping lacks. */
    uint64_t n_unmapped;
    /* Columns of codes (HANSE_INT8): what each stands for, words without
     * blanks. Static storage; NULL: no codes. */
    const int8_t *flag_values;
    const char *const *flag_meanings;
    size_t n_flags;
} hanse_column;

struct hanse_deferred_rows;

/* One grouping's results, rows sorted by key, missing keys last. */
typedef struct hanse_table {
    /* "by_cluster", "total"; with slashes, "flows/by_cluster", a table of a
     * group of tables. */
    const char *name;
    size_t n_rows;
    const hanse_column *keys; /* in the order of the grouping; none: total */
    size_t n_keys;
    const hanse_column *columns; /* count, then <measure>_<statistic> */
    size_t n_columns;
    uint64_t n_dropped; /* rows left out because a key was missing */
    /* Inside the program: the columns have no values yet (engine/deferred.h).
     * NULL: they have, as in all tables that callers of this header get. */
    struct hanse_deferred_rows *deferred;
} hanse_table;

/* Counts over the whole input. */
typedef struct hanse_row_counts {
    uint64_t read;
    uint64_t kept; /* by the filter */
} hanse_row_counts;

HANSE_API size_t hanse_result_n_tables(const hanse_result *result);

/* Table `index`, in the order of the groupings; borrowed from the result. */
HANSE_API const hanse_table *hanse_result_table(const hanse_result *result,
                                                size_t index);

/* Table of that name, NULL when there is none. */
HANSE_API const hanse_table *hanse_result_find(const hanse_result *result,
                                               const char *name);
HANSE_API hanse_row_counts hanse_result_rows(const hanse_result *result);
HANSE_API void hanse_result_destroy(hanse_result *result);

/* Writes the tables to an HDF5 file that is also valid netCDF-4. The file
 * appears under `path` only when it is complete; an existing one is replaced.
 * `history`: one line for the file's history, NULL for none. */
HANSE_API hanse_status hanse_result_write(const hanse_result *result,
                                          const char *path, const char *history,
                                          hanse_error *error);

/* ---- Whole files -------------------------------------------------------- */

/* Options of a run over files. Zero-initialise for the defaults. */
typedef struct hanse_run_options {
    const char *table;     /* path in the files; NULL: found by convention */
    size_t n_threads;      /* 0: as OpenMP decides */
    uint64_t memory_bytes; /* budget of reader and states; 0: no limit */
    /* Let the HDF5 library open the files in this process. By default each is
     * opened by a confined process of the program `hanse`, which the variable
     * HANSE_READER names unless it is installed with this library. */
    bool trusted_input;
    /* Read columns whose values lie in other files, which external storage and
     * virtual datasets name; by default such columns cannot be used. */
    bool allow_external;
    /* Called now and then by one of the threads; returning false stops the run
     * with HANSE_ERR_INTERRUPTED. NULL: never. */
    bool (*progress)(void *context, uint64_t rows_done, uint64_t n_rows,
                     uint64_t bytes_done);
    void *progress_context;
    /* Directory for temporary files, where groups go that memory does not hold;
     * NULL: none, such a run is HANSE_ERR_LIMIT. */
    const char *spill_directory;
} hanse_run_options;

/* Aggregates a table that lies in HDF5 files, in parallel. The specification
 * is completed for the table first (hanse_spec_complete). Several files with
 * the same columns are one table, in the order given. */
HANSE_API hanse_status hanse_run_files(hanse_spec *spec,
                                       const char *const *files, size_t n_files,
                                       const hanse_run_options *options,
                                       hanse_result **out, hanse_error *error);

#ifdef __cplusplus
}
#endif

#endif
