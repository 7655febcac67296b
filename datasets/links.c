/* SPDX-License-Identifier: Apache-2.0
 *
 * Links, window by window. A window's rows are sorted by cluster once
 * (counting sort); a partner at home is then one random index away.
 */
#include "datasets/links.h"

#include <math.h>
#include <stdlib.h>

#include "datasets/tile.h"
#include "engine/base/error.h"

/* One enterprise in ten has no links. The others have k or more with a
 * probability of min(1, (SCALE / (k + 1))^2), a mean of 3.3. */
#define ISOLATED 0.1
#define SCALE    2.4

/* Probability that the partner is sought in the own cluster. */
#define AT_HOME 0.85

#define NO_WINDOW UINT64_MAX

struct hanse_links {
    const hanse_population *population;
    uint64_t n_rows;
    uint64_t n_windows;
    uint64_t *begin; /* first link of each window, and the end of the last */
};

struct hanse_link_window {
    uint64_t number; /* NO_WINDOW: nothing yet */
    uint32_t n_rows;
    uint32_t *first_link; /* of each row, from the window's; n_rows + 1 */
    uint32_t *rank;       /* cluster of each row */
    uint32_t *sorted;     /* rows by cluster */
    uint32_t *end;        /* of each cluster in `sorted` */
};

static uint32_t count_of_row(uint64_t seed, uint64_t row)
{
    const hanse_philox draw =
        hanse_draw(seed, HANSE_PURPOSE_LINK_COUNT, row, 0);
    if (hanse_uniform(draw.word[0]) < ISOLATED)
        return 0;
    const double count = SCALE / sqrt(hanse_uniform(draw.word[1])) - 1.0;
    return count < HANSE_MAX_LINKS_OF_ONE ? (uint32_t)count
                                          : HANSE_MAX_LINKS_OF_ONE;
}

static uint64_t window_begin(uint64_t number)
{
    return number * HANSE_LINK_WINDOW;
}

static uint32_t window_rows(const hanse_links *links, uint64_t number)
{
    const uint64_t left = links->n_rows - window_begin(number);
    return left < HANSE_LINK_WINDOW ? (uint32_t)left : HANSE_LINK_WINDOW;
}

static void count_links(hanse_links *links, int n_threads)
{
    const uint64_t seed = hanse_population_get_options(links->population)->seed;
    uint64_t *begin = links->begin;
    const int64_t n_windows = (int64_t)links->n_windows;
#pragma omp parallel for schedule(static) num_threads(n_threads)
    for (int64_t w = 0; w < n_windows; w++) {
        const uint64_t first = window_begin((uint64_t)w);
        const uint32_t n = window_rows(links, (uint64_t)w);
        uint64_t sum = 0;
        for (uint32_t i = 0; i < n; i++)
            sum += count_of_row(seed, first + i);
        begin[w + 1] = sum;
    }
    for (uint64_t w = 0; w < links->n_windows; w++)
        begin[w + 1] += begin[w];
}

hanse_status hanse_links_create(const hanse_population *population,
                                uint64_t n_rows, int n_threads,
                                hanse_links **out, hanse_error *error)
{
    hanse_links *links = calloc(1, sizeof *links);
    if (links == NULL)
        return hanse_fail_nomem(error, "links", sizeof *links);
    links->population = population;
    /* A population of one row has nobody to link to. */
    links->n_rows = n_rows < 2 ? 0 : n_rows;
    links->n_windows = links->n_rows / HANSE_LINK_WINDOW +
                       (links->n_rows % HANSE_LINK_WINDOW != 0 ? 1 : 0);
    links->begin = calloc(links->n_windows + 1, sizeof *links->begin);
    if (links->begin == NULL) {
        const size_t n = (size_t)links->n_windows + 1;
        free(links);
        return hanse_fail_nomem(error, "windows of links",
                                n * sizeof(uint64_t));
    }
    count_links(links, n_threads);
    *out = links;
    return HANSE_OK;
}

void hanse_links_destroy(hanse_links *links)
{
    if (links == NULL)
        return;
    free(links->begin);
    free(links);
}

uint64_t hanse_links_count(const hanse_links *links)
{
    return links->begin[links->n_windows];
}

hanse_status hanse_link_window_create(const hanse_links *links,
                                      hanse_link_window **out,
                                      hanse_error *error)
{
    const size_t n = HANSE_LINK_WINDOW;
    const size_t n_clusters =
        hanse_population_get_options(links->population)->n_clusters;
    hanse_link_window *window = calloc(1, sizeof *window);
    if (window == NULL)
        return hanse_fail_nomem(error, "window of links", sizeof *window);
    window->number = NO_WINDOW;
    window->first_link = malloc((n + 1) * sizeof *window->first_link);
    window->rank = malloc(n * sizeof *window->rank);
    window->sorted = malloc(n * sizeof *window->sorted);
    window->end = malloc(n_clusters * sizeof *window->end);
    if (window->first_link == NULL || window->rank == NULL ||
        window->sorted == NULL || window->end == NULL) {
        hanse_link_window_destroy(window);
        return hanse_fail_nomem(error, "window of links",
                                (3 * n + n_clusters) * sizeof(uint32_t));
    }
    *out = window;
    return HANSE_OK;
}

