/* SPDX-License-Identifier: Apache-2.0
 *
 * Who the enterprises are: cluster, chain, platform, sector, state. The three
 * keys are drawn from power laws; a cluster has a sector, a platform and three
 * chains of its own, which its enterprises mostly share.
 */
#include "datasets/population.h"

#include <stdlib.h>
#include <string.h>

#include "datasets/tile.h"
#include "datasets/zipf.h"
#include "engine/base/error.h"

/* Exponents of the power laws over ranks. */
#define CLUSTER_EXPONENT  1.0
#define CHAIN_EXPONENT    0.8
#define PLATFORM_EXPONENT 1.2

/* Probability that an enterprise takes its cluster's chain, platform, sector
 * and not one drawn from all; that it is active. */
#define CHAIN_AT_HOME    0.7
#define PLATFORM_AT_HOME 0.5
#define SECTOR_AT_HOME   0.9
#define ACTIVE           0.95

/* Deviation of the clusters' shifts of the log size. */
#define CLUSTER_DEVIATION 0.35

enum {
    N_HOME_CHAINS = 3
};

/* A key: ranks by frequency, and which code has which rank. */
typedef struct code_book {
    hanse_zipf zipf;
    int32_t *code; /* 1 to zipf.n, a permutation */
} code_book;

typedef struct cluster_profile {
    double shift; /* of the logarithm of its enterprises' sizes */
    int16_t chain[N_HOME_CHAINS];
    int16_t platform;
    uint8_t sector;
} cluster_profile;

struct hanse_population {
    hanse_population_options options;
    code_book clusters;
    code_book chains;
    code_book platforms;
    cluster_profile *profile; /* by rank of the cluster */
};

static const char *const sector_names[HANSE_SECTOR_COUNT] = {
    "manufacturing", "energy", "medical"};

const char *hanse_sector_name(hanse_sector sector)
{
    return sector < HANSE_SECTOR_COUNT ? sector_names[sector] : NULL;
}

bool hanse_sector_parse(const char *name, hanse_sector *out)
{
    for (int i = 0; i < HANSE_SECTOR_COUNT; i++) {
        if (strcmp(name, sector_names[i]) == 0) {
            *out = (hanse_sector)i;
            return true;
        }
    }
    return false;
}

hanse_population_options hanse_population_defaults(void)
{
    return (hanse_population_options){.seed = 1,
                                      .n_clusters = 1000,
                                      .n_chains = 100,
                                      .n_platforms = 50,
                                      .sector = HANSE_SECTOR_COUNT};
}

static void code_book_clear(code_book *book)
{
    hanse_zipf_clear(&book->zipf);
    free(book->code);
    book->code = NULL;
}

/* Codes 1 to n in random order (Fisher and Yates); `kind` tells the books of
 * one seed apart. */
static hanse_status code_book_init(code_book *book, uint32_t n, double exponent,
                                   uint64_t seed, uint32_t kind,
                                   hanse_error *error)
{
    HANSE_TRY(hanse_zipf_init(&book->zipf, n, exponent, error));
    book->code = malloc(n * sizeof *book->code);
    if (book->code == NULL)
        return hanse_fail_nomem(error, "codes", n * sizeof *book->code);
    for (uint32_t i = 0; i < n; i++)
        book->code[i] = (int32_t)i + 1;
    for (uint32_t i = n - 1; i > 0; i--) {
        const hanse_philox draw =
            hanse_draw(seed, HANSE_PURPOSE_CODES, i, kind);
        const uint32_t j = hanse_uniform_index(draw.word[0], i + 1);
        const int32_t kept = book->code[i];
        book->code[i] = book->code[j];
        book->code[j] = kept;
    }
    return HANSE_OK;
}

static int32_t code_of(const code_book *book, double u)
{
    return book->code[hanse_zipf_rank(&book->zipf, u)];
}

/* Sectors' shares: 60, 15 and 25 of a hundred. */
static uint8_t sector_of(double u)
{
    return u < 0.60   ? HANSE_SECTOR_MANUFACTURING
           : u < 0.75 ? HANSE_SECTOR_ENERGY
                      : HANSE_SECTOR_MEDICAL;
}

