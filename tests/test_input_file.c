/* SPDX-License-Identifier: Apache-2.0
 *
 * Input files: copied and mapped bytes, files that change or are cut off while
 * they are mapped, and what is known of the page cache.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/input_file.h"
#include "tests/own_directory.h"

enum {
    N_BYTES = 300000
};

static const char name[] = "data";

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 7 + i / 256 + 1);
}

static hanse_file_stamp make_file(void)
{
    uint8_t *bytes = malloc(N_BYTES);
    struct stat facts;
    assert_non_null(bytes);
    for (size_t i = 0; i < N_BYTES; i++)
        bytes[i] = byte_at(i);
    const int descriptor = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, bytes, N_BYTES), N_BYTES);
    assert_int_equal(fstat(descriptor, &facts), 0);
    close(descriptor);
    free(bytes);
    return (hanse_file_stamp){.device = facts.st_dev,
                              .inode = facts.st_ino,
                              .size_bytes = N_BYTES,
                              .changed_ns =
                                  facts.st_mtim.tv_sec * INT64_C(1000000000) +
                                  facts.st_mtim.tv_nsec};
}

static void input_file_read_gives_the_bytes(void **state)
{
    const hanse_file_stamp stamp = make_file();
    hanse_input_file file;
    hanse_error error = {0};
    uint8_t bytes[1000];
    (void)state;
    assert_int_equal(hanse_input_file_open(&file, name, &stamp, false, &error),
                     HANSE_OK);
    assert_null(file.pages.bytes);
    assert_int_equal(
        hanse_input_file_read(&file, 12345, sizeof bytes, bytes, &error),
        HANSE_OK);
    for (size_t i = 0; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], byte_at(12345 + i));
    assert_int_equal(
        hanse_input_file_read(&file, N_BYTES - 10, sizeof bytes, bytes, &error),
        HANSE_ERR_IO);
    assert_non_null(strstr(error.message, "became shorter"));
    hanse_input_file_close(&file);
    hanse_input_file_close(&file);
}

static void input_file_with_another_stamp_is_refused(void **state)
{
    hanse_file_stamp stamp = make_file();
    hanse_input_file file;
    hanse_error error = {0};
    (void)state;
    stamp.changed_ns--;
    assert_int_equal(hanse_input_file_open(&file, name, &stamp, false, &error),
                     HANSE_ERR_IO);
    assert_non_null(strstr(error.message, "changed while it was being read"));
    hanse_input_file_close(&file);
}

/* What was just written lies in the page cache; what was dropped from it does
 * not, and comes back on advice. On a file system in memory nothing goes. */
static void input_file_is_cached_after_advice(void **state)
{
    const hanse_file_stamp stamp = make_file();
    hanse_input_file file;
    hanse_error error = {0};
    (void)state;
    assert_int_equal(hanse_input_file_open(&file, name, &stamp, false, &error),
                     HANSE_OK);
    assert_int_equal(fsync(file.descriptor), 0);
    assert_int_equal(posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_DONTNEED),
                     0);
    hanse_input_file_advise(&file, 0, N_BYTES);
    for (int i = 0; i < 5000; i++) {
        if (hanse_input_file_is_cached(&file, N_BYTES - 1))
            break;
        usleep(1000);
    }
    assert_true(hanse_input_file_is_cached(&file, N_BYTES - 1));
    hanse_input_file_close(&file);
}

static void mapping_without_the_guard_is_refused(void **state)
{
    const hanse_file_stamp stamp = make_file();
    hanse_input_file file;
    hanse_error error = {0};
    (void)state;
    assert_int_equal(hanse_input_file_open(&file, name, &stamp, true, &error),
                     HANSE_OK);
    assert_null(file.pages.bytes);
    hanse_input_file_close(&file);
}

