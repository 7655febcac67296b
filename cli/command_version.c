/* SPDX-License-Identifier: Apache-2.0
 *
 * `hanse version`: what a bug report needs to say.
 */
#include <stdio.h>

#include "cli/command.h"
#include "cli/machine.h"
#include "cli/numbers.h"
#include "cli/options.h"
#include "engine/base/cpu.h"
#include "io/provenance.h"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown"
#endif

int hanse_command_version(int argc, char **argv)
{
    static const hanse_usage usage = {
        .command = "version",
        .operands = "",
        .purpose = "Prints the version, and what the program was built with "
                   "and runs on.",
    };
    hanse_options options;
    hanse_cpu cpu;
    hanse_error error = {0};
    char hdf5[HANSE_HDF5_VERSION_SIZE];
    hanse_options_start(&options, &usage, argc, argv);
    if (hanse_options_next(&options) == HANSE_OPTIONS_STOP)
        return options.exit_status;
    if (options.n_operands > 0)
        return hanse_usage_error("version takes no operand, found '%s'",
                                 options.operands[0]);
    if (hanse_cpu_choose(&cpu, &error) != HANSE_OK)
        return hanse_report_error(&error);
    hanse_hdf5_version(hdf5);
    const size_t n_threads = hanse_machine_threads();
    printf("hanse     %s\n", hanse_version());
    printf("compiler  %s\n", COMPILER);
    printf("HDF5      %s\n", hdf5);
    printf("OpenMP    %d, %zu thread%s by default\n", _OPENMP, n_threads,
           n_threads == 1 ? "" : "s");
    printf("processor %s, %s in use\n", hanse_cpu_name(hanse_cpu_detect()),
           hanse_cpu_name(cpu));
    printf("memory    %s by default\n",
           hanse_format_bytes((double)(hanse_machine_memory() / 4 * 3)).text);
    return HANSE_EXIT_DONE;
}