static void fill_profile(const hanse_population *population, uint32_t rank,
                         cluster_profile *profile)
{
    const uint64_t seed = population->options.seed;
    const hanse_philox chains =
        hanse_draw(seed, HANSE_PURPOSE_CLUSTER, rank, 0);
    const hanse_philox rest = hanse_draw(seed, HANSE_PURPOSE_CLUSTER, rank, 1);
    for (size_t i = 0; i < N_HOME_CHAINS; i++)
        profile->chain[i] = (int16_t)code_of(&population->chains,
                                             hanse_uniform(chains.word[i]));
    profile->platform =
        (int16_t)code_of(&population->platforms, hanse_uniform(rest.word[0]));
    profile->sector = sector_of(hanse_uniform(rest.word[1]));
    profile->shift =
        CLUSTER_DEVIATION * hanse_normal_quantile(hanse_uniform(rest.word[2]));
}

static hanse_status check_range(const char *what, uint32_t n, uint32_t limit,
                                hanse_error *error)
{
    if (n >= 1 && n <= limit)
        return HANSE_OK;
    return hanse_fail(error, HANSE_ERR_ARGUMENT,
                      "number of %s: expected 1 to %u, found %u", what,
                      (unsigned)limit, (unsigned)n);
}

static hanse_status check_options(const hanse_population_options *options,
                                  hanse_error *error)
{
    HANSE_TRY(check_range("clusters", options->n_clusters, HANSE_MAX_CLUSTERS,
                          error));
    HANSE_TRY(
        check_range("chains", options->n_chains, HANSE_MAX_CHAINS, error));
    return check_range("platforms", options->n_platforms, HANSE_MAX_PLATFORMS,
                       error);
}

static hanse_status fill_tables(hanse_population *population,
                                hanse_error *error)
{
    const hanse_population_options *options = &population->options;
    HANSE_TRY(code_book_init(&population->clusters, options->n_clusters,
                             CLUSTER_EXPONENT, options->seed, 0, error));
    HANSE_TRY(code_book_init(&population->chains, options->n_chains,
                             CHAIN_EXPONENT, options->seed, 1, error));
    HANSE_TRY(code_book_init(&population->platforms, options->n_platforms,
                             PLATFORM_EXPONENT, options->seed, 2, error));
    population->profile =
        calloc(options->n_clusters, sizeof *population->profile);
    if (population->profile == NULL)
        return hanse_fail_nomem(error, "profiles of clusters",
                                options->n_clusters *
                                    sizeof *population->profile);
    for (uint32_t rank = 0; rank < options->n_clusters; rank++)
        fill_profile(population, rank, &population->profile[rank]);
    return HANSE_OK;
}

hanse_status hanse_population_create(const hanse_population_options *options,
                                     hanse_population **out, hanse_error *error)
{
    HANSE_TRY(check_options(options, error));
    hanse_population *population = calloc(1, sizeof *population);
    if (population == NULL)
        return hanse_fail_nomem(error, "population", sizeof *population);
    population->options = *options;
    const hanse_status status = fill_tables(population, error);
    if (status != HANSE_OK) {
        hanse_population_destroy(population);
        return status;
    }
    *out = population;
    return HANSE_OK;
}

void hanse_population_destroy(hanse_population *population)
{
    if (population == NULL)
        return;
    code_book_clear(&population->clusters);
    code_book_clear(&population->chains);
    code_book_clear(&population->platforms);
    free(population->profile);
    free(population);
}

const hanse_population_options *
hanse_population_get_options(const hanse_population *population)
{
    return &population->options;
}

static void draw_words(hanse_tile *tile, uint64_t seed, uint64_t first,
                       uint32_t n_blocks)
{
    for (uint32_t block = 0; block < n_blocks; block++) {
        uint32_t(*draw)[TILE_ROWS] = &tile->draw[4 * block];
        for (size_t i = 0; i < tile->n_rows; i++) {
            const hanse_philox words =
                hanse_draw(seed, HANSE_PURPOSE_ROW, first + i, block);
            draw[0][i] = words.word[0];
            draw[1][i] = words.word[1];
            draw[2][i] = words.word[2];
            draw[3][i] = words.word[3];
        }
    }
}

