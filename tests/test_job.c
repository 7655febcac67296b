/* SPDX-License-Identifier: Apache-2.0
 *
 * Job files: what they say, where their errors are, and what they refuse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/error.h"
#include "engine/spec.h"
#include "io/job.h"
#include "tests/own_directory.h"

static void write_bytes(const char *path, const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static hanse_status load(const char *text, hanse_job *job, hanse_error *error)
{
    write_bytes("job.yaml", text, strlen(text));
    memset(error, 0, sizeof *error);
    hanse_job_init(job);
    return hanse_job_load(job, "job.yaml", error);
}

static void expect_error(const char *text, const char *message)
{
    hanse_job job;
    hanse_error error;
    assert_int_equal(load(text, &job, &error), HANSE_ERR_SPEC);
    assert_string_equal(error.message, message);
    assert_int_equal(job.files.n, 0);
    hanse_job_clear(&job);
}

/* For libyaml's own messages, whose wording is its affair. */
static void expect_error_start(const char *text, const char *start)
{
    hanse_job job;
    hanse_error error;
    assert_int_equal(load(text, &job, &error), HANSE_ERR_SPEC);
    if (strncmp(error.message, start, strlen(start)) != 0)
        fail_msg("'%s' does not start with '%s'", error.message, start);
    hanse_job_clear(&job);
}

static void expect_json(const char *text, const char *expected)
{
    hanse_job job;
    hanse_error error;
    char *json;
    if (load(text, &job, &error) != HANSE_OK)
        fail_msg("%s", error.message);
    assert_int_equal(hanse_job_to_json(&job, &json, &error), HANSE_OK);
    assert_string_equal(json, expected);
    free(json);
    hanse_job_clear(&job);
}

static void job_load_every_key_arrives(void **state)
{
    (void)state;
    expect_json(
        "input:\n"
        "  files: [a-*.h5, b.h5]\n"
        "  table: /firms\n"
        "  where: active == 1 && quality >= 0.5\n"
        "group_by: [cluster, [cluster, chain], total]\n"
        "statistics: [total, std]\n"
        "models:\n"
        "  resource: 0.4*labour + 0.6*equipment\n"
        "  information: {column: patents}\n"
        "  cooperation:\n"
        "measures: {employees: , double: 2 * staff}\n"
        "missing_keys: drop\n"
        "output: {file: out.h5, records: {storage: zstd:5+shuffle}}\n",
        "{\"group_by\":[\"cluster\",[\"cluster\",\"chain\"],\"total\"],"
        "\"input\":{\"files\":[\"a-*.h5\",\"b.h5\"],\"table\":\"/firms\","
        "\"where\":\"active == 1 && quality >= 0.5\"},"
        "\"measures\":{\"double\":\"2 * staff\",\"employees\":\"employees\"},"
        "\"missing_keys\":\"drop\","
        "\"models\":{\"cooperation\":null,\"information\":\"patents\","
        "\"resource\":\"0.4*labour + 0.6*equipment\"},"
        "\"output\":{\"file\":\"out.h5\","
        "\"records\":{\"storage\":\"zstd:5+shuffle\"}},"
        "\"statistics\":[\"total\",\"std\"]}");
}

static void job_load_single_entries_need_no_brackets(void **state)
{
    (void)state;
    expect_json("input: {files: a.h5}\ngroup_by: cluster\n"
                "statistics: all\noutput: o.h5\n",
                "{\"group_by\":[\"cluster\"],"
                "\"input\":{\"files\":[\"a.h5\"]},"
                "\"output\":{\"file\":\"o.h5\"},"
                "\"statistics\":[\"count\",\"missing\",\"total\",\"mean\","
                "\"min\",\"max\",\"var\",\"std\"]}");
    expect_json("models: {resource: {formula: 2 * x}}\n",
                "{\"models\":{\"resource\":\"2 * x\"}}");
}

