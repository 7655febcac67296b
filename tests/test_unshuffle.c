/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernels that rearrange bytes, of every instruction set of this machine,
 * against their definitions. Inputs and outputs end at unmapped pages; bytes
 * around an output must stay as they were.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/kernels/kernels.h"

enum {
    AREA = 1 << 17,
    MARGIN = 256, /* bytes before an output that are watched */
    POISON = 0xa5
};

static uint8_t *in_end, *out_end; /* unmapped from here on */
static uint8_t expected[AREA];
static uint64_t seed = 4711;

static uint8_t random_byte(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint8_t)(seed >> 40);
}

static uint8_t *guarded_area(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *area = mmap(NULL, AREA + page, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED || mprotect(area + AREA, page, PROT_NONE) != 0)
        return NULL;
    return area + AREA;
}

static int set_up(void **state)
{
    (void)state;
    in_end = guarded_area();
    out_end = guarded_area();
    return in_end == NULL || out_end == NULL;
}

/* An input of so many random bytes that ends at the page. */
static const uint8_t *random_input(size_t n_bytes)
{
    for (size_t i = 1; i <= n_bytes; i++)
        in_end[-(ptrdiff_t)i] = random_byte();
    return in_end - n_bytes;
}

static uint8_t *poisoned_output(size_t n_bytes)
{
    memset(out_end - n_bytes - MARGIN, POISON, n_bytes + MARGIN);
    return out_end - n_bytes;
}

static void check_output(size_t n_bytes)
{
    assert_memory_equal(out_end - n_bytes, expected, n_bytes);
    for (ptrdiff_t i = 1; i <= MARGIN; i++)
        if (out_end[-(ptrdiff_t)n_bytes - i] != POISON)
            fail_msg("byte %d before the output was written", (int)i);
}

/* Calls check for every instruction set. */
static void with_all_kernels(void (*check)(const hanse_kernels *kernels))
{
    for (int cpu = 0; cpu <= (int)hanse_cpu_detect(); cpu++)
        check(hanse_kernels_of((hanse_cpu)cpu));
}

/* Lengths around one, two and three registers, then some longer ones. */
static size_t next_length(size_t n)
{
    return n < 200 ? n + 1 : n + 137;
}

/* ---- Unshuffle ---------------------------------------------------------- */

static void check_unshuffle(const hanse_kernels *kernels, size_t width,
                            size_t n, size_t gap)
{
    const size_t plane = n + gap;
    const size_t in_bytes = n == 0 ? 0 : (width - 1) * plane + n;
    const uint8_t *in = random_input(in_bytes);
    for (size_t i = 0; i < n; i++)
        for (size_t b = 0; b < width; b++)
            expected[i * width + b] = in[b * plane + i];
    kernels->unshuffle(in, plane, width, n, poisoned_output(n * width));
    check_output(n * width);
}

static void check_unshuffle_lengths(const hanse_kernels *kernels)
{
    static const size_t widths[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 16, 20};
    for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++)
        for (size_t n = 0; n <= 800; n = next_length(n)) {
            check_unshuffle(kernels, widths[w], n, 0);
            if (n % 3 == 0)
                check_unshuffle(kernels, widths[w], n, 1 + n % 71);
        }
}

static void unshuffle_of_any_length_restores_elements(void **state)
{
    (void)state;
    with_all_kernels(check_unshuffle_lengths);
}

static void check_unshuffle_widths(const hanse_kernels *kernels)
{
    for (size_t width = 1; width <= 300; width++)
        for (size_t n = 1; n <= 200; n += 33)
            check_unshuffle(kernels, width, n, width % 2);
}

static void unshuffle_of_any_width_restores_elements(void **state)
{
    (void)state;
    with_all_kernels(check_unshuffle_widths);
}

/* ---- Bits --------------------------------------------------------------- */

static void check_unshuffle_bits(const hanse_kernels *kernels)
{
    for (size_t n = 0; n <= 1200; n = next_length(n)) {
        const uint8_t *in = random_input(8 * n);
        memset(expected, 0, 8 * n);
        for (size_t i = 0; i < 8 * n; i++)
            for (size_t k = 0; k < 8; k++)
                expected[i] |=
                    (uint8_t)((in[k * n + i / 8] >> (i % 8) & 1) << k);
        kernels->unshuffle_bits(in, n, poisoned_output(8 * n));
        check_output(8 * n);
    }
}

static void unshuffle_bits_of_any_length_restores_bytes(void **state)
{
    (void)state;
    with_all_kernels(check_unshuffle_bits);
}

/* ---- Fields ------------------------------------------------------------- */

static void check_gather(const hanse_kernels *kernels)
{
    for (size_t width = 1; width <= 20; width++)
        for (size_t row = width; row <= width + 12; row += 4)
            for (size_t n = 0; n <= 500; n = next_length(n)) {
                const size_t in_bytes = n == 0 ? 0 : (n - 1) * row + width;
                const uint8_t *in = random_input(in_bytes);
                for (size_t i = 0; i < n; i++)
                    memcpy(expected + i * width, in + i * row, width);
                kernels->gather(in, row, width, n, poisoned_output(n * width));
                check_output(n * width);
            }
}

static void gather_takes_field_of_each_row(void **state)
{
    (void)state;
    with_all_kernels(check_gather);
}

static void check_byte_swap(const hanse_kernels *kernels)
{
    for (size_t width = 1; width <= 17; width++)
        for (size_t n = 0; n <= 800; n = next_length(n)) {
            const uint8_t *in = random_input(n * width);
            for (size_t i = 0; i < n; i++)
                for (size_t b = 0; b < width; b++)
                    expected[i * width + b] = in[(i + 1) * width - 1 - b];
            kernels->byte_swap(in, width, n, poisoned_output(n * width));
            check_output(n * width);
        }
}

static void byte_swap_turns_elements_around(void **state)
{
    (void)state;
    with_all_kernels(check_byte_swap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unshuffle_of_any_length_restores_elements),
        cmocka_unit_test(unshuffle_of_any_width_restores_elements),
        cmocka_unit_test(unshuffle_bits_of_any_length_restores_bytes),
        cmocka_unit_test(gather_takes_field_of_each_row),
        cmocka_unit_test(byte_swap_turns_elements_around),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
