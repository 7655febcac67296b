/* SPDX-License-Identifier: Apache-2.0
 *
 * make_result PATH [--rows ROWS | --provenance JSON]: writes the sample tables,
 * or a table of so many rows, as a result file for tests in other languages.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/atomic_file.h"
#include "tests/sample_tables.h"

int main(int argc, char **argv)
{
    hanse_error error = {0};
    hanse_status status;
    if (argc != 2 && argc != 4)
        return 2;
    hanse_atomic_file_install_signal_handlers();
    if (argc == 4 && strcmp(argv[2], "--rows") == 0) {
        hanse_table *table =
            sample_create_large(strtoull(argv[3], NULL, 10), 0);
        status = sample_write(argv[1], table, 1, NULL, &error);
        sample_destroy(table);
    } else {
        status = sample_write(argv[1], sample_tables, N_SAMPLE_TABLES,
                              argc == 4 ? argv[3] : "{\"job\": {}}", &error);
    }
    if (status != HANSE_OK)
        fprintf(stderr, "make_result: %s\n", error.message);
    return status == HANSE_OK ? 0 : 1;
}