static void job_load_keys_and_sets_arrive(void **state)
{
    (void)state;
    expect_json("keys:\n"
                "  size: bin(staff, 10, 50)\n"
                "  area: {column: region, map: 'it''s.csv', from: code, "
                "to: my area}\n"
                "  land: {column: region, map: r.h5, from: a, to: b, "
                "table: /t}\n"
                "group_by: [size, {rollup: [chain, area]}, "
                "[year, {cube: [a, b]}], 'x>y', 'z=floor(u/2),x']\n",
                "{\"group_by\":[\"size\",\"chain\",[\"chain\",\"area\"],"
                "[\"year\",\"a\"],[\"year\",\"b\"],[\"year\",\"a\",\"b\"],"
                "\"year\",\"x\",[\"x\",\"y\"],[\"z\",\"x\"]],"
                "\"keys\":{\"area\":\"map(region, 'it''s.csv', code, "
                "`my area`)\",\"land\":\"map(region, 'r.h5', a, b, '/t')\","
                "\"size\":\"bin(staff, 10, 50)\",\"z\":\"floor(u/2)\"}}");
    expect_json("group_by: {rollup: chain}\n", "{\"group_by\":[\"chain\"]}");
    expect_json("group_by: '`a,b`, `c``d` , e f'\n",
                "{\"group_by\":[[\"a,b\",\"c`d\",\"e f\"]]}");
    expect_json("group_by: \"k=a == 'x,)' and (b > 2), c\"\n",
                "{\"group_by\":[[\"k\",\"c\"]],"
                "\"keys\":{\"k\":\"a == 'x,)' and (b > 2)\"}}");
}

static void job_load_faulty_keys_and_sets_are_located(void **state)
{
    (void)state;
    expect_error("keys: {a: {column: x, map: f, from: g}}\n",
                 "job.yaml:1:11: key 'a': 'to' is missing; a mapping is "
                 "{column: NAME, map: FILE, from: COLUMN, to: COLUMN}");
    expect_error("keys: {a: {colum: x}}\n",
                 "job.yaml:1:12: unknown key 'colum', did you mean 'column'?");
    expect_error("keys: {a: [b]}\n",
                 "job.yaml:1:11: a: expected a text, found a list");
    expect_error("keys: [a]\n", "job.yaml:1:7: keys: expected 'key: value' "
                                "lines, found a list");
    expect_error("keys: {a: }\n",
                 "job.yaml:1:11: a: expected a text, found nothing");
    expect_error("keys: {a: b}\ngroup_by: a=c\n",
                 "job.yaml:2:11: key 'a' is defined twice, as b and as c; give "
                 "one another name");
    expect_error("group_by: {rollup: []}\n",
                 "job.yaml:1:20: rollup: the list is empty");
    expect_error("group_by: {rolup: [a]}\n",
                 "job.yaml:1:12: unknown key 'rolup', did you mean 'rollup'?");
    expect_error("group_by: [{cube: [a, [b]]}]\n",
                 "job.yaml:1:23: group_by: expected a text, found a list");
    expect_error("group_by:\n- {cube: [a,b,c,d,e,f,g,h,i,j,k]}\n",
                 "job.yaml:2:3: grouping: a cube of 11 keys; at most 10, or "
                 "list the groupings that are wanted");
    expect_error("group_by: rollup(a\n",
                 "job.yaml:1:11: grouping 'rollup(a': a bracket is not closed");
}

static void job_override_keys_replace_those_of_the_name(void **state)
{
    (void)state;
    hanse_job job, with;
    hanse_error error;
    char *json;
    assert_int_equal(load("keys: {a: x, b: y}\ngroup_by: a\n", &job, &error),
                     HANSE_OK);
    hanse_job_init(&with);
    assert_int_equal(hanse_job_add_key(&with, " b = floor(z)", &error),
                     HANSE_OK);
    assert_int_equal(hanse_job_add_grouping(&with, "c=u>1,b", &error),
                     HANSE_OK);
    assert_int_equal(hanse_job_add_key(&with, "b", &error), HANSE_ERR_SPEC);
    assert_int_equal(hanse_job_add_key(&with, "b=", &error), HANSE_ERR_SPEC);
    assert_int_equal(hanse_job_override(&job, &with, &error), HANSE_OK);
    assert_int_equal(hanse_job_to_json(&job, &json, &error), HANSE_OK);
    assert_string_equal(json, "{\"group_by\":[[\"c\",\"b\"]],\"keys\":{"
                              "\"a\":\"x\",\"b\":\"floor(z)\","
                              "\"c\":\"u>1\"}}");
    free(json);
    hanse_job_clear(&with);
    hanse_job_clear(&job);
}

