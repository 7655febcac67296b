/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers as people read them.
 */
#include "cli/numbers.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

hanse_number_text hanse_format_count(uint64_t count)
{
    char digits[24];
    hanse_number_text out;
    const int n =
        snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    char *end = out.text;
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            *end++ = ',';
        *end++ = digits[i];
    }
    *end = '\0';
    return out;
}

/* Three significant digits or so, with the prefix of the power of 1000. */
static hanse_number_text format_scaled(double value, const char *prefixes,
                                       const char *unit)
{
    hanse_number_text out;
    size_t power = 0;
    while (value >= 999.5 && power + 1 < strlen(prefixes)) {
        value /= 1000.0;
        power++;
    }
    const int n_decimals = power == 0 || value >= 99.95 ? 0
                           : value >= 9.995             ? 1
                                                        : 2;
    const char prefix[] = {prefixes[power], '\0'};
    snprintf(out.text, sizeof out.text, "%.*f%s%s%s", n_decimals, value,
             power > 0 || *unit != '\0' ? " " : "", power > 0 ? prefix : "",
             unit);
    return out;
}

hanse_number_text hanse_format_bytes(double bytes)
{
    return format_scaled(bytes, " kMGTPE", "B");
}

hanse_number_text hanse_format_rate(double per_second)
{
    return format_scaled(per_second, " kMG", "");
}

hanse_number_text hanse_format_seconds(double seconds)
{
    hanse_number_text out;
    if (seconds < 59.95) {
        snprintf(out.text, sizeof out.text, "%.*f s", seconds < 9.995 ? 2 : 1,
                 seconds);
        return out;
    }
    const unsigned long long whole = seconds < 1e15
                                         ? (unsigned long long)(seconds + 0.5)
                                         : 1000000000000000ull;
    if (whole < 3600)
        snprintf(out.text, sizeof out.text, "%llu min %02llu s", whole / 60,
                 whole % 60);
    else
        snprintf(out.text, sizeof out.text, "%llu h %02llu min", whole / 3600,
                 whole / 60 % 60);
    return out;
}

double hanse_clock_seconds(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
