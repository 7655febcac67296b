/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths of tables, part by part. Parts without a character count for nothing.
 */
#include "io/result_paths.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "io/result_values.h"

/* "<folder>/<name>" from malloc, without the slash in the root. */
static char *join(const char *folder, const char *name)
{
    const size_t n = strlen(folder);
    const size_t slash = n == 0 ? 0 : 1;
    char *path = malloc(n + slash + strlen(name) + 1);
    if (path == NULL)
        return NULL;
    memcpy(path, folder, n);
    if (slash != 0)
        path[n] = '/';
    memcpy(path + n + slash, name, strlen(name) + 1);
    return path;
}

/* Takes ownership of both texts, which may be NULL. */
static hanse_status add_folder(hanse_result_paths *paths, char *wanted,
                               char *stored, hanse_error *error)
{
    hanse_result_folder *grown =
        realloc(paths->folders, (paths->n + 1) * sizeof *grown);
    if (grown != NULL)
        paths->folders = grown;
    if (grown == NULL || wanted == NULL || stored == NULL) {
        free(wanted);
        free(stored);
        return hanse_fail_nomem(error, "groups of the result", paths->n);
    }
    grown[paths->n++] =
        (hanse_result_folder){.wanted = wanted, .stored = stored};
    return HANSE_OK;
}

static size_t find_folder(const hanse_result_paths *paths, const char *wanted)
{
    size_t i = 0;
    while (i < paths->n && strcmp(paths->folders[i].wanted, wanted) != 0)
        i++;
    return i;
}

/* A path of a new member of a folder, in paths->path. */
static hanse_status choose_path(hanse_result_paths *paths, size_t folder,
                                const char *wanted, hanse_error *error)
{
    hanse_result_folder *f = &paths->folders[folder];
    HANSE_TRY(hanse_names_add(&f->names, wanted, error));
    char *path = join(f->stored, f->names.names[f->names.n - 1]);
    if (path == NULL)
        return hanse_fail_nomem(error, "path of a table", strlen(wanted));
    free(paths->path);
    paths->path = path;
    return HANSE_OK;
}

/* Makes the group, which a folder of the file then is. */
static hanse_status make_folder(hanse_result_paths *paths, hid_t file,
                                size_t parent, const char *part,
                                hanse_error *error)
{
    HANSE_TRY(choose_path(paths, parent, part, error));
    const hid_t group = hanse_result_create_group(file, paths->path);
    if (group < 0 || H5Gclose(group) < 0)
        return HANSE_ERR_IO;
    char *wanted = join(paths->folders[parent].wanted, part);
    char *stored = strdup(paths->path);
    return add_folder(paths, wanted, stored, error);
}

/* Enters the folder `part` of *folder. */
static hanse_status enter(hanse_result_paths *paths, hid_t file,
                          const char *part, size_t *folder, hanse_error *error)
{
    char *wanted = join(paths->folders[*folder].wanted, part);
    if (wanted == NULL)
        return hanse_fail_nomem(error, "path of a table", strlen(part));
    const size_t found = find_folder(paths, wanted);
    hanse_status status = HANSE_OK;
    if (found == paths->n)
        status = make_folder(paths, file, *folder, part, error);
    free(wanted);
    *folder = found;
    return status;
}

hanse_status hanse_result_paths_init(hanse_result_paths *paths,
                                     const char *const *taken, size_t n,
                                     hanse_error *error)
{
    *paths = (hanse_result_paths){0};
    HANSE_TRY(add_folder(paths, strdup(""), strdup(""), error));
    for (size_t i = 0; i < n; i++)
        HANSE_TRY(hanse_names_add(&paths->folders[0].names, taken[i], error));
    return HANSE_OK;
}

hanse_status hanse_result_paths_add(hanse_result_paths *paths, hid_t file,
                                    const char *wanted, hanse_error *error)
{
    char *parts = strdup(wanted);
    char *rest = parts;
    const char *last = "";
    size_t folder = 0;
    hanse_status status = HANSE_OK;
    if (parts == NULL)
        return hanse_fail_nomem(error, "path of a table", strlen(wanted));
    for (char *part; status == HANSE_OK && (part = strsep(&rest, "/")) != NULL;)
        if (*part != '\0') {
            if (*last != '\0')
                status = enter(paths, file, last, &folder, error);
            last = part;
        }
    if (status == HANSE_OK)
        status = choose_path(paths, folder, last, error);
    free(parts);
    return status;
}

void hanse_result_paths_clear(hanse_result_paths *paths)
{
    for (size_t i = 0; i < paths->n; i++) {
        free(paths->folders[i].wanted);
        free(paths->folders[i].stored);
        hanse_names_clear(&paths->folders[i].names);
    }
    free(paths->folders);
    free(paths->path);
    *paths = (hanse_result_paths){0};
}
