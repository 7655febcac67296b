/* SPDX-License-Identifier: Apache-2.0
 *
 * The file: HDF5 makes the structure through a driver over the temporary
 * file's descriptor, so that a full disk is an error and not a crash; rows of
 * contiguous tables follow when the library has closed it.
 */
#include "datasets/generate.h"

#include <errno.h>
#include <fcntl.h>
#include <omp.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "datasets/new_file.h"
#include "datasets/tables.h"
#include "engine/base/error.h"
#include "io/hdf5_library.h"
#include "io/result_attributes.h"

/* All that a generation owns; zero-initialised. */
typedef struct generation {
    const hanse_generate_options *options;
    hanse_population *population;
    hanse_links *links; /* NULL: not wanted */
    hanse_atomic_file *atomic;
    hanse_descriptor_target descriptor;
    hanse_table_target target;
    hanse_row_maker makers[2];
    hanse_table_place places[2];
    size_t n_tables;
} generation;

hanse_generate_options hanse_generate_defaults(void)
{
    return (hanse_generate_options){.population = hanse_population_defaults(),
                                    .n_rows = 2000000};
}

static hanse_status check_options(const char *path,
                                  const hanse_generate_options *options,
                                  hanse_error *error)
{
    HANSE_TRY(hanse_storage_check(&options->storage, error));
    if (options->n_rows > HANSE_MAX_ENTERPRISES)
        return hanse_fail(error, HANSE_ERR_ARGUMENT,
                          "number of rows: expected at most %llu, found %llu",
                          (unsigned long long)HANSE_MAX_ENTERPRISES,
                          (unsigned long long)options->n_rows);
    return options->replace ? HANSE_OK : hanse_new_file_check(path, error);
}

static hanse_status make_population(generation *g, hanse_error *error)
{
    const hanse_generate_options *options = g->options;
    g->target.n_threads = options->n_threads > 0 ? (int)options->n_threads
                                                 : omp_get_max_threads();
    HANSE_TRY(
        hanse_population_create(&options->population, &g->population, error));
    g->makers[g->n_tables++] =
        hanse_enterprise_table(g->population, options->n_rows);
    if (!options->links)
        return HANSE_OK;
    HANSE_TRY(hanse_links_create(g->population, options->n_rows,
                                 g->target.n_threads, &g->links, error));
    g->makers[g->n_tables++] = hanse_link_table(g->links);
    return HANSE_OK;
}

static bool put_integer(hid_t file, const char *name, uint64_t value)
{
    return hanse_attribute_put_values(file, name, H5T_NATIVE_UINT64,
                                      H5T_NATIVE_UINT64, 1, &value);
}

static bool put_root_attributes(const generation *g)
{
    const hanse_population_options *options = &g->options->population;
    const hid_t file = g->target.file;
    const char *sector = hanse_sector_name(options->sector);
    return hanse_attribute_put_text(file, "title",
                                    "Synthetic population of enterprises") &&
           hanse_attribute_put_text(file, "source",
                                    "hanse " HANSE_VERSION_STRING
                                    ", hanse generate") &&
           hanse_attribute_put_text(
               file, "comment",
               "Generated at random: no row stands for a real enterprise.") &&
           put_integer(file, "seed", options->seed) &&
           put_integer(file, "clusters", options->n_clusters) &&
           put_integer(file, "chains", options->n_chains) &&
           put_integer(file, "platforms", options->n_platforms) &&
           hanse_attribute_put_text(file, "sectors",
                                    sector != NULL ? sector : "all");
}

/* Structure and attributes of the file, and the rows of chunked tables. The
 * team of threads shares the turn that this one holds. */
static hanse_status write_hdf5(generation *g, hanse_error *error)
{
    hid_t driver;
    HANSE_TRY(hanse_hdf5_start(error));
    g->target.file = hanse_new_file_create(
        g->atomic, &g->descriptor, !g->options->storage.chunked, &driver);
    hanse_status status = HANSE_OK;
    if (g->target.file < 0 || !put_root_attributes(g))
        status = hanse_new_file_fail(g->atomic, &g->descriptor, error);
    for (size_t i = 0; i < g->n_tables && status == HANSE_OK; i++)
        status =
            hanse_table_create(&g->target, &g->makers[i], &g->places[i], error);
    if (g->target.file >= 0 && H5Fclose(g->target.file) < 0 &&
        status == HANSE_OK)
        status = hanse_new_file_fail(g->atomic, &g->descriptor, error);
    if (driver >= 0)
        (void)H5FDunregister(driver);
    if (status == HANSE_OK && g->descriptor.cause != 0)
        status = hanse_new_file_fail(g->atomic, &g->descriptor, error);
    return status;
}

/* Claims the space of the whole file, so that a full disk is found out before
 * the work and not after it. A file system that cannot do so is no failure. */
static hanse_status reserve_space(const generation *g, hanse_error *error)
{
    struct stat status;
    const int descriptor = hanse_atomic_file_descriptor(g->atomic);
    if (fstat(descriptor, &status) != 0)
        return hanse_atomic_file_fail(g->atomic, errno, error);
    if (status.st_size == 0 ||
        fallocate(descriptor, 0, 0, status.st_size) == 0 ||
        (errno != ENOSPC && errno != EDQUOT && errno != EFBIG))
        return HANSE_OK;
    return hanse_atomic_file_fail(g->atomic, errno, error);
}

static hanse_status write_rows(const generation *g, hanse_error *error)
{
    if (g->options->storage.chunked)
        return HANSE_OK;
    HANSE_TRY(reserve_space(g, error));
    for (size_t i = 0; i < g->n_tables; i++)
        HANSE_TRY(hanse_table_fill_contiguous(&g->target, &g->makers[i],
                                              &g->places[i], error));
    return HANSE_OK;
}

static hanse_status write_file(generation *g, const char *path,
                               hanse_error *error)
{
    HANSE_TRY(hanse_atomic_file_open(path, 0600, &g->atomic, error));
    g->descriptor.descriptor = hanse_atomic_file_descriptor(g->atomic);
    g->target.target = &g->descriptor;
    g->target.atomic = g->atomic;
    g->target.storage = &g->options->storage;
    hanse_hdf5_lock();
    const hanse_status status = write_hdf5(g, error);
    hanse_hdf5_unlock();
    HANSE_TRY(status);
    HANSE_TRY(write_rows(g, error));
    return hanse_atomic_file_commit(g->atomic, error);
}

static uint64_t file_bytes(const generation *g)
{
    struct stat status;
    return fstat(g->descriptor.descriptor, &status) == 0
               ? (uint64_t)status.st_size
               : 0;
}

hanse_status hanse_generate_file(const char *path,
                                 const hanse_generate_options *options,
                                 hanse_generate_summary *summary,
                                 hanse_error *error)
{
    generation g = {.options = options};
    hanse_status status = check_options(path, options, error);
    if (status == HANSE_OK)
        status = make_population(&g, error);
    if (status == HANSE_OK)
        status = write_file(&g, path, error);
    if (status == HANSE_OK && summary != NULL)
        *summary = (hanse_generate_summary){
            .n_links = g.links == NULL ? 0 : hanse_links_count(g.links),
            .file_bytes = file_bytes(&g)};
    hanse_atomic_file_close(g.atomic);
    hanse_links_destroy(g.links);
    hanse_population_destroy(g.population);
    return status;
}
