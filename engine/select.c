/* SPDX-License-Identifier: Apache-2.0
 *
 * One or two ranks among many numbers are found with a sample (Floyd and
 * Rivest 1975): two numbers of it enclose the rank in all likelihood, and one
 * look at all numbers counts those below and copies those in between. Where
 * the sample misled, and for many ranks, all numbers are counted.
 *
 * Selection by counting: the range of the numbers is cut into up to 2048 bins,
 * the numbers in the bin of the rank are copied and the same is done with
 * them. Each round divides the range by the number of bins, so a few rounds are
 * the most, and in nearly all cases the second has few numbers left. The first
 * round's counts serve all ranks.
 */
#include "engine/select.h"

#include <string.h>

enum {
    BIN_BITS = 11,
    FEW = 32,
    SAMPLE_STEP = 32,
    FEWEST_TO_SAMPLE = 4096,
    LARGEST_PIECE = 512
};

void hanse_selection_init(hanse_selection *selection, hanse_budget *budget)
{
    memset(selection, 0, sizeof *selection);
    selection->budget = budget;
}

void hanse_selection_clear(hanse_selection *selection)
{
    hanse_free(selection->budget, selection->room, selection->room_size,
               sizeof *selection->room);
    hanse_selection_init(selection, selection->budget);
}

static void sort_few(int64_t *numbers, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const int64_t number = numbers[i];
        size_t at = i;
        for (; at > 0 && numbers[at - 1] > number; at--)
            numbers[at] = numbers[at - 1];
        numbers[at] = number;
    }
}

/* Fewer bins for few numbers: looking through them costs, too. */
static int shift_of(int64_t low, int64_t high, size_t n)
{
    const int bits = n > 8192 ? BIN_BITS : n > 512 ? 8 : 6;
    if (low == high)
        return 0;
    const int width = 64 - __builtin_clzll((uint64_t)high - (uint64_t)low);
    return width > bits ? width - bits : 0;
}

static inline size_t bin_of(int64_t number, int64_t low, int shift)
{
    return (size_t)(((uint64_t)number - (uint64_t)low) >> shift);
}

static void widen_range(const int64_t *numbers, size_t n, int64_t *low,
                        int64_t *high)
{
    int64_t a = *low, b = *high;
    for (size_t i = 0; i < n; i++) {
        a = numbers[i] < a ? numbers[i] : a;
        b = numbers[i] > b ? numbers[i] : b;
    }
    *low = a;
    *high = b;
}

static size_t n_bins(int64_t low, int64_t high, int shift)
{
    return bin_of(high, low, shift) + 1;
}

size_t hanse_selection_begin(hanse_selection *s, const hanse_piece *pieces,
                             size_t n_pieces, size_t n_ranks)
{
    s->pieces = pieces;
    s->n_pieces = n_pieces;
    s->n_ranks = n_ranks;
    s->is_counted = false;
    s->n = 0;
    for (size_t p = 0; p < n_pieces; p++)
        s->n += pieces[p].n;
    return s->n;
}

/* The counts of the first round, for all ranks. */
static void count_all(hanse_selection *s)
{
    s->low = INT64_MAX;
    s->high = INT64_MIN;
    for (size_t p = 0; p < s->n_pieces; p++)
        widen_range(s->pieces[p].numbers, s->pieces[p].n, &s->low, &s->high);
    s->shift = shift_of(s->low, s->high, s->n);
    memset(s->first, 0, n_bins(s->low, s->high, s->shift) * sizeof s->first[0]);
    for (size_t p = 0; p < s->n_pieces; p++)
        for (size_t i = 0; i < s->pieces[p].n; i++)
            s->first[bin_of(s->pieces[p].numbers[i], s->low, s->shift)]++;
    s->is_counted = true;
}

/* Copies the numbers of a bin to `to`, which has room for them; where to and
 * numbers are the same it moves them down. */
