/* SPDX-License-Identifier: Apache-2.0
 *
 * The summary of a run.
 */
#include "cli/summary.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "cli/numbers.h"
#include "engine/base/error.h"
#include "io/json_text.h"

/* Largest resident set of the process so far, in bytes. Linux counts it in
 * KiB; what getrusage says begins with what the parent held before exec. */
static uint64_t peak_memory_bytes(void)
{
    static const char peak[] = "VmHWM:";
    struct rusage usage = {0};
    char line[128];
    uint64_t n_kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (n_kib == 0 && status != NULL &&
           fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, peak, sizeof peak - 1) == 0)
            n_kib = strtoull(line + sizeof peak - 1, NULL, 10);
    if (status != NULL)
        (void)fclose(status);
    if (n_kib == 0 && getrusage(RUSAGE_SELF, &usage) == 0)
        n_kib = (uint64_t)usage.ru_maxrss;
    return n_kib * 1024u;
}

static double per_second(const hanse_summary *summary, uint64_t amount)
{
    const double seconds = summary->seconds > 1e-9 ? summary->seconds : 1e-9;
    return (double)amount / seconds;
}

static void print_tables(const hanse_result *result)
{
    const size_t n = hanse_result_n_tables(result);
    for (size_t i = 0; i < n; i++) {
        const hanse_table *table = hanse_result_table(result, i);
        printf("%s%s %s", i > 0 ? ", " : "", table->name,
               hanse_format_count(table->n_rows).text);
        if (table->n_dropped > 0)
            printf(" (%s rows without a key dropped)",
                   hanse_format_count(table->n_dropped).text);
    }
    printf("\n");
}

/* Whether an earlier table has the key. */
static bool was_shown(const hanse_result *result, size_t table, size_t key)
{
    const char *name = hanse_result_table(result, table)->keys[key].name;
    for (size_t t = 0; t < table; t++) {
        const hanse_table *earlier = hanse_result_table(result, t);
        for (size_t k = 0; k < earlier->n_keys; k++)
            if (strcmp(earlier->keys[k].name, name) == 0)
                return true;
    }
    return false;
}

/* Calls `show` for every mapped key that lacks values, once. */
static void each_unmapped(const hanse_result *result,
                          void (*show)(void *context, const hanse_column *key),
                          void *context)
{
    const size_t n = hanse_result_n_tables(result);
    for (size_t t = 0; t < n; t++) {
        const hanse_table *table = hanse_result_table(result, t);
        for (size_t k = 0; k < table->n_keys; k++)
            if (table->keys[k].n_unmapped > 0 && !was_shown(result, t, k))
                show(context, &table->keys[k]);
    }
}

static void print_unmapped(void *context, const hanse_column *key)
{
    (void)context;
    printf("unmapped %s: %s rows have a value that the mapping table lacks\n",
           key->name, hanse_format_count(key->n_unmapped).text);
}

static void put_unmapped(void *context, const hanse_column *key)
{
    json_t **object = context;
    if (json_object_set_new(*object, key->name,
                            json_integer((json_int_t)key->n_unmapped)) != 0) {
        json_decref(*object);
        *object = NULL;
    }
}

static json_t *unmapped_json(const hanse_result *result)
{
    json_t *object = json_object();
    each_unmapped(result, put_unmapped, &object);
    return object;
}

void hanse_summary_print(const hanse_summary *summary)
{
    const hanse_row_counts rows = hanse_result_rows(summary->result);
    const size_t n_threads = summary->report.n_threads;
    printf("written  %s\n", summary->output);
    printf("rows     %s read, %s kept\n", hanse_format_count(rows.read).text,
           hanse_format_count(rows.kept).text);
    printf("groups   ");
    print_tables(summary->result);
    each_unmapped(summary->result, print_unmapped, NULL);
    printf(
        "time     %s, %s rows/s, %s/s, %zu thread%s\n",
        hanse_format_seconds(summary->seconds).text,
        hanse_format_rate(per_second(summary, rows.read)).text,
        hanse_format_bytes(per_second(summary, summary->report.n_bytes)).text,
        n_threads, n_threads == 1 ? "" : "s");
    printf("memory   %s at most\n",
           hanse_format_bytes((double)peak_memory_bytes()).text);
    if (summary->spilled_bytes > 0)
        printf("spilled  %s to temporary files\n",
               hanse_format_bytes((double)summary->spilled_bytes).text);
    printf("confined %s\n", summary->confinement);
}

static json_t *tables_json(const hanse_result *result)
{
    json_t *tables = json_object();
    const size_t n = hanse_result_n_tables(result);
    for (size_t i = 0; i < n; i++) {
        const hanse_table *table = hanse_result_table(result, i);
        json_t *entry =
            json_pack("{s:I, s:I}", "groups", (json_int_t)table->n_rows,
                      "rows_dropped", (json_int_t)table->n_dropped);
        if (json_object_set_new(tables, table->name, entry) != 0) {
            json_decref(tables);
            return NULL;
        }
    }
    return tables;
}

static char *summary_text(const hanse_summary *summary)
{
    const hanse_row_counts rows = hanse_result_rows(summary->result);
    json_t *root = json_pack(
        "{s:s, s:o, s:I, s:I, s:o, s:o, s:f, s:f, s:I, s:f, s:I, s:I, s:I, "
        "s:s}",
        "status", "done", "output", hanse_json_text(summary->output),
        "rows_read", (json_int_t)rows.read, "rows_kept", (json_int_t)rows.kept,
        "tables", tables_json(summary->result), "rows_unmapped",
        unmapped_json(summary->result), "seconds", summary->seconds,
        "rows_per_second", per_second(summary, rows.read), "bytes",
        (json_int_t)summary->report.n_bytes, "bytes_per_second",
        per_second(summary, summary->report.n_bytes), "peak_memory_bytes",
        (json_int_t)peak_memory_bytes(), "spilled_bytes",
        (json_int_t)summary->spilled_bytes, "threads",
        (json_int_t)summary->report.n_threads, "confinement",
        summary->confinement);
    char *text = root != NULL ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    return text;
}

hanse_status hanse_summary_write(const hanse_summary *summary,
                                 hanse_atomic_file *file, hanse_error *error)
{
    char *text = summary_text(summary);
    if (text == NULL)
        return hanse_fail_nomem(error, "summary", sizeof *summary);
    hanse_status status =
        hanse_atomic_file_write(file, text, strlen(text), error);
    if (status == HANSE_OK)
        status = hanse_atomic_file_write(file, "\n", 1, error);
    if (status == HANSE_OK)
        status = hanse_atomic_file_commit(file, error);
    free(text);
    return status;
}
