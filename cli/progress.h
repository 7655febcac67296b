/* SPDX-License-Identifier: Apache-2.0
 *
 * Progress of a run on stderr: a bar that is drawn over on a terminal; plain
 * lines now and then where there is none, if asked for.
 */
#ifndef HANSE_CLI_PROGRESS_H
#define HANSE_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum hanse_progress_mode {
    HANSE_PROGRESS_NONE,
    HANSE_PROGRESS_BAR,
    HANSE_PROGRESS_LINES
} hanse_progress_mode;

typedef struct hanse_progress {
    hanse_progress_mode mode;
    double start;  /* seconds, as those below */
    double shown;  /* when something was printed last */
    bool is_drawn; /* a bar stands on the terminal */
} hanse_progress;

/* `wanted`: --progress; `quiet`: --quiet, which wins. A bar needs a terminal
 * that can be drawn on. */
hanse_progress_mode hanse_progress_choose(bool wanted, bool quiet);

void hanse_progress_start(hanse_progress *progress, hanse_progress_mode mode);

/* To be called as often as one likes; prints at most ten times a second (bar)
 * or every ten seconds and at the end (lines). */
void hanse_progress_update(hanse_progress *progress, uint64_t rows_done,
                           uint64_t n_rows, uint64_t bytes_done);

/* Takes the bar away; call before anything else is printed. */
void hanse_progress_finish(hanse_progress *progress);

#endif
