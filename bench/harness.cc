// SPDX-License-Identifier: Apache-2.0
//
// The C++ side of harness.h, the only C++ of the project.
#include "bench/harness.h"

#include <benchmark/benchmark.h>

#include <vector>

static benchmark::State &of(hanse_bench_state *state)
{
    return *reinterpret_cast<benchmark::State *>(state);
}

void hanse_bench_init(int *argc, char **argv)
{
    benchmark::Initialize(argc, argv);
}

void hanse_bench_add_context(const char *key, const char *value)
{
    benchmark::AddCustomContext(key, value);
}

void hanse_bench_add(const char *name, hanse_bench_function *function,
                     const void *context, size_t context_bytes)
{
    const char *begin = static_cast<const char *>(context);
    const std::vector<char> copy(begin, begin + context_bytes);
    benchmark::RegisterBenchmark(
        name,
        [=](benchmark::State &state) {
            function(reinterpret_cast<hanse_bench_state *>(&state),
                     copy.data());
        })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
}

size_t hanse_bench_run(void)
{
    const size_t n_run = benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return n_run;
}

bool hanse_bench_continue(hanse_bench_state *state)
{
    return of(state).KeepRunning();
}

void hanse_bench_fail(hanse_bench_state *state, const char *message)
{
    of(state).SkipWithError(message);
}

void hanse_bench_set_rows(hanse_bench_state *state, uint64_t n_rows)
{
    of(state).SetItemsProcessed(of(state).iterations() *
                                static_cast<int64_t>(n_rows));
}

void hanse_bench_set_bytes(hanse_bench_state *state, uint64_t n_bytes)
{
    of(state).SetBytesProcessed(of(state).iterations() *
                                static_cast<int64_t>(n_bytes));
}

void hanse_bench_set_counter(hanse_bench_state *state, const char *name,
                             double value)
{
    of(state).counters[name] = value;
}