static void job_load_unknown_key_is_located_and_corrected(void **state)
{
    (void)state;
    expect_error("input:\n  files: [a.h5]\ngrup_by: [cluster]\n",
                 "job.yaml:3:1: unknown key 'grup_by', did you mean "
                 "'group_by'?");
    expect_error("input:\n  files: [a.h5]\n  wehre: x\n",
                 "job.yaml:3:3: unknown key 'wehre', did you mean 'where'?");
    expect_error("input: {zzz: 1}\n", "job.yaml:1:9: unknown key 'zzz'; "
                                      "known: files, table, where");
    expect_error("models:\n  resurce: x\n",
                 "job.yaml:2:3: unknown model 'resurce', did you mean "
                 "'resource'?");
    expect_error("models:\n  resource: {colum: x}\n",
                 "job.yaml:2:14: unknown key 'colum', did you mean 'column'?");
    expect_error("output:\n  fil: x\n",
                 "job.yaml:2:3: unknown key 'fil', did you mean 'file'?");
    expect_error("output:\n  records: {storge: x}\n",
                 "job.yaml:2:13: unknown key 'storge', did you mean "
                 "'storage'?");
}

static void job_load_bad_values_are_located(void **state)
{
    (void)state;
    expect_error("statistics: [total, meen]\n",
                 "job.yaml:1:21: unknown statistic 'meen', did you mean "
                 "'mean'?");
    expect_error("missing_keys: dorp\n",
                 "job.yaml:1:15: unknown value for missing_keys 'dorp', did "
                 "you mean 'drop'?");
    expect_error("models:\n  resource: {column: a, formula: b}\n",
                 "job.yaml:2:34: resource: give either 'column' or 'formula'");
    expect_error("group_by: ['a,,b']\n",
                 "job.yaml:1:12: grouping 'a,,b': a name is missing around a "
                 "comma");
    expect_error("output: \"a\\0b\"\n",
                 "job.yaml:1:9: output: the text holds a NUL byte");
    expect_error("output: ''\n", "job.yaml:1:9: output: the text is empty");
    expect_error("output: {records: {storage: gzipp}}\n",
                 "job.yaml:1:29: unknown compression 'gzipp'; known are none, "
                 "gzip[:1-9], lz4, zstd[:1-19]");
    expect_error("output: {records: {storage: gzip+lz4}}\n",
                 "job.yaml:1:29: storage 'gzip+lz4': expected one compression "
                 "and at most one 'shuffle', such as gzip:6+shuffle");
}

static void job_load_wrong_types_are_located(void **state)
{
    (void)state;
    expect_error("input: a.h5\n",
                 "job.yaml:1:8: input: expected 'key: value' lines, found a "
                 "text");
    expect_error("- a\n- b\n", "job.yaml:1:1: job: expected 'key: value' "
                               "lines, found a list");
    expect_error("input:\n  table: [a]\n",
                 "job.yaml:2:10: table: expected a text, found a list");
    expect_error("input:\n  where:\n",
                 "job.yaml:2:9: where: expected a text, found nothing");
    expect_error("group_by: [cluster, {a: b}]\n",
                 "job.yaml:1:22: unknown key 'a'; known: rollup, cube");
    expect_error("group_by: [[cluster, [a]]]\n",
                 "job.yaml:1:22: group_by: expected a text, found a list");
    expect_error("group_by: []\n", "job.yaml:1:11: group_by: the list is "
                                   "empty");
    expect_error("? [a]\n: b\n",
                 "job.yaml:1:3: key: expected a text, found a list");
}

static void job_load_repeated_key_is_refused(void **state)
{
    (void)state;
    expect_error("output: a\nstatistics: total\noutput: b\n",
                 "job.yaml:3:1: key 'output' stands twice, first in line 1");
    expect_error("measures: {a: x, b: y, a: z}\n",
                 "job.yaml:1:24: key 'a' stands twice, first in line 1");
}

static void job_load_column_counts_characters(void **state)
{
    (void)state;
    expect_error("measures: {\"\xc3\xa9\xc3\xa9\": x, \"\xc3\xa9\xc3\xa9\": "
                 "y}\n",
                 "job.yaml:1:21: key '\xc3\xa9\xc3\xa9' stands twice, first "
                 "in line 1");
}