static void mapped_pages_give_the_bytes_and_come_back_when_dropped(void **state)
{
    const hanse_file_stamp stamp = make_file();
    hanse_input_file file;
    hanse_error error = {0};
    (void)state;
    assert_true(hanse_file_pages_guard());
    assert_true(hanse_file_pages_guard());
    assert_int_equal(hanse_input_file_open(&file, name, &stamp, true, &error),
                     HANSE_OK);
    assert_non_null(file.pages.bytes);
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < N_BYTES; i++)
            assert_int_equal(file.pages.bytes[i], byte_at(i));
        hanse_file_pages_drop(&file.pages, 100, N_BYTES - 200);
    }
    assert_false(hanse_file_pages_broken(&file.pages));
    assert_int_equal(hanse_input_file_check(&file, &error), HANSE_OK);
    hanse_input_file_close(&file);
}

static void file_that_is_cut_off_while_mapped_is_an_error(void **state)
{
    const hanse_file_stamp stamp = make_file();
    hanse_input_file file;
    hanse_error error = {0};
    uint64_t sum = 0;
    (void)state;
    assert_true(hanse_file_pages_guard());
    assert_int_equal(hanse_input_file_open(&file, name, &stamp, true, &error),
                     HANSE_OK);
    assert_int_equal(truncate(name, 5000), 0);
    for (size_t i = 20000; i < N_BYTES; i++)
        sum += file.pages.bytes[i];
    assert_int_equal(sum, 0);
    assert_int_equal(file.pages.bytes[4999], byte_at(4999));
    assert_true(hanse_file_pages_broken(&file.pages));
    assert_int_equal(hanse_input_file_check(&file, &error), HANSE_ERR_IO);
    hanse_input_file_close(&file);

    /* The slot is free again and knows nothing of what was. */
    const hanse_file_stamp again = make_file();
    assert_int_equal(hanse_input_file_open(&file, name, &again, true, &error),
                     HANSE_OK);
    assert_false(hanse_file_pages_broken(&file.pages));
    hanse_input_file_close(&file);
}

/* Cut off within a page, no fault tells; the size does. */
static void
file_that_loses_its_last_bytes_while_mapped_is_an_error(void **state)
{
    const hanse_file_stamp stamp = make_file();
    hanse_input_file file;
    hanse_error error = {0};
    (void)state;
    assert_int_equal(hanse_input_file_open(&file, name, &stamp, true, &error),
                     HANSE_OK);
    assert_int_equal(truncate(name, N_BYTES - 1), 0);
    assert_int_equal(file.pages.bytes[N_BYTES - 1], 0);
    assert_false(hanse_file_pages_broken(&file.pages));
    assert_int_equal(hanse_input_file_check(&file, &error), HANSE_ERR_IO);
    hanse_input_file_close(&file);
}

/* Someone else's mapping of a cut off file still ends the process. */
static void faults_elsewhere_are_not_hidden(void **state)
{
    (void)make_file();
    (void)state;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        /* In the place of the test library's handler and the sanitizers'. */
        (void)signal(SIGBUS, SIG_DFL);
        if (!hanse_file_pages_guard())
            _exit(1);
        const int descriptor = open(name, O_RDONLY);
        const uint8_t *bytes =
            mmap(NULL, N_BYTES, PROT_READ, MAP_SHARED, descriptor, 0);
        if (bytes == MAP_FAILED || truncate(name, 0) != 0)
            _exit(1);
        _exit(*(const volatile uint8_t *)(bytes + 50000) == 0 ? 2 : 3);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGBUS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_file_read_gives_the_bytes),
        cmocka_unit_test(input_file_with_another_stamp_is_refused),
        cmocka_unit_test(input_file_is_cached_after_advice),
        cmocka_unit_test(mapping_without_the_guard_is_refused),
        cmocka_unit_test(
            mapped_pages_give_the_bytes_and_come_back_when_dropped),
        cmocka_unit_test(file_that_is_cut_off_while_mapped_is_an_error),
        cmocka_unit_test(
            file_that_loses_its_last_bytes_while_mapped_is_an_error),
        cmocka_unit_test(faults_elsewhere_are_not_hidden),
    };
    return cmocka_run_group_tests(tests, enter_own_directory,
                                  leave_own_directory);
}
