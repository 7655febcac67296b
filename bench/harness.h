/* SPDX-License-Identifier: Apache-2.0
 *
 * Google Benchmark for C. A case is a function that repeats its work while
 * hanse_bench_continue says so, and then states how much one repetition was:
 *
 *     static void sum(hanse_bench_state *state, const void *context)
 *     {
 *         const table *t = prepare(context);           not timed
 *         while (hanse_bench_continue(state))
 *             hanse_bench_keep(sum_of(t));             timed
 *         hanse_bench_set_rows(state, t->n_rows);
 *     }
 *
 * Wall clock time is measured, because cases use threads and processes.
 */
#ifndef HANSE_BENCH_HARNESS_H
#define HANSE_BENCH_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hanse_bench_state hanse_bench_state;
typedef void hanse_bench_function(hanse_bench_state *state,
                                  const void *context);

/* Takes the library's own options (--benchmark_...) out of argv. */
void hanse_bench_init(int *argc, char **argv);

/* A line of the context that stands above the results and in the JSON. */
void hanse_bench_add_context(const char *key, const char *value);

/* Registers a case. Its name and the context_bytes bytes at `context`, which
 * every call of the function gets as they are now, are copied. */
void hanse_bench_add(const char *name, hanse_bench_function *function,
                     const void *context, size_t context_bytes);

/* Runs the cases that the options select; returns how many did run. */
size_t hanse_bench_run(void);

/* ---- Inside a case ------------------------------------------------------ */

bool hanse_bench_continue(hanse_bench_state *state);

/* Ends the case as failed; only before or instead of its loop's next turn. The
 * message is copied. */
void hanse_bench_fail(hanse_bench_state *state, const char *message);

/* Of one repetition, after the loop: rows for rows/s, bytes for GB/s. */
void hanse_bench_set_rows(hanse_bench_state *state, uint64_t n_rows);
void hanse_bench_set_bytes(hanse_bench_state *state, uint64_t n_bytes);

/* Another figure of the case, as it is. */
void hanse_bench_set_counter(hanse_bench_state *state, const char *name,
                             double value);

/* What this points at must be in memory as the program says. */
static inline void hanse_bench_keep(const void *result)
{
    __asm__ volatile("" : : "g"(result) : "memory");
}

#ifdef __cplusplus
}
#endif

#endif
