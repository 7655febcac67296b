/* SPDX-License-Identifier: Apache-2.0
 *
 * Which morsels are advised, and when.
 */
#include "io/read_ahead.h"

/* On their way at a time, at most: enough for a disk that delivers gigabytes a
 * second after milliseconds, little against the page cache. */
static const uint64_t ahead_bytes = 1 << 25;

/* Bytes of a field that are advised in one go: the system makes larger pages
 * and longer requests of them than of a morsel's share. */
static const uint64_t unit_bytes = 1 << 21;

enum {
    MOST_MORSELS = 256,
    /* Where one morsel is not in the page cache, so many more are not either;
     * they are advised without asking. */
    COLD_MORSELS = 64,
    /* Threads are not so many morsels apart: the table is read once more. */
    RESTART_MORSELS = 1024
};

/* The rows of n morsels, as far as the file has them. */
static hanse_row_range rows_of(const hanse_hdf5_part *part, size_t morsel,
                               size_t n)
{
    const size_t end = part->first_morsel + part->n_morsels;
    hanse_row_range rows = hanse_hdf5_morsel_rows(part, morsel);
    const hanse_row_range last = hanse_hdf5_morsel_rows(
        part, n < end - morsel ? morsel + n - 1 : end - 1);
    rows.n = (size_t)(last.first - rows.first) + last.n;
    return rows;
}

static size_t at_most(uint64_t n, size_t most)
{
    return n < most ? (size_t)n : most;
}

/* Stored bytes of the fields in a morsel, on average. */
static uint64_t morsel_bytes(const hanse_hdf5_part *part, const size_t *fields,
                             size_t n_fields)
{
    const hanse_hdf5_table *table = &part->table;
    double stored = 0;
    for (size_t i = 0; i < n_fields; i++)
        stored += (double)table->columns[part->columns[fields[i]]]
                      .layout.stored_bytes;
    if (table->is_compound)
        stored = (double)table->stored_bytes;
    const double share = (double)part->morsel_rows / (double)table->n_rows;
    return (uint64_t)(stored * (share < 1 ? share : 1)) + 1;
}

/* Advises n morsels. Looks at one field only, another each time: asking costs
 * as much as reading a page. */
static hanse_status advise(hanse_read_ahead *ahead, hanse_raw_fetcher *fetcher,
                           const hanse_hdf5_part *part, size_t morsel, size_t n,
                           const size_t *fields, size_t n_fields,
                           hanse_error *error)
{
    const hanse_row_range rows = rows_of(part, morsel, n);
    if (morsel >= atomic_load(&ahead->cold_end)) {
        bool is_cached;
        HANSE_TRY(hanse_raw_is_cached(
            fetcher, &rows, fields[morsel / n % n_fields], &is_cached, error));
        if (is_cached)
            return HANSE_OK;
        atomic_store(&ahead->cold_end, morsel + COLD_MORSELS);
    }
    return hanse_raw_read_ahead(fetcher, &rows, fields, n_fields, error);
}

hanse_status hanse_read_ahead_of(hanse_read_ahead *ahead,
                                 hanse_raw_fetcher *fetcher,
                                 const hanse_hdf5_part *part, size_t morsel,
                                 const size_t *fields, size_t n_fields,
                                 hanse_error *error)
{
    const size_t end = part->first_morsel + part->n_morsels;
    const uint64_t each = morsel_bytes(part, fields, n_fields);
    const size_t span = part->span_morsels;
    const size_t n = at_most(ahead_bytes / each + 1, MOST_MORSELS) + 2 * span;
    const size_t wished = at_most(n_fields * unit_bytes / each + 1, n);
    /* Whole spans, so that no chunk is advised twice. */
    const size_t unit = (wished + span - 1) / span * span;
    const size_t limit = n < end - morsel ? morsel + n + 1 : end;
    for (;;) {
        size_t next = atomic_load(&ahead->next_morsel);
        size_t from = next;
        if (next < morsel || next > limit + unit + RESTART_MORSELS)
            from = morsel;
        /* Whole units, but for the last. */
        if (from >= limit || (from + unit > limit && limit < end))
            return HANSE_OK;
        if (!atomic_compare_exchange_strong(&ahead->next_morsel, &next,
                                            from + unit))
            continue;
        HANSE_TRY(
            advise(ahead, fetcher, part, from, unit, fields, n_fields, error));
    }
}
