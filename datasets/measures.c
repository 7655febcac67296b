/* SPDX-License-Identifier: Apache-2.0
 *
 * The measures of an enterprise. One latent size drives all of them:
 *
 *   log size   = cluster's shift + body or tail
 *   body       = BODY_MEAN + BODY_DEVIATION * z(u)             u <= 1 - TAIL
 *   tail       = body(1 - TAIL) + log(TAIL / (1 - u)) / TAIL_INDEX,  beyond
 *   log value  = level + sector's level + slope * log size + noise * z
 *
 * so that size is log-normal up to a quantile and Pareto from there on, with
 * a continuous quantile function, and each measure has its own noise.
 */
#include "datasets/tile.h"

#include <math.h>

#include "engine/elementary.h"

#define BODY_MEAN      1.8 /* median of six employees */
#define BODY_DEVIATION 1.2
#define TAIL           0.03
#define TAIL_INDEX     1.2

/* z(1 - TAIL) and log(TAIL). */
#define TAIL_BEGIN_Z 1.8807936081512509
#define LOG_TAIL     -3.5065578973199817

/* A log-normal measure, given the size. */
typedef struct measure {
    double level;                            /* log of the value at size 1 */
    double sector_level[HANSE_SECTOR_COUNT]; /* log of a factor */
    double slope;                            /* elasticity to size */
    double noise;                            /* deviation of the log */
    int draw;
} measure;

/* Levels are logarithms of 38,000; 25,000; 4,000; 2; 9,000. Factors: energy
 * has four times the equipment, 0.8 times the technology; medical 1.5 times
 * the equipment, 2.5 times the technology. */
static const measure labour = {
    10.545341438708522, {0.0, 0.0, 0.0}, 1.0, 0.30, DRAW_LABOUR};
static const measure equipment = {10.126631103850338,
                                  {0.0, 1.3862943611198906, 0.4054651081081644},
                                  1.1,
                                  0.60,
                                  DRAW_EQUIPMENT};
static const measure technology = {
    8.294049640102028,
    {0.0, -0.2231435513142097, 0.9162907318741551},
    0.95,
    0.90,
    DRAW_TECHNOLOGY};
static const measure information = {
    0.6931471805599453, {0.0, 0.0, 0.0}, 0.7, 0.80, DRAW_INFORMATION};
static const measure demand = {
    9.104979856318357, {0.0, 0.0, 0.0}, 0.9, 0.50, DRAW_DEMAND};

#define RESOURCE_NOISE 0.20

#define STRATEGY_LEVEL 50.0 /* at the median size */
#define STRATEGY_SLOPE 6.0
#define STRATEGY_NOISE 12.0

/* Shares of missing values, in 65,536ths, in the order of the halves of the
 * words from DRAW_MISSING on. */
enum {
    MISSING_LABOUR = 655,       /* 1 % */
    MISSING_EQUIPMENT = 1311,   /* 2 % */
    MISSING_TECHNOLOGY = 2621,  /* 4 % */
    MISSING_RESOURCE = 655,     /* 1 % */
    MISSING_INFORMATION = 1966, /* 3 % */
    MISSING_QUALITY = 1311,     /* 2 % */
    MISSING_STRATEGY = 1966,    /* 3 % */
    MISSING_DEMAND = 1311       /* 2 % */
};

static double normal(const hanse_tile *tile, int draw, size_t row)
{
    return hanse_normal_quantile(hanse_uniform(tile->draw[draw][row]));
}

/* To hundredths, ties to even. Both steps round correctly, so the result is
 * the double nearest to the decimal number. */
static double round_to_hundredths(double value)
{
    return rint(value * 100.0) / 100.0;
}

static double log_size(const hanse_tile *tile, size_t row)
{
    const double u = hanse_uniform_fine(tile->draw[DRAW_SIZE][row],
                                        tile->draw[DRAW_SIZE_LOW][row]);
    if (u <= 1.0 - TAIL)
        return tile->cluster_shift[row] + BODY_MEAN +
               BODY_DEVIATION * hanse_normal_quantile(u);
    return tile->cluster_shift[row] + BODY_MEAN +
           BODY_DEVIATION * TAIL_BEGIN_Z +
           (LOG_TAIL - hanse_log(1.0 - u)) / TAIL_INDEX;
}