static void job_load_tricks_of_yaml_are_refused(void **state)
{
    (void)state;
    expect_error_start("output: &a x\n", "job.yaml:1:9: anchors");
    expect_error_start("output: *a\n", "job.yaml:1:9: anchors");
    expect_error_start("input:\n  where: !isnan(x)\n",
                       "job.yaml:2:10: tags (!)");
    expect_error_start("output: a\n---\noutput: b\n",
                       "job.yaml:3:1: a second document");
    expect_error_start("a: [b\n", "job.yaml:2:1: not valid YAML: ");
    expect_error_start("a: b\n\tc: d\n", "job.yaml:2:1: not valid YAML: ");
    expect_error_start("output: a\nb\xff: c\n",
                       "job.yaml:2:2: not valid YAML: ");
    expect_error_start("", "job.yaml: the job file is empty");
    expect_error_start("# nothing\n", "job.yaml: the job file is empty");
}

static void job_load_depth_and_size_are_limited(void **state)
{
    (void)state;
    char deep[200];
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    expect_error(deep, "job.yaml:1:33: nested deeper than 32 levels");

    char nested[] = "output: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[x"
                    "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n";
    expect_error(nested, "job.yaml:1:9: output: expected 'key: value' lines, "
                         "found a list");

    enum {
        LIMIT = 1 << 20
    };
    char *large = malloc(LIMIT + 2);
    assert_non_null(large);
    memset(large, '\n', LIMIT + 1);
    memcpy(large, "output: o", 9);
    large[LIMIT + 1] = '\0';
    expect_error(large, "job.yaml: larger than 1 MiB; is it a job file?");
    large[LIMIT] = '\0';
    expect_json(large, "{\"output\":{\"file\":\"o\"}}");
    free(large);

    char *many = malloc(5000 * 8);
    assert_non_null(many);
    char *end = many + sprintf(many, "measures:\n");
    for (int i = 0; i < 4097; i++)
        end += sprintf(end, " m%d:\n", i);
    expect_error(many, "job.yaml:2:2: measures: more than 4096 entries");
    free(many);
}

/* Any prefix and any damaged byte gives a job or an error, never more: the
 * sanitizers watch. */
static void job_load_damaged_files_are_survived(void **state)
{
    (void)state;
    static const char text[] =
        "input: {files: [a.h5, \"b\\n.h5\"], where: 'x > 1'}\n"
        "group_by:\n- cluster\n- [a, b]\nmodels:\n  resource: |\n    x + y\n"
        "measures: {a: b}\n...\n";
    hanse_job job;
    hanse_error error;
    for (size_t n = 0; n < sizeof text; n++) {
        write_bytes("job.yaml", text, n);
        hanse_job_init(&job);
        (void)hanse_job_load(&job, "job.yaml", &error);
        hanse_job_clear(&job);
    }
    for (size_t i = 0; i < sizeof text - 1; i++)
        for (int byte = 1; byte < 256; byte += 37) {
            char damaged[sizeof text];
            memcpy(damaged, text, sizeof text);
            damaged[i] = (char)byte;
            write_bytes("job.yaml", damaged, sizeof text - 1);
            hanse_job_init(&job);
            error.message[0] = '\0';
            if (hanse_job_load(&job, "job.yaml", &error) != HANSE_OK)
                assert_true(error.message[0] != '\0');
            hanse_job_clear(&job);
        }
}

static void job_load_missing_file_is_an_io_error(void **state)
{
    (void)state;
    hanse_job job;
    hanse_error error;
    hanse_job_init(&job);
    assert_int_equal(hanse_job_load(&job, "none.yaml", &error), HANSE_ERR_IO);
    assert_string_equal(error.message, "cannot open the job file none.yaml: "
                                       "No such file or directory");
    assert_int_equal(hanse_job_load(&job, ".", &error), HANSE_ERR_IO);
    assert_int_equal(hanse_job_load(&job, "none.yaml", NULL), HANSE_ERR_IO);
}

static void job_setters_bad_definitions_are_refused(void **state)
{
    (void)state;
    hanse_job job;
    hanse_error error;
    hanse_job_init(&job);
    assert_int_equal(hanse_job_add_measure(&job, "=x", &error), HANSE_ERR_SPEC);
    assert_int_equal(hanse_job_add_measure(&job, "a= ", &error),
                     HANSE_ERR_SPEC);
    assert_int_equal(hanse_job_add_grouping(&job, "a,", &error),
                     HANSE_ERR_SPEC);
    assert_int_equal(hanse_job_set_statistics(&job, "mean,x", &error),
                     HANSE_ERR_SPEC);
    assert_int_equal(hanse_job_add_file(&job, "", &error), HANSE_ERR_SPEC);
    assert_true(hanse_statistic_set_is_empty(&job.statistics));
    assert_int_equal(job.n_measures, 0);
    assert_int_equal(job.n_groupings, 0);
    hanse_job_clear(&job);
}

