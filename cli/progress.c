/* SPDX-License-Identifier: Apache-2.0
 *
 * The progress bar.
 */
#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/numbers.h"

enum {
    DEFAULT_COLUMNS = 80,
    MIN_BAR = 10,
    MAX_BAR = 40,
    RATE_WIDTH = 6,  /* "9.52 M" */
    BYTES_WIDTH = 7, /* "1.80 GB" */
    TIME_WIDTH = 6   /* "12.3 s"; minutes may need more */
};

static const double bar_interval = 0.1; /* seconds */
static const double line_interval = 10.0;

hanse_progress_mode hanse_progress_choose(bool wanted, bool quiet)
{
    if (quiet)
        return HANSE_PROGRESS_NONE;
    const char *terminal = getenv("TERM");
    if (isatty(STDERR_FILENO) && terminal != NULL &&
        strcmp(terminal, "dumb") != 0)
        return HANSE_PROGRESS_BAR;
    return wanted ? HANSE_PROGRESS_LINES : HANSE_PROGRESS_NONE;
}

void hanse_progress_start(hanse_progress *progress, hanse_progress_mode mode)
{
    const double now = hanse_clock_seconds();
    *progress = (hanse_progress){.mode = mode, .start = now, .shown = now};
}

static int terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return DEFAULT_COLUMNS;
}

/* "45 %  12,345,678 rows  45.1 M rows/s  1.80 GB/s  12.3 s left". With
 * `aligned` every figure keeps its place while it grows. */
static void format_facts(char *text, size_t size, bool aligned, double elapsed,
                         uint64_t rows_done, uint64_t n_rows,
                         uint64_t bytes_done)
{
    const int rows_width =
        aligned ? (int)strlen(hanse_format_count(n_rows).text) : 0;
    const int width = aligned ? 1 : 0;
    const double share = n_rows > 0 ? (double)rows_done / (double)n_rows : 1.0;
    const double seconds = elapsed > 1e-6 ? elapsed : 1e-6;
    snprintf(
        text, size, "%3.0f %%  %*s rows  %*s rows/s  %*s/s  %*s left",
        share * 100.0, rows_width, hanse_format_count(rows_done).text,
        width * RATE_WIDTH, hanse_format_rate((double)rows_done / seconds).text,
        width * BYTES_WIDTH,
        hanse_format_bytes((double)bytes_done / seconds).text,
        width * TIME_WIDTH,
        share > 0.0 ? hanse_format_seconds(elapsed * (1.0 - share) / share).text
                    : "?");
}

static void draw_bar(hanse_progress *progress, double share, const char *facts)
{
    const int columns = terminal_columns();
    int width = columns - (int)strlen(facts) - 5;
    char bar[MAX_BAR + 4] = "";
    if (width > MAX_BAR)
        width = MAX_BAR;
    if (width >= MIN_BAR) {
        const int n_full = (int)(share * width + 0.5);
        bar[0] = '[';
        for (int i = 0; i < width; i++)
            bar[1 + i] = i < n_full ? '#' : '.';
        memcpy(bar + 1 + width, "] ", 3);
    }
    /* One write, cut before the last column so that no terminal wraps it. */
    char line[256];
    snprintf(line, sizeof line, "%s%s", bar, facts);
    const int room = columns - 1 < 240 ? columns - 1 : 240;
    fprintf(stderr, "\r%.*s\033[K", room, line);
    fflush(stderr);
    progress->is_drawn = true;
}

void hanse_progress_update(hanse_progress *progress, uint64_t rows_done,
                           uint64_t n_rows, uint64_t bytes_done)
{
    char facts[200];
    if (progress->mode == HANSE_PROGRESS_NONE)
        return;
    const bool is_bar = progress->mode == HANSE_PROGRESS_BAR;
    const double now = hanse_clock_seconds();
    const bool is_end = rows_done >= n_rows;
    if (now - progress->shown < (is_bar ? bar_interval : line_interval) &&
        !(is_end && !is_bar))
        return;
    progress->shown = now;
    format_facts(facts, sizeof facts, is_bar, now - progress->start, rows_done,
                 n_rows, bytes_done);
    if (is_bar)
        draw_bar(progress,
                 n_rows > 0 ? (double)rows_done / (double)n_rows : 1.0, facts);
    else
        fprintf(stderr, "hanse: %s\n", facts + strspn(facts, " "));
}

void hanse_progress_finish(hanse_progress *progress)
{
    if (!progress->is_drawn)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    progress->is_drawn = false;
}
