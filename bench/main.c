/* SPDX-License-Identifier: Apache-2.0
 *
 * hanse_bench: options, context, and all cases. bench/README.md says which
 * rows to compare.
 */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/cases.h"
#include "engine/base/cpu.h"

static int usage(const char *fault)
{
    fprintf(stderr,
            "hanse_bench: error: %s\n"
            "usage: hanse_bench [--rows N] [--data DIR] [--program HANSE]\n"
            "                   [options of Google Benchmark]\n"
            "  --rows N         rows of tables and jobs (10000000)\n"
            "  --data DIR       where generated files are kept\n"
            "  --program HANSE  the program that whole jobs start\n",
            fault);
    return 2;
}

/* What Google Benchmark left. */
static bool parse(int argc, char **argv, hanse_bench_settings *settings)
{
    for (int i = 1; i < argc; i += 2) {
        char *end = NULL;
        if (i + 1 == argc)
            return false;
        if (strcmp(argv[i], "--rows") == 0) {
            settings->n_rows = strtoull(argv[i + 1], &end, 10);
            if (*end != '\0' || settings->n_rows == 0)
                return false;
        } else if (strcmp(argv[i], "--data") == 0) {
            settings->data_dir = argv[i + 1];
        } else if (strcmp(argv[i], "--program") == 0) {
            settings->program = argv[i + 1];
        } else {
            return false;
        }
    }
    return true;
}

/* The first "model name" of the processors, "unknown" on machines whose kernel
 * tells none. */
static void find_cpu(char *name, size_t size)
{
    char line[256];
    (void)snprintf(name, size, "unknown");
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || value == NULL)
            continue;
        line[strcspn(line, "\n")] = '\0';
        (void)snprintf(name, size, "%s", value + 1 + (value[1] == ' '));
        break;
    }
    if (file != NULL)
        (void)fclose(file);
}

static void add_context(const hanse_bench_settings *settings, hanse_cpu cpu)
{
    char text[256];
    find_cpu(text, sizeof text);
    hanse_bench_add_context("cpu", text);
    hanse_bench_add_context("instruction_set", hanse_cpu_name(cpu));
#if defined(__clang__)
    hanse_bench_add_context("compiler", __VERSION__);
#else
    hanse_bench_add_context("compiler", "gcc " __VERSION__);
#endif
    hanse_bench_add_context("hanse", hanse_version());
    (void)snprintf(text, sizeof text, "%d", omp_get_max_threads());
    hanse_bench_add_context("threads_available", text);
    (void)snprintf(text, sizeof text,
                   "%llu enterprises, 3 float64 measures, int32 key",
                   (unsigned long long)settings->n_rows);
    hanse_bench_add_context("data_set", text);
    (void)snprintf(text, sizeof text, "%d", HANSE_BENCH_SEED);
    hanse_bench_add_context("seed", text);
}

int main(int argc, char **argv)
{
    hanse_bench_settings settings = {.n_rows = 10000000,
                                     .data_dir = HANSE_BENCH_DATA,
                                     .program = HANSE_BENCH_PROGRAM};
    hanse_error error = {0};
    hanse_cpu cpu;
    hanse_bench_init(&argc, argv);
    if (!parse(argc, argv, &settings))
        return usage("wrong option or value");
    if (hanse_cpu_choose(&cpu, &error) != HANSE_OK)
        return usage(error.message);
    add_context(&settings, cpu);
    hanse_bench_add_kernels();
    hanse_bench_add_fold(&settings);
    hanse_bench_add_keys(&settings);
    hanse_bench_add_read(&settings);
    hanse_bench_add_job(&settings);
    const size_t n_run = hanse_bench_run();
    hanse_bench_table_clear(&settings.table);
    if (n_run == 0) {
        fprintf(stderr, "hanse_bench: error: no case has such a name\n");
        return 1;
    }
    return 0;
}