void hanse_link_window_destroy(hanse_link_window *window)
{
    if (window == NULL)
        return;
    free(window->first_link);
    free(window->rank);
    free(window->sorted);
    free(window->end);
    free(window);
}

/* Rows of the window by cluster, ascending within one. */
static void sort_rows(hanse_link_window *window, uint32_t n_clusters)
{
    uint32_t *end = window->end;
    for (uint32_t c = 0; c < n_clusters; c++)
        end[c] = 0;
    for (uint32_t i = 0; i < window->n_rows; i++)
        end[window->rank[i]]++;
    uint32_t begin = 0;
    for (uint32_t c = 0; c < n_clusters; c++) {
        const uint32_t count = end[c];
        end[c] = begin;
        begin += count;
    }
    /* Each begin moves to its cluster's end while the rows go in. */
    for (uint32_t i = 0; i < window->n_rows; i++)
        window->sorted[end[window->rank[i]]++] = i;
}

static void enter_window(const hanse_links *links, hanse_link_window *window,
                         uint64_t number)
{
    if (window->number == number)
        return;
    const hanse_population_options *options =
        hanse_population_get_options(links->population);
    const uint64_t first = window_begin(number);
    window->number = number;
    window->n_rows = window_rows(links, number);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < window->n_rows; i++) {
        window->first_link[i] = sum;
        sum += count_of_row(options->seed, first + i);
    }
    window->first_link[window->n_rows] = sum;
    hanse_population_cluster_ranks(links->population, first, window->n_rows,
                                   window->rank);
    sort_rows(window, options->n_clusters);
}

/* Any row but this one. */
static uint64_t partner_anywhere(const hanse_links *links, uint64_t row,
                                 hanse_philox draw)
{
    const uint64_t bits = (uint64_t)draw.word[2] << 32 | draw.word[1];
    const uint64_t other =
        (uint64_t)(((unsigned __int128)bits * (links->n_rows - 1)) >> 64);
    return other < row ? other : other + 1;
}

static uint64_t partner_of(const hanse_links *links,
                           const hanse_link_window *window, uint32_t place,
                           hanse_philox draw)
{
    const uint64_t first = window_begin(window->number);
    const uint32_t rank = window->rank[place];
    const uint32_t begin = rank == 0 ? 0 : window->end[rank - 1];
    const uint32_t n = window->end[rank] - begin;
    if (n < 2 || hanse_uniform(draw.word[0]) >= AT_HOME)
        return partner_anywhere(links, first + place, draw);
    /* One of the n - 1 others: the last stands in for the row itself. */
    const uint32_t pick = begin + hanse_uniform_index(draw.word[1], n - 1);
    const uint32_t other = window->sorted[pick];
    return first + (other == place ? window->sorted[begin + n - 1] : other);
}

/* Share of the information that arrives, 0.01 to 1 in hundredths, low rates
 * being more frequent. */
static float rate_of(uint32_t word)
{
    const double u = hanse_uniform(word);
    return (float)((floor(u * u * 100.0) + 1.0) / 100.0);
}

/* The row of the window that link `link` of the window belongs to: the last
 * one that begins at or before it. */
static uint32_t place_of_link(const hanse_link_window *window, uint32_t link)
{
    uint32_t low = 0;
    uint32_t high = window->n_rows;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (window->first_link[middle] <= link)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static uint64_t window_of_link(const hanse_links *links, uint64_t link)
{
    uint64_t low = 0;
    uint64_t high = links->n_windows;
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        if (links->begin[middle] <= link)
            low = middle;
        else
            high = middle;
    }
    return low;
}

void hanse_links_fill(const hanse_links *links, hanse_link_window *window,
                      uint64_t first, size_t n, int64_t *source,
                      int64_t *target, float *rate)
{
    const uint64_t seed = hanse_population_get_options(links->population)->seed;
    size_t done = 0;
    while (done < n) {
        const uint64_t number = window_of_link(links, first + done);
        enter_window(links, window, number);
        const uint64_t begin = links->begin[number];
        const uint64_t end = links->begin[number + 1];
        uint32_t place =
            place_of_link(window, (uint32_t)(first + done - begin));
        for (; done < n && first + done < end; done++) {
            const uint32_t link = (uint32_t)(first + done - begin);
            while (window->first_link[place + 1] <= link)
                place++;
            const uint64_t row = window_begin(number) + place;
            const hanse_philox draw =
                hanse_draw(seed, HANSE_PURPOSE_LINK, row,
                           link - window->first_link[place]);
            source[done] = (int64_t)row;
            target[done] = (int64_t)partner_of(links, window, place, draw);
            rate[done] = rate_of(draw.word[3]);
        }
    }
}
