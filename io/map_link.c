/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening the file, starting whoever answers, and carrying questions there and
 * answers back.
 */
#include "io/map_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/utf8.h"

/* ---- Opening and closing ------------------------------------------------ */

static hanse_file_stamp stamp_of(const struct stat *facts)
{
    return (hanse_file_stamp){.device = facts->st_dev,
                              .inode = facts->st_ino,
                              .size_bytes = (uint64_t)facts->st_size,
                              .changed_ns =
                                  facts->st_mtim.tv_sec * INT64_C(1000000000) +
                                  facts->st_mtim.tv_nsec};
}

/* As the library does: whoever writes an HDF5 file holds a lock on it. On file
 * systems without locks there is nothing to see. */
static bool is_being_written(int descriptor)
{
    const char *wish = getenv("HDF5_USE_FILE_LOCKING");
    if (wish != NULL && (strcmp(wish, "FALSE") == 0 || strcmp(wish, "0") == 0))
        return false;
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

/* O_NONBLOCK: opening a pipe must not wait for a writer. */
static hanse_status open_file(hanse_map_link *link, hanse_file_stamp *stamp,
                              hanse_error *error)
{
    const char *file = link->file;
    struct stat facts;
    link->descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (link->descriptor < 0)
        return hanse_fail(error, HANSE_ERR_IO, "%s: %s", file, strerror(errno));
    if (fstat(link->descriptor, &facts) != 0)
        return hanse_fail(error, HANSE_ERR_IO, "%s: %s", file, strerror(errno));
    if (S_ISDIR(facts.st_mode))
        return hanse_fail(error, HANSE_ERR_IO,
                          "%s: is a directory; name the HDF5 files in it",
                          file);
    if (!S_ISREG(facts.st_mode))
        return hanse_fail(error, HANSE_ERR_IO,
                          "%s: is not a regular file; copy the data to one",
                          file);
    if (is_being_written(link->descriptor))
        return hanse_fail(error, HANSE_ERR_IO,
                          "%s: another program has it open for writing", file);
    *stamp = stamp_of(&facts);
    return HANSE_OK;
}

hanse_status hanse_map_link_open(hanse_map_link *link, const char *file,
                                 const hanse_map_options *options,
                                 hanse_error *error)
{
    *link = (hanse_map_link){
        .descriptor = -1, .shared_file = -1, .process = {.socket = -1}};
    if (options != NULL)
        link->options = *options;
    link->file = strdup(file);
    return link->file != NULL
               ? open_file(link, &link->stamp, error)
               : hanse_fail_nomem(error, "file name", strlen(file) + 1);
}

static void release_shared(hanse_map_link *link)
{
    hanse_budget *budget = link->options.budget;
    if (link->shared != NULL) {
        (void)munmap(link->shared, link->shared_bytes);
        hanse_budget_give_back(budget, link->shared_bytes);
    }
    if (link->shared_file >= 0)
        (void)close(link->shared_file);
    link->shared = NULL;
    link->shared_bytes = 0;
    link->shared_file = -1;
}

void hanse_map_link_rest(hanse_map_link *link)
{
    if (link->process.socket < 0)
        hanse_map_process_stop(&link->process);
    else
        hanse_map_process_leave(&link->process);
    hanse_map_server_destroy(link->server);
    link->server = NULL;
    free(link->table);
    link->table = NULL;
    release_shared(link);
    if (link->descriptor >= 0)
        (void)close(link->descriptor);
    link->descriptor = -1;
}

void hanse_map_link_close(hanse_map_link *link)
{
    hanse_map_link_rest(link);
    hanse_map_process_stop(&link->process);
    free(link->file);
}

/* ---- Shared memory ------------------------------------------------------ */

/* Sealed, so that the child cannot make it smaller under our feet. */
static hanse_status make_shared_file(hanse_map_link *link, hanse_error *error)
{
    if (link->shared_file >= 0)
        return HANSE_OK;
    link->shared_file =
        memfd_create("hanse-values", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (link->shared_file < 0 ||
        fcntl(link->shared_file, F_ADD_SEALS, F_SEAL_SHRINK) != 0)
        return hanse_fail(error, HANSE_ERR_IO, "no shared memory: %s",
                          strerror(errno));
    return HANSE_OK;
}

/* Makes it hold so many bytes; what it held is lost. */
static hanse_status grow_shared(hanse_map_link *link, uint64_t size_bytes,
                                const char *what, hanse_error *error)
{
    hanse_budget *budget = link->options.budget;
    if (size_bytes <= link->shared_bytes)
        return HANSE_OK;
    if (link->shared != NULL) {
        (void)munmap(link->shared, link->shared_bytes);
        hanse_budget_give_back(budget, link->shared_bytes);
        link->shared = NULL;
        link->shared_bytes = 0;
    }
    if (!hanse_budget_take(budget, size_bytes))
        return hanse_fail_budget(error, budget, what, (size_t)size_bytes, 1);
    void *shared = MAP_FAILED;
    if (ftruncate(link->shared_file, (off_t)size_bytes) == 0)
        shared = mmap(NULL, (size_t)size_bytes, PROT_READ | PROT_WRITE,
                      MAP_SHARED, link->shared_file, 0);
    if (shared == MAP_FAILED) {
        hanse_budget_give_back(budget, size_bytes);
        return hanse_fail_nomem(error, what, (size_t)size_bytes);
    }
    link->shared = shared;
    link->shared_bytes = (size_t)size_bytes;
    return HANSE_OK;
}

hanse_status hanse_map_link_share(hanse_map_link *link, uint64_t size_bytes,
                                  const char *what, hanse_error *error)
{
    const hanse_status status = grow_shared(link, size_bytes, what, error);
    if (status != HANSE_OK)
        hanse_error_prefix(error, "%s", link->file);
    return status;
}

/* ---- Asking ------------------------------------------------------------- */

/* Time for what a question needs by its size. */
static uint64_t cpu_seconds(const hanse_map_link *link, uint64_t share)
{
    enum {
        MOST = 3600
    };
    const uint64_t seconds =
        link->options.cpu_seconds != 0 ? link->options.cpu_seconds : 5;
    return seconds + (share < MOST ? share : MOST);
}

/* A child for maps of at most one chunk in 16 bytes of file, and a million
 * that were never written. */
static hanse_status start_child(hanse_map_link *link, hanse_error *error)
{
    const hanse_map_options *options = &link->options;
    const uint64_t file_bytes = link->stamp.size_bytes;
    const uint64_t default_bytes = ((uint64_t)1 << 30) + file_bytes / 16;
    const hanse_process_options process_options = {
        .program = options->program,
        .limits = {.memory_bytes = options->memory_bytes != 0
                                       ? options->memory_bytes
                                       : default_bytes,
                   .cpu_seconds = cpu_seconds(link, file_bytes >> 27)},
        .with_blosc = link->with_blosc,
        .answer_seconds =
            options->answer_seconds != 0 ? options->answer_seconds : 600,
        .answer_bytes = ((uint64_t)16 << 20) + 2 * file_bytes};
    return hanse_map_process_start(&link->process, link->descriptor,
                                   link->shared_file, &process_options, error);
}

static hanse_status start_server(hanse_map_link *link, hanse_error *error)
{
    hanse_hdf5_lock();
    const hanse_status status = hanse_hdf5_start(error);
    hanse_hdf5_unlock();
    HANSE_TRY(status);
    link->server =
        hanse_map_server_create(link->descriptor, link->options.budget);
    return link->server != NULL ? HANSE_OK
                                : hanse_fail_nomem(error, "reader", 0);
}

/* The file is open and still what it was. */
static hanse_status check_file(hanse_map_link *link, hanse_error *error)
{
    struct stat facts;
    hanse_file_stamp stamp;
    if (link->descriptor < 0)
        HANSE_TRY(open_file(link, &stamp, error));
    else if (fstat(link->descriptor, &facts) != 0)
        return hanse_fail(error, HANSE_ERR_IO, "%s: %s", link->file,
                          strerror(errno));
    else
        stamp = stamp_of(&facts);
    if (memcmp(&stamp, &link->stamp, sizeof stamp) == 0)
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_IO,
                      "%s: changed while it was being read; run again when "
                      "nobody writes to it",
                      link->file);
}

static hanse_status start(hanse_map_link *link, hanse_error *error)
{
    if (link->options.is_trusted ? link->server != NULL
                                 : link->process.socket >= 0)
        return HANSE_OK;
    free(link->table);
    link->table = NULL;
    hanse_map_process_stop(&link->process);
    hanse_status status = make_shared_file(link, error);
    if (status == HANSE_OK)
        status = link->options.is_trusted ? start_server(link, error)
                                          : start_child(link, error);
    if (status != HANSE_OK)
        hanse_error_prefix(error, "%s", link->file);
    return status;
}

hanse_status hanse_map_link_ready(hanse_map_link *link, hanse_error *error)
{
    HANSE_TRY(check_file(link, error));
    return start(link, error);
}

/* Words of the child go to people's terminals. */
static void clean(char *text)
{
    if (!hanse_utf8_is_valid(text))
        for (char *p = text; *p != '\0'; p++)
            *p = (unsigned char)*p >= 0x80 ? '?' : *p;
    for (char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            *p = '?';
}

/* The child's own failure, as it tells it. */
static hanse_status pass_on(const hanse_map_link *link, uint64_t status,
                            hanse_cursor *cursor, hanse_error *error)
{
    char *text = hanse_cursor_get_text(cursor, HANSE_ERROR_SIZE - 1);
    hanse_status result = (hanse_status)status;
    if (text != NULL)
        clean(text);
    if (text == NULL || status >= HANSE_STATUS_COUNT)
        result = hanse_fail(error, HANSE_ERR_FORMAT,
                            "%s: damaged or hostile (reader talks nonsense)",
                            link->file);
    else if (result == HANSE_ERR_NOMEM && !link->options.is_trusted)
        result = hanse_fail(
            error, HANSE_ERR_LIMIT,
            "%s: needs more than the %llu MiB that its reader "
            "may use (%s); is it damaged?",
            link->file,
            (unsigned long long)link->process.options.limits.memory_bytes >> 20,
            text);
    else
        hanse_fail(error, result, "%s", text);
    free(text);
    return result;
}

hanse_status hanse_map_link_ask(hanse_map_link *link, hanse_message *question,
                                uint64_t time_share, hanse_message *answer,
                                hanse_cursor *cursor, hanse_error *error)
{
    hanse_status status = HANSE_OK;
    *answer = (hanse_message){0};
    if (question->failed)
        status = hanse_fail_nomem(error, "question", question->n);
    else if (link->options.is_trusted) {
        hanse_cursor request = {.next = question->bytes, .left = question->n};
        hanse_map_server_answer(link->server, &request, link->shared,
                                link->shared_bytes, answer);
        if (answer->failed)
            status = hanse_fail_nomem(error, "answer", answer->n);
    } else {
        status =
            hanse_map_process_ask(&link->process, question, link->shared_bytes,
                                  cpu_seconds(link, time_share), answer, error);
        if (status == HANSE_OK)
            link->level = link->process.level;
    }
    free(question->bytes);
    if (status != HANSE_OK) {
        free(answer->bytes);
        hanse_error_prefix(error, "%s", link->file);
        return status;
    }
    *cursor = (hanse_cursor){.next = answer->bytes, .left = answer->n};
    const uint64_t told = hanse_cursor_get_u64(cursor);
    if (told == HANSE_OK && !cursor->failed)
        return HANSE_OK;
    status = pass_on(link, cursor->failed ? HANSE_STATUS_COUNT : told, cursor,
                     error);
    free(answer->bytes);
    return status;
}
