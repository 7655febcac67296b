/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the tables of a result file go: "by_cluster" is a group of the root,
 * "flows/by_cluster" one of the group `flows`, which is made when it is first
 * needed. Every part gets a valid name that is unique in its group.
 */
#ifndef HANSE_IO_RESULT_PATHS_H
#define HANSE_IO_RESULT_PATHS_H

#include <hdf5.h>

#include "io/result_names.h"

/* A group that holds tables. */
typedef struct hanse_result_folder {
    char *wanted; /* as tables name it: "flows"; "" is the root */
    char *stored; /* its path in the file */
    hanse_names names;
} hanse_result_folder;

/* Initialise with hanse_result_paths_init, free with hanse_result_paths_clear,
 * whether that succeeded or not. */
typedef struct hanse_result_paths {
    hanse_result_folder *folders; /* the first one is the root */
    size_t n;
    char *path; /* made last */
} hanse_result_paths;

/* The root, in which `taken` names, n of them, are taken from the start. */
hanse_status hanse_result_paths_init(hanse_result_paths *paths,
                                     const char *const *taken, size_t n,
                                     hanse_error *error);

/* Chooses the path of a table in the file and makes the groups above it.
 * paths->path is that path until the next call. HANSE_ERR_IO when the library
 * fails; the message is then the caller's to write. */
hanse_status hanse_result_paths_add(hanse_result_paths *paths, hid_t file,
                                    const char *wanted, hanse_error *error);

void hanse_result_paths_clear(hanse_result_paths *paths);

#endif
