/* SPDX-License-Identifier: Apache-2.0
 *
 * Provenance as a JSON object that grows from start to end of a run.
 */
#include "io/provenance.h"

#include <hdf5.h>
#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "io/hdf5_library.h"
#include "io/job_json.h"
#include "io/json_text.h"

struct hanse_provenance {
    json_t *root;
    bool failed; /* memory ran out on the way */
};

/* Takes the reference of `value`; NULL means that memory is out. */
static void put(hanse_provenance *p, const char *key, json_t *value)
{
    if (json_object_set_new(p->root, key, value) != 0)
        p->failed = true;
}

static json_t *count_json(uint64_t count)
{
    return json_integer((json_int_t)count);
}

/* "2026-11-23T12:00:54.123Z" */
static json_t *time_json(struct timespec time)
{
    char text[64];
    struct tm utc;
    if (gmtime_r(&time.tv_sec, &utc) == NULL)
        return json_null();
    const size_t length =
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + length, sizeof text - length, ".%03ldZ",
             time.tv_nsec / 1000000);
    return json_string(text);
}

static json_t *clock_json(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return json_null();
    return time_json(now);
}

/* A file that cannot be looked at is left without size and time: opening it
 * gives the message. */
static json_t *input_json(const char *path)
{
    struct stat status;
    json_t *file = json_object();
    bool made = json_object_set_new(file, "file", hanse_json_text(path)) == 0;
    if (made && stat(path, &status) == 0)
        made = json_object_set_new(file, "size_bytes",
                                   count_json((uint64_t)status.st_size)) == 0 &&
               json_object_set_new(file, "modified",
                                   time_json(status.st_mtim)) == 0;
    if (made)
        return file;
    json_decref(file);
    return NULL;
}

static json_t *inputs_json(const hanse_text_list *files)
{
    json_t *inputs = json_array();
    for (size_t i = 0; i < files->n; i++)
        if (json_array_append_new(inputs, input_json(files->items[i])) != 0) {
            json_decref(inputs);
            return NULL;
        }
    return inputs;
}

static void put_machine(hanse_provenance *p)
{
    char host[256] = "";
    if (gethostname(host, sizeof host - 1) == 0)
        put(p, "host", hanse_json_text(host));
    const struct passwd *user = getpwuid(geteuid());
    if (user != NULL)
        put(p, "user", hanse_json_text(user->pw_name));
}

/* The batch job, where there is one. */
static void put_batch_job(hanse_provenance *p)
{
    static const struct {
        const char *variable, *key;
    } facts[] = {
        {"SLURM_JOB_ID", "job_id"},
        {"SLURM_JOB_NAME", "job_name"},
        {"SLURM_JOB_NODELIST", "nodes"},
        {"SLURM_CLUSTER_NAME", "cluster"},
    };
    if (getenv(facts[0].variable) == NULL)
        return;
    json_t *slurm = json_object();
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        const char *value = getenv(facts[i].variable);
        if (value != NULL && json_object_set_new(slurm, facts[i].key,
                                                 hanse_json_text(value)) != 0)
            p->failed = true;
    }
    put(p, "slurm", slurm);
}

void hanse_hdf5_version(char text[HANSE_HDF5_VERSION_SIZE])
{
    unsigned major = 0;
    unsigned minor = 0;
    unsigned release = 0;
    hanse_hdf5_lock();
    const bool known = H5get_libversion(&major, &minor, &release) >= 0;
    hanse_hdf5_unlock();
    if (known)
        snprintf(text, HANSE_HDF5_VERSION_SIZE, "%u.%u.%u", major, minor,
                 release);
    else
        snprintf(text, HANSE_HDF5_VERSION_SIZE, "unknown");
}

static hanse_status fail_nomem(hanse_error *error)
{
    return hanse_fail_nomem(error, "provenance", sizeof(hanse_provenance));
}

hanse_status hanse_provenance_create(const hanse_job *job,
                                     const hanse_text_list *files,
                                     const char *command_line,
                                     hanse_provenance **out, hanse_error *error)
{
    char hdf5[HANSE_HDF5_VERSION_SIZE];
    hanse_provenance *p = calloc(1, sizeof *p);
    if (p == NULL)
        return fail_nomem(error);
    hanse_hdf5_version(hdf5);
    p->root = json_object();
    put(p, "version", json_string("hanse " HANSE_VERSION_STRING));
    put(p, "hdf5_version", json_string(hdf5));
    if (command_line != NULL)
        put(p, "command", hanse_json_text(command_line));
    put(p, "job", hanse_job_json(job));
    put(p, "inputs", inputs_json(files));
    put_machine(p);
    put_batch_job(p);
    put(p, "start", clock_json());
    if (p->failed) {
        hanse_provenance_destroy(p);
        return fail_nomem(error);
    }
    *out = p;
    return HANSE_OK;
}

void hanse_provenance_note(hanse_provenance *p, const char *key,
                           const char *text)
{
    put(p, key, hanse_json_text(text));
}

void hanse_provenance_note_files(hanse_provenance *p, const char *key,
                                 const hanse_text_list *files)
{
    put(p, key, inputs_json(files));
}

hanse_status hanse_provenance_finish(hanse_provenance *p,
                                     const hanse_run_report *report,
                                     hanse_row_counts rows, char **out,
                                     hanse_error *error)
{
    put(p, "end", clock_json());
    put(p, "threads", count_json(report->n_threads));
    put(p, "rows_read", count_json(rows.read));
    put(p, "rows_kept", count_json(rows.kept));
    char *text =
        p->failed ? NULL : json_dumps(p->root, JSON_INDENT(2) | JSON_SORT_KEYS);
    if (text == NULL)
        return fail_nomem(error);
    *out = text;
    return HANSE_OK;
}

void hanse_provenance_destroy(hanse_provenance *provenance)
{
    if (provenance == NULL)
        return;
    json_decref(provenance->root);
    free(provenance);
}