static size_t pick(const int64_t *numbers, size_t n, int64_t low, int shift,
                   size_t bin, int64_t *to, size_t room)
{
    size_t n_picked = 0;
    for (size_t i = 0; i < n && n_picked < room; i++) {
        const int64_t number = numbers[i];
        to[n_picked] = number; /* overwritten by the next if it is not in it */
        n_picked += bin_of(number, low, shift) == bin;
    }
    return n_picked;
}

/* The largest number of bin `bin`, and the smallest above that bin. */
static void look_around(const int64_t *numbers, size_t n, int64_t low,
                        int shift, size_t bin, int64_t *largest,
                        int64_t *smallest)
{
    for (size_t i = 0; i < n; i++) {
        const int64_t number = numbers[i];
        const size_t at = bin_of(number, low, shift);
        if (at == bin)
            *largest = number > *largest ? number : *largest;
        else if (at > bin)
            *smallest = number < *smallest ? number : *smallest;
    }
}

/* Among numbers that may be moved. */
static void find_here(hanse_selection *s, int64_t *numbers, size_t n,
                      size_t rank, int64_t *out, int64_t *next)
{
    const bool wants_next = rank + 1 < n;
    while (n > FEW) {
        int64_t low = INT64_MAX, high = INT64_MIN;
        widen_range(numbers, n, &low, &high);
        const int shift = shift_of(low, high, n);
        memset(s->bins, 0, n_bins(low, high, shift) * sizeof s->bins[0]);
        for (size_t i = 0; i < n; i++)
            s->bins[bin_of(numbers[i], low, shift)]++;
        size_t bin = 0;
        for (; rank >= s->bins[bin]; bin++)
            rank -= s->bins[bin];
        if (wants_next && rank + 1 == s->bins[bin]) {
            *out = INT64_MIN;
            *next = INT64_MAX;
            look_around(numbers, n, low, shift, bin, out, next);
            return;
        }
        if (shift == 0) {
            *out = *next = low + (int64_t)bin;
            return;
        }
        n = pick(numbers, n, low, shift, bin, numbers, s->bins[bin]);
    }
    sort_few(numbers, n);
    *out = numbers[rank];
    *next = wants_next ? numbers[rank + 1] : numbers[rank];
}

static hanse_status find_few(hanse_selection *s, size_t rank, int64_t *out,
                             int64_t *next)
{
    int64_t few[FEW];
    size_t n = 0;
    for (size_t p = 0; p < s->n_pieces; p++)
        for (size_t i = 0; i < s->pieces[p].n; i++)
            few[n++] = s->pieces[p].numbers[i];
    find_here(s, few, n, rank, out, next);
    return HANSE_OK;
}

static hanse_status make_room(hanse_selection *s, size_t n, hanse_error *error)
{
    if (n <= s->room_size)
        return HANSE_OK;
    int64_t *room = hanse_allocate(s->budget, n, sizeof *room);
    if (room == NULL)
        return hanse_fail_budget(error, s->budget, "selection of quantiles", n,
                                 sizeof *room);
    hanse_free(s->budget, s->room, s->room_size, sizeof *room);
    s->room = room;
    s->room_size = n;
    return HANSE_OK;
}

/* ---- With a sample ------------------------------------------------------ */

/* Every SAMPLE_STEP-th number of each piece, from the middle of the step. */
static size_t take_sample(const hanse_selection *s, int64_t *out, size_t room)
{
    size_t n = 0, place = SAMPLE_STEP / 2;
    for (size_t p = 0; p < s->n_pieces; p++) {
        for (; place < s->pieces[p].n && n < room; place += SAMPLE_STEP)
            out[n++] = s->pieces[p].numbers[place];
        place -= s->pieces[p].n;
    }
    return n;
}

/* Two numbers that enclose the rank, and very likely the next: four standard
 * deviations of a sample's rank on either side. *n_expected: about how many
 * lie between them. */
