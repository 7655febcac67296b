/* SPDX-License-Identifier: Apache-2.0
 *
 * Scans. A thread takes the next morsels that go together, until none is left.
 */
#include "engine/scan.h"

#include <omp.h>
#include <stdatomic.h>

#include "engine/base/error.h"

typedef struct scanning {
    const hanse_scan *scan;
    size_t n_morsels;
    _Atomic size_t next_morsel;
    _Atomic uint64_t n_rows_done;
    _Atomic uint64_t n_bytes_done;
    _Atomic bool stop;
    hanse_error error; /* of the thread that failed first */
} scanning;

static void fail(scanning *s, hanse_status status, const hanse_error *error)
{
#pragma omp critical(hanse_scan_error)
    {
        if (s->error.status == HANSE_OK) {
            s->error = *error;
            s->error.status = status;
        }
    }
    atomic_store(&s->stop, true);
    if (s->scan->stop != NULL)
        s->scan->stop(s->scan->context);
}

static hanse_status report_progress(scanning *s, hanse_error *error)
{
    const hanse_run_options *options = s->scan->options;
    hanse_source *source = s->scan->source;
    if (options == NULL || options->progress == NULL ||
        omp_get_thread_num() != 0)
        return HANSE_OK;
    if (options->progress(
            options->progress_context, atomic_load(&s->n_rows_done),
            source->ops->n_rows(source), atomic_load(&s->n_bytes_done)))
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_INTERRUPTED, "interrupted");
}

static bool take_span(scanning *s, size_t *morsel, size_t *end)
{
    size_t next = atomic_load(&s->next_morsel);
    do {
        if (next >= s->n_morsels)
            return false;
        *end = hanse_source_span_end(s->scan->source, next);
    } while (!atomic_compare_exchange_weak(&s->next_morsel, &next, *end));
    *morsel = next;
    return true;
}

static hanse_status read_morsel(const hanse_scan *scan, hanse_reader *reader,
                                void *own, size_t morsel, hanse_morsel *rows,
                                hanse_error *error)
{
    if (scan->read != NULL)
        return scan->read(scan->context, own, reader, morsel, rows, error);
    return scan->source->ops->read(reader, morsel, scan->fields, scan->n_fields,
                                   rows, error);
}

static hanse_status read_morsels(scanning *s, hanse_reader *reader, void *own,
                                 hanse_error *error)
{
    const hanse_scan *scan = s->scan;
    size_t morsel, end;
    while (take_span(s, &morsel, &end)) {
        for (; morsel < end; morsel++) {
            hanse_morsel rows;
            if (atomic_load(&s->stop))
                return HANSE_OK;
            HANSE_TRY(read_morsel(scan, reader, own, morsel, &rows, error));
            HANSE_TRY(scan->take(scan->context, own, &rows, error));
            atomic_fetch_add(&s->n_rows_done, rows.batch.n_rows);
            atomic_fetch_add(&s->n_bytes_done, rows.n_bytes);
            HANSE_TRY(report_progress(s, error));
        }
    }
    return HANSE_OK;
}

/* All of one thread's part. */
static hanse_status work(scanning *s, hanse_error *error)
{
    const hanse_scan *scan = s->scan;
    const hanse_source_ops *ops = scan->source->ops;
    hanse_reader *reader = NULL;
    void *own = NULL;
    hanse_status status = HANSE_OK;
    if (scan->open != NULL)
        status = scan->open(scan->context, &own, error);
    if (status == HANSE_OK)
        status = ops->open_reader(scan->source, &reader, error);
    if (status == HANSE_OK) {
        status = read_morsels(s, reader, own, error);
        if (status == HANSE_OK && ops->finish_reader != NULL)
            status = ops->finish_reader(reader, error);
        ops->close_reader(reader);
    }
    if (status == HANSE_OK && scan->finish != NULL && !atomic_load(&s->stop))
        status = scan->finish(scan->context, own, error);
    if (scan->close != NULL)
        scan->close(own);
    return status;
}

hanse_status hanse_scan_run(const hanse_scan *scan, uint64_t *n_bytes,
                            hanse_error *error)
{
    scanning s = {.scan = scan,
                  .n_morsels = scan->source->ops->n_morsels(scan->source)};
#pragma omp parallel num_threads((int)scan->n_threads)
    {
        hanse_error own = {0};
        const hanse_status status = work(&s, &own);
        if (status != HANSE_OK)
            fail(&s, status, &own);
    }
    if (n_bytes != NULL)
        *n_bytes += atomic_load(&s.n_bytes_done);
    if (s.error.status != HANSE_OK && error != NULL)
        *error = s.error;
    return s.error.status;
}

size_t hanse_scan_threads(const hanse_source *source,
                          const hanse_run_options *options)
{
    const size_t n_morsels = source->ops->n_morsels(source);
    size_t n_threads = options != NULL && options->n_threads != 0
                           ? options->n_threads
                           : (size_t)omp_get_max_threads();
    if (n_threads > n_morsels)
        n_threads = n_morsels;
    return n_threads == 0 ? 1 : n_threads;
}