static void job_override_options_win_over_the_job(void **state)
{
    (void)state;
    hanse_job job;
    hanse_job with;
    hanse_error error;
    char *json;
    assert_int_equal(load("input: {files: [a, b], where: x}\n"
                          "group_by: [p, q]\nstatistics: mean\n"
                          "models: {resource: r, information: i}\n"
                          "measures: {m: 1, n: 2}\noutput: o\n",
                          &job, &error),
                     HANSE_OK);
    hanse_job_init(&with);
    assert_int_equal(hanse_job_add_file(&with, "c", &error), HANSE_OK);
    assert_int_equal(hanse_job_add_grouping(&with, " u , v", &error), HANSE_OK);
    assert_int_equal(
        hanse_job_set_model(&with, HANSE_MODEL_RESOURCE, "s", &error),
        HANSE_OK);
    assert_int_equal(hanse_job_add_measure(&with, "M = 3", &error), HANSE_OK);
    assert_int_equal(hanse_job_add_measure(&with, "k", &error), HANSE_OK);
    assert_int_equal(hanse_job_override(&job, &with, &error), HANSE_OK);
    assert_int_equal(hanse_job_to_json(&job, &json, &error), HANSE_OK);
    assert_string_equal(
        json, "{\"group_by\":[[\"u\",\"v\"]],\"input\":{\"files\":[\"c\"],"
              "\"where\":\"x\"},\"measures\":{\"k\":\"k\",\"m\":\"3\","
              "\"n\":\"2\"},\"models\":{\"information\":\"i\","
              "\"resource\":\"s\"},\"output\":{\"file\":\"o\"},"
              "\"statistics\":[\"mean\"]}");
    assert_int_equal(with.files.n + with.n_groupings + with.n_measures, 0);
    free(json);
    hanse_job_clear(&with);
    hanse_job_clear(&job);
}

static void job_to_json_file_name_in_other_encoding_is_escaped(void **state)
{
    (void)state;
    hanse_job job;
    hanse_error error;
    char *json;
    hanse_job_init(&job);
    assert_int_equal(hanse_job_add_file(&job, "a\xff.h5", &error), HANSE_OK);
    assert_int_equal(hanse_job_to_json(&job, &json, &error), HANSE_OK);
    assert_string_equal(json, "{\"input\":{\"files\":[\"a\\\\xFF.h5\"]}}");
    free(json);
    hanse_job_clear(&job);
}

static void job_spec_carries_everything(void **state)
{
    (void)state;
    hanse_job job;
    hanse_error error;
    hanse_spec *spec;
    assert_int_equal(load("input: {where: x > 1}\n"
                          "group_by: [p, [p, q], total]\nstatistics: [min]\n"
                          "models: {cooperation: }\nmeasures: {m: 2 * x}\n"
                          "missing_keys: drop\n",
                          &job, &error),
                     HANSE_OK);
    assert_int_equal(hanse_job_spec(&job, &spec, &error), HANSE_OK);
    assert_int_equal(spec->n_groupings, 3);
    assert_string_equal(spec->groupings[1].name, "by_p_q");
    assert_int_equal(spec->groupings[2].n_keys, 0);
    assert_int_equal(spec->n_measures, 2);
    assert_string_equal(spec->measures[0].formula, "strategy");
    assert_string_equal(spec->measures[1].formula, "2 * x");
    assert_string_equal(spec->filter, "x > 1");
    assert_int_equal(spec->statistics.mask, HANSE_STAT_MIN);
    assert_int_equal(spec->missing_keys, HANSE_MISSING_KEYS_DROP);
    hanse_spec_destroy(spec);
    hanse_job_clear(&job);
}

static void job_spec_same_measure_twice_is_refused(void **state)
{
    (void)state;
    hanse_job job;
    hanse_error error;
    hanse_spec *spec = NULL;
    assert_int_equal(load("measures: {m: x, M: y}\n", &job, &error), HANSE_OK);
    assert_int_equal(hanse_job_spec(&job, &spec, &error), HANSE_ERR_SPEC);
    assert_null(spec);
    hanse_job_clear(&job);
}

