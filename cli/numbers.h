/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers as people read them.
 */
#ifndef HANSE_CLI_NUMBERS_H
#define HANSE_CLI_NUMBERS_H

#include <stdint.h>

/* A number as text, to be passed by value: printf("%s", f(x).text). */
typedef struct hanse_number_text {
    char text[32];
} hanse_number_text;

/* "1,234,567" */
hanse_number_text hanse_format_count(uint64_t count);

/* "12.3 GB", powers of 1000; "517 B" below 1000. */
hanse_number_text hanse_format_bytes(double bytes);

/* "12.3 million" style rates: "45.1 M", "517 k", "93". */
hanse_number_text hanse_format_rate(double per_second);

/* "0.84 s", "2 min 05 s", "3 h 07 min". */
hanse_number_text hanse_format_seconds(double seconds);

/* Seconds of a clock that never goes back. */
double hanse_clock_seconds(void);

#endif
