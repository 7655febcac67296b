/* SPDX-License-Identifier: Apache-2.0
 *
 * Places in job files.
 */
#include "io/job_places.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/error.h"
#include "engine/base/memory.h"

const char hanse_place_filter[] = "filter";
const char hanse_place_measure[] = "measure";
const char hanse_place_key[] = "group by";
const char hanse_place_definition[] = "key";
const char hanse_place_weights[] = "weights";
const char hanse_place_id[] = "id:";
const char hanse_place_step[] = "step";
const char hanse_place_records[] = "records:";

hanse_status hanse_job_note(hanse_job *job, const char *what, const char *name,
                            size_t line, size_t column, hanse_error *error)
{
    char *copy = hanse_text_copy(name);
    hanse_job_place *larger =
        realloc(job->places, (job->n_places + 1) * sizeof *larger);
    if (larger != NULL)
        job->places = larger;
    if (larger == NULL || (copy == NULL && name != NULL)) {
        free(copy);
        return hanse_fail_nomem(error, "job", sizeof *larger);
    }
    job->places[job->n_places++] = (hanse_job_place){what, copy, line, column};
    return HANSE_OK;
}

void hanse_job_forget(hanse_job *job, const char *what, const char *name)
{
    size_t n_kept = 0;
    for (size_t i = 0; i < job->n_places; i++) {
        hanse_job_place *place = &job->places[i];
        const bool is_meant =
            place->what == what &&
            (name == NULL || strcasecmp(place->name, name) == 0);
        if (is_meant)
            free(place->name);
        else
            job->places[n_kept++] = *place;
    }
    job->n_places = n_kept;
}

void hanse_job_clear_places(hanse_job *job)
{
    for (size_t i = 0; i < job->n_places; i++)
        free(job->places[i].name);
    free(job->places);
    free(job->path);
    job->places = NULL;
    job->n_places = 0;
    job->path = NULL;
}

void hanse_job_move_places(hanse_job *job, hanse_job *from)
{
    if (from->path == NULL)
        return;
    hanse_job_clear_places(job);
    job->path = from->path;
    job->places = from->places;
    job->n_places = from->n_places;
    from->path = NULL;
    from->places = NULL;
    from->n_places = 0;
}

/* Whether the message is about what stands at the place. */
static bool is_about(const char *message, const hanse_job_place *place)
{
    const size_t n_what = strlen(place->what);
    if (strncmp(message, place->what, n_what) != 0)
        return false;
    if (place->name == NULL)
        return true;
    const size_t n_name = strlen(place->name);
    const char *quoted = message + n_what;
    quoted += strcspn(quoted, "'\n");
    return *quoted == '\'' && strncmp(quoted + 1, place->name, n_name) == 0 &&
           quoted[1 + n_name] == '\'';
}

hanse_status hanse_job_locate(const hanse_job *job, hanse_status status,
                              hanse_error *error)
{
    if (error == NULL || status == HANSE_OK)
        return status;
    for (size_t i = 0; i < job->n_places; i++) {
        const hanse_job_place *place = &job->places[i];
        if (!is_about(error->message, place))
            continue;
        hanse_error_prefix(error, "%s:%zu:%zu", job->path, place->line,
                           place->column);
        break;
    }
    return status;
}
