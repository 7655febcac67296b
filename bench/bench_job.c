/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole jobs: the program is started, does everything from opening the table
 * to the renamed result file, and ends. Likewise the generator. Tables lie in
 * the page cache; what is written goes to the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/cases.h"
#include "engine/base/error.h"

extern char **environ;

enum {
    MAX_WORDS = 16
};

/* Words of a command line after the program's name. FILE stands for the table,
 * OUT for what is written, ROWS for the number of rows. */
typedef struct job {
    const char *name;
    const char *words[MAX_WORDS];
    uint64_t row_bytes; /* of the columns in play; 0: not stated */
} job;

typedef struct job_case {
    const hanse_bench_settings *settings;
    const job *job;
    const char *threads;
} job_case;

/* What the words stand for in one case. */
typedef struct command_line {
    char table[HANSE_BENCH_PATH];
    char output[HANSE_BENCH_PATH];
    char rows[24];
    const char *words[MAX_WORDS + 4];
} command_line;

static hanse_status make_command(const job_case *c, command_line *out,
                                 hanse_error *error)
{
    static const hanse_storage contiguous = {0};
    const hanse_bench_settings *settings = c->settings;
    HANSE_TRY(hanse_bench_file(settings, "contiguous", settings->n_rows,
                               &contiguous, out->table, error));
    if (snprintf(out->output, sizeof out->output, "%s/output.h5",
                 settings->data_dir) >= (int)sizeof out->output)
        return hanse_fail(error, HANSE_ERR_ARGUMENT, "path too long");
    (void)snprintf(out->rows, sizeof out->rows, "%llu",
                   (unsigned long long)settings->n_rows);
    size_t n = 0;
    out->words[n++] = settings->program;
    for (size_t i = 0; c->job->words[i] != NULL; i++) {
        const char *word = c->job->words[i];
        if (strcmp(word, "FILE") == 0)
            word = out->table;
        else if (strcmp(word, "OUT") == 0)
            word = out->output;
        else if (strcmp(word, "ROWS") == 0)
            word = out->rows;
        out->words[n++] = word;
    }
    if (c->threads != NULL) {
        out->words[n++] = "--threads";
        out->words[n++] = c->threads;
    }
    out->words[n] = NULL;
    return HANSE_OK;
}

/* Runs a command without its standard output and waits for its end. */
static hanse_status run_command(const command_line *command, hanse_error *error)
{
    posix_spawn_file_actions_t actions;
    pid_t child;
    int ended = 0;
    int failure = posix_spawn_file_actions_init(&actions);
    if (failure == 0) {
        failure = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO,
                                                   "/dev/null", O_WRONLY, 0);
        if (failure == 0)
            failure = posix_spawn(&child, command->words[0], &actions, NULL,
                                  (char *const *)command->words, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
    }
    if (failure != 0)
        return hanse_fail(error, HANSE_ERR_IO, "%s: %s", command->words[0],
                          strerror(failure));
    while (waitpid(child, &ended, 0) < 0)
        if (errno != EINTR)
            return hanse_fail(error, HANSE_ERR_IO, "waiting: %s",
                              strerror(errno));
    if (!WIFEXITED(ended) || WEXITSTATUS(ended) != 0)
        return hanse_fail(error, HANSE_ERR_IO,
                          "the program failed; its message stands above");
    return HANSE_OK;
}

static void run_job(hanse_bench_state *state, const void *context)
{
    const job_case *c = context;
    command_line command;
    hanse_error error = {0};
    hanse_status status = make_command(c, &command, &error);
    /* Once before the clock runs: program and table come into the cache. */
    if (status == HANSE_OK)
        status = run_command(&command, &error);
    if (status != HANSE_OK)
        hanse_bench_fail(state, error.message);
    while (hanse_bench_continue(state))
        if (run_command(&command, &error) != HANSE_OK)
            hanse_bench_fail(state, error.message);
    if (status == HANSE_OK)
        (void)unlink(command.output);
    if (c->job->row_bytes != 0) {
        hanse_bench_set_rows(state, c->settings->n_rows);
        hanse_bench_set_bytes(state, c->settings->n_rows * c->job->row_bytes);
    }
}

void hanse_bench_add_job(hanse_bench_settings *settings)
{
    /* Bytes of a row: cluster 4, chain and platform 2 each, a measure 8,
     * active 1, quality 4; 78 in all columns. */
    static const job jobs[] = {
        {"job/start", {"version"}, 0},
        {"job/cluster",
         {"run", "FILE", "-q", "-o", "OUT", "--by", "cluster"},
         28},
        {"job/default", {"run", "FILE", "-q", "-o", "OUT"}, 32},
        {"job/composite",
         {"run", "FILE", "-q", "-o", "OUT", "--by", "cluster,chain"},
         30},
        {"job/all_statistics",
         {"run", "FILE", "-q", "-o", "OUT", "--by", "cluster", "-s", "all"},
         28},
        {"job/where_formula",
         {"run", "FILE", "-q", "-o", "OUT", "--by", "cluster", "--where",
          "active == 1 && quality >= 0.5", "--resource",
          "0.4*labour + 0.6*equipment", "--information", "information"},
         33},
        {"job/generate/contiguous",
         {"generate", "OUT", "-q", "--force", "-n", "ROWS"},
         78},
        {"job/generate/zstd",
         {"generate", "OUT", "-q", "--force", "-n", "ROWS", "--compress",
          "zstd", "--shuffle"},
         78},
    };
    static const char *const threads[] = {"1", "2"};
    char name[64];
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
        job_case c = {settings, &jobs[i], NULL};
        if (jobs[i].row_bytes == 0) {
            hanse_bench_add(jobs[i].name, run_job, &c, sizeof c);
            continue;
        }
        for (size_t t = 0; t < sizeof threads / sizeof threads[0]; t++) {
            c.threads = threads[t];
            (void)snprintf(name, sizeof name, "%s/threads:%s", jobs[i].name,
                           threads[t]);
            hanse_bench_add(name, run_job, &c, sizeof c);
        }
    }
}
