/* SPDX-License-Identifier: Apache-2.0
 *
 * A synthetic population of enterprises: row i is a function of the options
 * and i alone. datasets/README.md describes columns and distributions.
 */
#ifndef HANSE_DATASETS_POPULATION_H
#define HANSE_DATASETS_POPULATION_H

#include "engine/hanse.h"

typedef enum hanse_sector {
    HANSE_SECTOR_MANUFACTURING,
    HANSE_SECTOR_ENERGY,
    HANSE_SECTOR_MEDICAL,
    HANSE_SECTOR_COUNT /* as an option: all of them */
} hanse_sector;

/* "manufacturing"; NULL for an unknown number. And the inverse, false for an
 * unknown name. */
const char *hanse_sector_name(hanse_sector sector);
bool hanse_sector_parse(const char *name, hanse_sector *out);

/* Limits of the options, from the types of the columns and from the memory of
 * the tables (40 bytes a cluster). */
enum {
    HANSE_MAX_CLUSTERS = 10000000,
    HANSE_MAX_CHAINS = INT16_MAX,
    HANSE_MAX_PLATFORMS = INT16_MAX
};

/* Rows that a population can have: enterprise ids are 40 bits wide. */
#define HANSE_MAX_ENTERPRISES (UINT64_C(1) << 40)

typedef struct hanse_population_options {
    uint64_t seed;
    uint32_t n_clusters;  /* 1 to HANSE_MAX_CLUSTERS */
    uint32_t n_chains;    /* 1 to HANSE_MAX_CHAINS */
    uint32_t n_platforms; /* 1 to HANSE_MAX_PLATFORMS */
    hanse_sector sector;  /* the only one, or HANSE_SECTOR_COUNT */
} hanse_population_options;

/* seed 1, 1000 clusters, 100 chains, 50 platforms, all sectors. */
hanse_population_options hanse_population_defaults(void);

/* Where the values of consecutive rows go; every array belongs to the caller
 * and has room for the rows asked for. */
typedef struct hanse_enterprises {
    int64_t *enterprise_id; /* 1 to 2^40, unique, in no order */
    int32_t *cluster;       /* 1 to n_clusters */
    int16_t *chain;         /* 1 to n_chains */
    int16_t *platform;      /* 1 to n_platforms */
    uint8_t *sector;        /* hanse_sector */
    uint8_t *active;        /* 0 or 1 */
    double *labour;         /* money in cents' steps, NaN where missing */
    double *equipment;
    double *technology;
    double *resource;
    double *information;
    float *quality; /* 0 to 1, NaN where missing */
    double *strategy;
    double *demand;
} hanse_enterprises;

typedef struct hanse_population hanse_population;

/* Makes the tables that rows are drawn from. HANSE_ERR_ARGUMENT for an option
 * out of range, HANSE_ERR_NOMEM. */
hanse_status hanse_population_create(const hanse_population_options *options,
                                     hanse_population **out,
                                     hanse_error *error);
void hanse_population_destroy(hanse_population *population);

/* Rows first to first + n - 1, at most HANSE_MAX_ENTERPRISES. Allocates
 * nothing; any number of threads may fill at the same time. */
void hanse_population_fill(const hanse_population *population, uint64_t first,
                           size_t n, const hanse_enterprises *out);

/* Only the clusters of these rows, as ranks by size, 0 being the largest. */
void hanse_population_cluster_ranks(const hanse_population *population,
                                    uint64_t first, size_t n, uint32_t *out);

/* Seed and number of clusters, for what is built upon a population. */
const hanse_population_options *
hanse_population_get_options(const hanse_population *population);

#endif
