/* SPDX-License-Identifier: Apache-2.0
 *
 * What passes between the parts of the population: purposes of draws, and a
 * tile of rows with all of its random words, made column after column so that
 * compilers vectorise the generator.
 */
#ifndef HANSE_DATASETS_TILE_H
#define HANSE_DATASETS_TILE_H

#include "datasets/population.h"
#include "datasets/rng.h"

/* Counters of different purposes never meet. */
enum {
    HANSE_PURPOSE_ROW,
    HANSE_PURPOSE_CLUSTER,
    HANSE_PURPOSE_CODES,
    HANSE_PURPOSE_LINK_COUNT,
    HANSE_PURPOSE_LINK
};

/* Random words of a row, four to a block of the generator. Adding one at the
 * end leaves all others as they are. */
enum {
    DRAW_CLUSTER, /* and the next */
    DRAW_CLUSTER_LOW,
    DRAW_CHAIN_IS_HOME,
    DRAW_CHAIN,
    DRAW_PLATFORM_IS_HOME,
    DRAW_PLATFORM,
    DRAW_SECTOR_IS_HOME,
    DRAW_SECTOR,
    DRAW_SIZE, /* and the next */
    DRAW_SIZE_LOW,
    DRAW_LABOUR,
    DRAW_EQUIPMENT,
    DRAW_TECHNOLOGY,
    DRAW_RESOURCE,
    DRAW_INFORMATION,
    DRAW_STRATEGY,
    DRAW_DEMAND,
    DRAW_QUALITY,
    DRAW_QUALITY_OTHER,
    DRAW_ACTIVE,
    DRAW_MISSING, /* four words, two columns in each */
    DRAW_COUNT = DRAW_MISSING + 4
};

enum {
    TILE_ROWS = 256
};

typedef struct hanse_tile {
    size_t n_rows;                        /* 1 to TILE_ROWS */
    uint32_t draw[DRAW_COUNT][TILE_ROWS]; /* by purpose, then row */
    double cluster_shift[TILE_ROWS];      /* of the logarithm of the size */
    uint8_t sector[TILE_ROWS];
} hanse_tile;

/* The measures of a tile whose sectors and shifts are set, written to the rows
 * of `out` from `offset` on. */
void hanse_measures_fill(const hanse_tile *tile, size_t offset,
                         const hanse_enterprises *out);

#endif
