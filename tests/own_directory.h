/* SPDX-License-Identifier: Apache-2.0
 *
 * Fixtures: a test, or a group of tests, works in an empty directory of its
 * own, which goes away with all that is in it.
 */
#ifndef HANSE_TESTS_OWN_DIRECTORY_H
#define HANSE_TESTS_OWN_DIRECTORY_H

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* *state is the directory's path until leave_own_directory. */
static inline int enter_own_directory(void **state)
{
    char *directory = strdup(P_tmpdir "/hanse-test-XXXXXX");
    *state = directory;
    return directory == NULL || mkdtemp(directory) == NULL ||
           chdir(directory) != 0;
}

static inline int leave_own_directory(void **state)
{
    char command[PATH_MAX + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
    free(*state);
    return chdir("/") != 0 || system(command) != 0;
}

#endif
