/* SPDX-License-Identifier: Apache-2.0
 *
 * Turns, error texts and the opening of files. The library may be built
 * without thread safety, and with it has a lock of its own and an error stack
 * per thread; one lock of ours covers both cases.
 */
#include "io/hdf5_library.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "io/hdf5_filters.h"

/* The turn, and what the caller's program had set for error output while it is
 * taken. */
static struct {
    pthread_mutex_t mutex;
    H5E_auto2_t print;
    void *print_context;
    bool silenced;
} turn = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void hanse_hdf5_lock(void)
{
    pthread_mutex_lock(&turn.mutex);
    /* Must precede every other call of the library, and fails when it was
     * called before: either way the library stays quiet at exit. */
    (void)H5dont_atexit();
    turn.silenced =
        H5Eget_auto2(H5E_DEFAULT, &turn.print, &turn.print_context) >= 0 &&
        H5Eset_auto2(H5E_DEFAULT, NULL, NULL) >= 0;
}

void hanse_hdf5_unlock(void)
{
    if (turn.silenced)
        (void)H5Eset_auto2(H5E_DEFAULT, turn.print, turn.print_context);
    pthread_mutex_unlock(&turn.mutex);
}

hanse_status hanse_hdf5_start(hanse_error *error)
{
    if (H5open() < 0)
        return hanse_fail(error, HANSE_ERR_IO,
                          "the HDF5 library cannot be started");
    return hanse_hdf5_register_filters(error);
}

/* ---- Error texts -------------------------------------------------------- */

typedef struct cause {
    char *text;
    size_t size_bytes;
} cause;

static herr_t take_first(unsigned n, const H5E_error2_t *entry, void *context)
{
    const cause *c = context;
    if (n == 0 && entry->desc != NULL)
        snprintf(c->text, c->size_bytes, "%s", entry->desc);
    return 0;
}

void hanse_hdf5_cause(char *text, size_t size_bytes)
{
    cause c = {text, size_bytes};
    snprintf(text, size_bytes, "no reason given");
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &c);
    text[strcspn(text, "\n")] = '\0';
}

hanse_status hanse_hdf5_fail(hanse_error *error, const char *what)
{
    char text[256];
    hanse_hdf5_cause(text, sizeof text);
    return hanse_fail(error, HANSE_ERR_FORMAT, "damaged %s: %s", what, text);
}

hanse_status hanse_hdf5_refuse(char *reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, HANSE_REASON_SIZE, format, arguments);
    va_end(arguments);
    return HANSE_OK;
}

/* ---- Files -------------------------------------------------------------- */

static hanse_status check_path(const char *path, hanse_error *error)
{
    struct stat facts;
    if (stat(path, &facts) != 0)
        return hanse_fail(error, HANSE_ERR_IO, "%s: %s", path, strerror(errno));
    if (S_ISDIR(facts.st_mode))
        return hanse_fail(error, HANSE_ERR_IO,
                          "%s: is a directory; name the HDF5 files in it",
                          path);
    if (!S_ISREG(facts.st_mode))
        return hanse_fail(error, HANSE_ERR_IO,
                          "%s: is not a regular file; copy the data to one",
                          path);
    if (access(path, R_OK) != 0)
        return hanse_fail(error, HANSE_ERR_IO, "%s: cannot be read: %s", path,
                          strerror(errno));
    return HANSE_OK;
}

hanse_status hanse_hdf5_fail_open(const char *path, hanse_error *error)
{
    char text[256];
    hanse_hdf5_cause(text, sizeof text);
    if (strstr(text, "unable to lock file") != NULL)
        return hanse_fail(error, HANSE_ERR_IO,
                          "%s: another program has it open for writing (%s)",
                          path, text);
    if (strstr(text, "truncated file") != NULL)
        return hanse_fail(error, HANSE_ERR_FORMAT,
                          "%s: is cut short (%s); copy or write it again", path,
                          text);
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "%s: cannot be opened: %s; the file is damaged or was "
                      "not closed by the program that wrote it",
                      path, text);
}

hanse_status hanse_hdf5_fail_foreign(const char *path, hanse_error *error)
{
    return hanse_fail(error, HANSE_ERR_FORMAT,
                      "%s: is not an HDF5 file; tables in other formats must "
                      "be converted first",
                      path);
}

hanse_status hanse_hdf5_open_file(const char *path, hid_t *out,
                                  hanse_error *error)
{
    HANSE_TRY(check_path(path, error));
    const htri_t is_hdf5 = H5Fis_hdf5(path);
    if (is_hdf5 == 0)
        return hanse_hdf5_fail_foreign(path, error);
    if (is_hdf5 < 0)
        return hanse_hdf5_fail_open(path, error);
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        return hanse_hdf5_fail_open(path, error);
    *out = file;
    return HANSE_OK;
}

/* Called by the library before it follows a link to another file. */
static herr_t refuse_external(const char *parent_file, const char *parent_group,
                              const char *child_file, const char *child_object,
                              unsigned *flags, hid_t access, void *context)
{
    (void)parent_file;
    (void)parent_group;
    (void)child_file;
    (void)child_object;
    (void)flags;
    (void)access;
    (void)context;
    return -1;
}

hid_t hanse_hdf5_open_object(hid_t location, const char *path)
{
    hid_t object = H5I_INVALID_HID;
    const hid_t access = H5Pcreate(H5P_LINK_ACCESS);
    if (access < 0)
        return H5I_INVALID_HID;
    if (H5Pset_elink_cb(access, refuse_external, NULL) >= 0)
        object = H5Oopen(location, path, access);
    (void)H5Pclose(access);
    return object;
}