static void fill_measure(const hanse_tile *tile, const measure *m,
                         const double *size, double *out)
{
    for (size_t i = 0; i < tile->n_rows; i++)
        out[i] = m->level + m->sector_level[tile->sector[i]] +
                 m->slope * size[i] + m->noise * normal(tile, m->draw, i);
    hanse_exp_block(out, out, tile->n_rows);
}

static void fill_money(const hanse_tile *tile, const measure *m,
                       const double *size, double *out)
{
    fill_measure(tile, m, size, out);
    for (size_t i = 0; i < tile->n_rows; i++)
        out[i] = round_to_hundredths(out[i]);
}

/* The three parts together, which are still complete here, times a noise. */
static void fill_resource(const hanse_tile *tile, size_t offset,
                          const hanse_enterprises *out)
{
    double *resource = out->resource + offset;
    const double *parts[] = {out->labour + offset, out->equipment + offset,
                             out->technology + offset};
    for (size_t i = 0; i < tile->n_rows; i++)
        resource[i] = RESOURCE_NOISE * normal(tile, DRAW_RESOURCE, i);
    hanse_exp_block(resource, resource, tile->n_rows);
    for (size_t i = 0; i < tile->n_rows; i++)
        resource[i] = round_to_hundredths(
            resource[i] * (parts[0][i] + parts[1][i] + parts[2][i]));
}

static void fill_strategy(const hanse_tile *tile, const double *size,
                          double *out)
{
    for (size_t i = 0; i < tile->n_rows; i++) {
        double score = STRATEGY_LEVEL + STRATEGY_SLOPE * (size[i] - BODY_MEAN) +
                       STRATEGY_NOISE * normal(tile, DRAW_STRATEGY, i);
        score = score < 0.0 ? 0.0 : score > 100.0 ? 100.0 : score;
        out[i] = round_to_hundredths(score);
    }
}

/* 1 - u v: most enterprises report well, some badly. */
static void fill_quality(const hanse_tile *tile, float *out)
{
    for (size_t i = 0; i < tile->n_rows; i++)
        out[i] =
            (float)(1.0 - hanse_uniform(tile->draw[DRAW_QUALITY][i]) *
                              hanse_uniform(tile->draw[DRAW_QUALITY_OTHER][i]));
}

/* Whether the value of measure `place` (0 to 7) is missing in a row. */
static bool is_missing(const hanse_tile *tile, int place, uint32_t share,
                       size_t row)
{
    const uint32_t word = tile->draw[DRAW_MISSING + place / 2][row];
    return (place % 2 == 0 ? word & 0xFFFF : word >> 16) < share;
}

static void blank(const hanse_tile *tile, int place, uint32_t share,
                  double *out)
{
    for (size_t i = 0; i < tile->n_rows; i++)
        if (is_missing(tile, place, share, i))
            out[i] = (double)NAN;
}

static void blank_measures(const hanse_tile *tile, size_t offset,
                           const hanse_enterprises *out)
{
    blank(tile, 0, MISSING_LABOUR, out->labour + offset);
    blank(tile, 1, MISSING_EQUIPMENT, out->equipment + offset);
    blank(tile, 2, MISSING_TECHNOLOGY, out->technology + offset);
    blank(tile, 3, MISSING_RESOURCE, out->resource + offset);
    blank(tile, 4, MISSING_INFORMATION, out->information + offset);
    blank(tile, 5, MISSING_STRATEGY, out->strategy + offset);
    blank(tile, 6, MISSING_DEMAND, out->demand + offset);
    for (size_t i = 0; i < tile->n_rows; i++)
        if (is_missing(tile, 7, MISSING_QUALITY, i))
            out->quality[offset + i] = NAN;
}

void hanse_measures_fill(const hanse_tile *tile, size_t offset,
                         const hanse_enterprises *out)
{
    double size[TILE_ROWS];
    for (size_t i = 0; i < tile->n_rows; i++)
        size[i] = log_size(tile, i);
    fill_money(tile, &labour, size, out->labour + offset);
    fill_money(tile, &equipment, size, out->equipment + offset);
    fill_money(tile, &technology, size, out->technology + offset);
    fill_resource(tile, offset, out);
    fill_measure(tile, &information, size, out->information + offset);
    fill_strategy(tile, size, out->strategy + offset);
    fill_money(tile, &demand, size, out->demand + offset);
    fill_quality(tile, out->quality + offset);
    blank_measures(tile, offset, out);
}
