/* SPDX-License-Identifier: Apache-2.0
 *
 * `hanse __map`: the confined child, for hanse alone. Its arguments are limits:
 * bytes of memory and seconds of processor time; then "blosc" when it is to
 * decode that.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "io/map_child.h"
#include "io/map_process.h"

static bool read_limit(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0';
}

int hanse_command_map(int argc, char **argv)
{
    hanse_confine_limits limits;
    const bool with_blosc = argc == 4 && strcmp(argv[3], "blosc") == 0;
    if (argc != 3 + with_blosc || !read_limit(argv[1], &limits.memory_bytes) ||
        !read_limit(argv[2], &limits.cpu_seconds) ||
        fcntl(HANSE_CHILD_SOCKET, F_GETFD) < 0)
        return hanse_usage_error("'__map' is for hanse alone");
    _exit(hanse_map_child_run(&limits, with_blosc));
}