static hanse_status expand(const char *const *patterns, size_t n,
                           hanse_text_list *out, hanse_error *error)
{
    hanse_job job;
    hanse_job_init(&job);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(hanse_job_add_file(&job, patterns[i], error),
                         HANSE_OK);
    const hanse_status status = hanse_job_expand_files(&job, out, error);
    hanse_job_clear(&job);
    return status;
}

static void job_expand_files_sorts_within_a_pattern(void **state)
{
    (void)state;
    static const char *const patterns[] = {"z.h5", "e-*.h5", "missing.h5"};
    hanse_text_list files = {NULL, 0};
    hanse_error error;
    write_bytes("e-2.h5", "x", 1);
    write_bytes("e-10.h5", "x", 1);
    write_bytes("z.h5", "x", 1);
    assert_int_equal(expand(patterns, 3, &files, &error), HANSE_OK);
    assert_int_equal(files.n, 4);
    assert_string_equal(files.items[0], "z.h5");
    assert_string_equal(files.items[1], "e-10.h5");
    assert_string_equal(files.items[2], "e-2.h5");
    assert_string_equal(files.items[3], "missing.h5");
    hanse_text_list_clear(&files);
}

static void job_expand_files_wildcards_in_a_name_are_literal(void **state)
{
    (void)state;
    static const char *const patterns[] = {"a[1].h5"};
    hanse_text_list files = {NULL, 0};
    hanse_error error;
    write_bytes("a[1].h5", "x", 1);
    write_bytes("a1.h5", "x", 1);
    assert_int_equal(expand(patterns, 1, &files, &error), HANSE_OK);
    assert_int_equal(files.n, 1);
    assert_string_equal(files.items[0], "a[1].h5");
    hanse_text_list_clear(&files);
}

static void job_expand_files_no_match_or_twice_is_refused(void **state)
{
    (void)state;
    static const char *const nothing[] = {"none-*.h5"};
    static const char *const twice[] = {"t.h5", "link.h5"};
    hanse_text_list files = {NULL, 0};
    hanse_error error;
    assert_int_equal(expand(nothing, 1, &files, &error), HANSE_ERR_IO);
    assert_string_equal(error.message, "no file matches 'none-*.h5'; check "
                                       "the pattern and the directory");
    write_bytes("t.h5", "x", 1);
    assert_int_equal(symlink("t.h5", "link.h5"), 0);
    assert_int_equal(expand(twice, 2, &files, &error), HANSE_ERR_SPEC);
    assert_string_equal(error.message,
                        "input files 't.h5' and 'link.h5' are the same file, "
                        "whose rows would count twice; name it once");
    assert_int_equal(expand(twice, 0, &files, &error), HANSE_ERR_SPEC);
    assert_int_equal(files.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_load_every_key_arrives),
        cmocka_unit_test(job_load_single_entries_need_no_brackets),
        cmocka_unit_test(job_load_keys_and_sets_arrive),
        cmocka_unit_test(job_load_faulty_keys_and_sets_are_located),
        cmocka_unit_test(job_override_keys_replace_those_of_the_name),
        cmocka_unit_test(job_load_unknown_key_is_located_and_corrected),
        cmocka_unit_test(job_load_bad_values_are_located),
        cmocka_unit_test(job_load_wrong_types_are_located),
        cmocka_unit_test(job_load_repeated_key_is_refused),
        cmocka_unit_test(job_load_column_counts_characters),
        cmocka_unit_test(job_load_tricks_of_yaml_are_refused),
        cmocka_unit_test(job_load_depth_and_size_are_limited),
        cmocka_unit_test(job_load_damaged_files_are_survived),
        cmocka_unit_test(job_load_missing_file_is_an_io_error),
        cmocka_unit_test(job_setters_bad_definitions_are_refused),
        cmocka_unit_test(job_override_options_win_over_the_job),
        cmocka_unit_test(job_to_json_file_name_in_other_encoding_is_escaped),
        cmocka_unit_test(job_spec_carries_everything),
        cmocka_unit_test(job_spec_same_measure_twice_is_refused),
        cmocka_unit_test(job_expand_files_sorts_within_a_pattern),
        cmocka_unit_test(job_expand_files_wildcards_in_a_name_are_literal),
        cmocka_unit_test(job_expand_files_no_match_or_twice_is_refused),
    };
    return cmocka_run_group_tests_name("job", tests, enter_own_directory,
                                       leave_own_directory);
}