static void fill_cluster_ranks(const hanse_population *population,
                               const hanse_tile *tile, uint32_t *rank)
{
    for (size_t i = 0; i < tile->n_rows; i++)
        rank[i] = hanse_zipf_rank(
            &population->clusters.zipf,
            hanse_uniform_fine(tile->draw[DRAW_CLUSTER][i],
                               tile->draw[DRAW_CLUSTER_LOW][i]));
}

static int16_t chain_of(const hanse_population *population,
                        const cluster_profile *home, uint32_t is_home,
                        uint32_t word)
{
    if (hanse_uniform(is_home) < CHAIN_AT_HOME)
        return home->chain[hanse_uniform_index(word, N_HOME_CHAINS)];
    return (int16_t)code_of(&population->chains, hanse_uniform(word));
}

static int16_t platform_of(const hanse_population *population,
                           const cluster_profile *home, uint32_t is_home,
                           uint32_t word)
{
    if (hanse_uniform(is_home) < PLATFORM_AT_HOME)
        return home->platform;
    return (int16_t)code_of(&population->platforms, hanse_uniform(word));
}

static uint8_t own_sector(const hanse_population *population,
                          const cluster_profile *home, uint32_t is_home,
                          uint32_t word)
{
    if (population->options.sector != HANSE_SECTOR_COUNT)
        return (uint8_t)population->options.sector;
    if (hanse_uniform(is_home) < SECTOR_AT_HOME)
        return home->sector;
    return sector_of(hanse_uniform(word));
}

static void fill_keys(const hanse_population *population, hanse_tile *tile,
                      size_t offset, const hanse_enterprises *out)
{
    uint32_t rank[TILE_ROWS];
    fill_cluster_ranks(population, tile, rank);
    for (size_t i = 0; i < tile->n_rows; i++) {
        const cluster_profile *home = &population->profile[rank[i]];
        out->cluster[offset + i] = population->clusters.code[rank[i]];
        out->chain[offset + i] =
            chain_of(population, home, tile->draw[DRAW_CHAIN_IS_HOME][i],
                     tile->draw[DRAW_CHAIN][i]);
        out->platform[offset + i] =
            platform_of(population, home, tile->draw[DRAW_PLATFORM_IS_HOME][i],
                        tile->draw[DRAW_PLATFORM][i]);
        tile->sector[i] =
            own_sector(population, home, tile->draw[DRAW_SECTOR_IS_HOME][i],
                       tile->draw[DRAW_SECTOR][i]);
        tile->cluster_shift[i] = home->shift;
        out->sector[offset + i] = tile->sector[i];
        out->active[offset + i] =
            hanse_uniform(tile->draw[DRAW_ACTIVE][i]) < ACTIVE;
    }
}

static size_t tile_rows(size_t n_left)
{
    return n_left < TILE_ROWS ? n_left : TILE_ROWS;
}

void hanse_population_fill(const hanse_population *population, uint64_t first,
                           size_t n, const hanse_enterprises *out)
{
    const uint64_t seed = population->options.seed;
    hanse_tile tile;
    for (size_t done = 0; done < n; done += tile.n_rows) {
        tile.n_rows = tile_rows(n - done);
        draw_words(&tile, seed, first + done, DRAW_COUNT / 4);
        for (size_t i = 0; i < tile.n_rows; i++)
            out->enterprise_id[done + i] =
                (int64_t)hanse_scramble_40(first + done + i, seed) + 1;
        fill_keys(population, &tile, done, out);
        hanse_measures_fill(&tile, done, out);
    }
}

void hanse_population_cluster_ranks(const hanse_population *population,
                                    uint64_t first, size_t n, uint32_t *out)
{
    hanse_tile tile;
    for (size_t done = 0; done < n; done += tile.n_rows) {
        tile.n_rows = tile_rows(n - done);
        draw_words(&tile, population->options.seed, first + done,
                   DRAW_CLUSTER_LOW / 4 + 1);
        fill_cluster_ranks(population, &tile, out + done);
    }
}
