/* SPDX-License-Identifier: Apache-2.0
 *
 * The input files of a job: patterns to names.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/error.h"
#include "io/job.h"

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted by bytes: the order of rows must not depend on the locale. */
static hanse_status expand_pattern(const char *pattern, hanse_text_list *out,
                                   hanse_error *error)
{
    glob_t found;
    hanse_status status = HANSE_OK;
    switch (glob(pattern, GLOB_NOSORT, NULL, &found)) {
    case 0:
        break;
    case GLOB_NOMATCH:
        return hanse_fail(error, HANSE_ERR_IO,
                          "no file matches '%s'; check the pattern and the "
                          "directory",
                          pattern);
    case GLOB_NOSPACE:
        return hanse_fail_nomem(error, "input files", strlen(pattern));
    default:
        return hanse_fail(error, HANSE_ERR_IO, "cannot expand '%s': %s",
                          pattern, strerror(errno));
    }
    qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv,
          compare_texts);
    for (size_t i = 0; status == HANSE_OK && i < found.gl_pathc; i++)
        status = hanse_text_list_add(out, found.gl_pathv[i], error);
    globfree(&found);
    return status;
}

/* Device and inode of an input file, with its place in the list. */
typedef struct identity {
    dev_t device;
    ino_t inode;
    size_t index;
} identity;

static int compare_identities(const void *a, const void *b)
{
    const identity *x = a;
    const identity *y = b;
    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    if (x->inode != y->inode)
        return x->inode < y->inode ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

/* A file named twice, by overlapping patterns or links, would count twice
 * without a sign of it in the result. Files that cannot be looked at are left
 * to whoever opens them. */
static hanse_status check_distinct(const hanse_text_list *files,
                                   hanse_error *error)
{
    identity *seen = malloc((files->n + 1) * sizeof *seen);
    if (seen == NULL)
        return hanse_fail_nomem(error, "input files", files->n * sizeof *seen);
    size_t n = 0;
    for (size_t i = 0; i < files->n; i++) {
        struct stat status;
        if (stat(files->items[i], &status) == 0)
            seen[n++] = (identity){status.st_dev, status.st_ino, i};
    }
    qsort(seen, n, sizeof *seen, compare_identities);
    hanse_status status = HANSE_OK;
    for (size_t i = 1; status == HANSE_OK && i < n; i++)
        if (seen[i].device == seen[i - 1].device &&
            seen[i].inode == seen[i - 1].inode)
            status = hanse_fail(
                error, HANSE_ERR_SPEC,
                "input files '%s' and '%s' are the same file, whose rows "
                "would count twice; name it once",
                files->items[seen[i - 1].index], files->items[seen[i].index]);
    free(seen);
    return status;
}

hanse_status hanse_job_expand_files(const hanse_job *job, hanse_text_list *out,
                                    hanse_error *error)
{
    hanse_text_list list = {NULL, 0};
    hanse_status status = HANSE_OK;
    if (job->files.n == 0)
        return hanse_fail(error, HANSE_ERR_SPEC,
                          "no input file; name one, or give 'files' under "
                          "'input' in the job");
    for (size_t i = 0; status == HANSE_OK && i < job->files.n; i++) {
        const char *pattern = job->files.items[i];
        struct stat exists;
        /* A file whose name holds wildcards is itself before a pattern. */
        if (strpbrk(pattern, "*?[") == NULL || stat(pattern, &exists) == 0)
            status = hanse_text_list_add(&list, pattern, error);
        else
            status = expand_pattern(pattern, &list, error);
    }
    if (status == HANSE_OK)
        status = check_distinct(&list, error);
    if (status != HANSE_OK) {
        hanse_text_list_clear(&list);
        return status;
    }
    *out = list;
    return HANSE_OK;
}