static hanse_status enclose(hanse_selection *s, size_t rank, int64_t *low,
                            int64_t *high, size_t *n_expected,
                            hanse_error *error)
{
    const size_t room = s->n / SAMPLE_STEP + 1;
    int64_t unused;
    HANSE_TRY(make_room(s, room, error));
    const size_t n = take_sample(s, s->room, room);
    size_t margin = 4;
    while (margin * margin < 4 * n)
        margin++;
    const size_t middle = (size_t)((double)rank / (double)s->n * (double)n);
    *low = INT64_MIN;
    *high = INT64_MAX;
    *n_expected = s->n / (n + 1) * 2 * (margin + 1);
    if (middle > margin)
        find_here(s, s->room, n, middle - margin, low, &unused);
    /* The numbers may have been moved. */
    const size_t n_again = take_sample(s, s->room, room);
    if (middle + margin < n_again)
        find_here(s, s->room, n_again, middle + margin, high, &unused);
    return HANSE_OK;
}

/* The numbers from low to high to the room; false when they do not fit. */
static bool pick_between(hanse_selection *s, int64_t low, int64_t high,
                         size_t *n_below, size_t *n_between)
{
    size_t below = 0, n = 0;
    for (size_t p = 0; p < s->n_pieces; p++) {
        const int64_t *numbers = s->pieces[p].numbers;
        int64_t *room = s->room + n;
        size_t n_here = 0;
        if (s->pieces[p].n > s->room_size - n)
            return false;
        for (size_t i = 0; i < s->pieces[p].n; i++) {
            const int64_t number = numbers[i];
            room[n_here] = number;
            below += number < low;
            n_here += (number >= low) & (number <= high);
        }
        n += n_here;
    }
    *n_below = below;
    *n_between = n;
    return true;
}

/* *found: whether the sample led to the result. */
static hanse_status find_by_sample(hanse_selection *s, size_t rank,
                                   bool wants_next, int64_t *out, int64_t *next,
                                   bool *found, hanse_error *error)
{
    int64_t low, high;
    size_t n_below, n_between, n_expected;
    *found = false;
    HANSE_TRY(enclose(s, rank, &low, &high, &n_expected, error));
    HANSE_TRY(make_room(s, 2 * n_expected + LARGEST_PIECE, error));
    if (!pick_between(s, low, high, &n_below, &n_between) || rank < n_below ||
        rank - n_below + wants_next >= n_between)
        return HANSE_OK;
    find_here(s, s->room, n_between, rank - n_below, out, next);
    *found = true;
    return HANSE_OK;
}

/* ---- Finding ------------------------------------------------------------ */

hanse_status hanse_selection_find(hanse_selection *s, size_t rank, int64_t *out,
                                  int64_t *next, hanse_error *error)
{
    int64_t unused;
    const bool wants_next = next != NULL && rank + 1 < s->n;
    next = next == NULL ? &unused : next;
    if (s->n <= FEW)
        return find_few(s, rank, out, next);
    if (s->n >= FEWEST_TO_SAMPLE && s->n_ranks <= 2 && !s->is_counted) {
        bool found;
        HANSE_TRY(
            find_by_sample(s, rank, wants_next, out, next, &found, error));
        if (found)
            return HANSE_OK;
    }
    if (!s->is_counted)
        count_all(s);
    size_t bin = 0;
    for (; rank >= s->first[bin]; bin++)
        rank -= s->first[bin];
    if (wants_next && rank + 1 == s->first[bin]) {
        *out = INT64_MIN;
        *next = INT64_MAX;
        for (size_t p = 0; p < s->n_pieces; p++)
            look_around(s->pieces[p].numbers, s->pieces[p].n, s->low, s->shift,
                        bin, out, next);
        return HANSE_OK;
    }
    if (s->shift == 0) {
        *out = *next = s->low + (int64_t)bin;
        return HANSE_OK;
    }
    HANSE_TRY(make_room(s, s->first[bin], error));
    size_t n = 0;
    for (size_t p = 0; p < s->n_pieces; p++)
        n += pick(s->pieces[p].numbers, s->pieces[p].n, s->low, s->shift, bin,
                  s->room + n, s->first[bin] - n);
    find_here(s, s->room, n, rank, out, next);
    return HANSE_OK;
}
