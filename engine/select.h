/* SPDX-License-Identifier: Apache-2.0
 *
 * Order statistics of numbers that lie in pieces.
 */
#ifndef HANSE_ENGINE_SELECT_H
#define HANSE_ENGINE_SELECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/memory.h"

enum {
    HANSE_SELECT_BINS = 2048
};

/* Some of the numbers. */
typedef struct hanse_piece {
    const int64_t *numbers;
    size_t n;
} hanse_piece;

/* A selection among the numbers of some pieces; reused for the next ones. */
typedef struct hanse_selection {
    hanse_budget *budget;
    const hanse_piece *pieces;
    size_t n_pieces;
    size_t n;        /* numbers in all */
    bool is_counted; /* the next four are set */
    int64_t low;
    int64_t high;
    int shift;                       /* of the first round's bins */
    size_t first[HANSE_SELECT_BINS]; /* numbers in each of them */
    size_t bins[HANSE_SELECT_BINS];  /* of later rounds */
    int64_t *room;
    size_t room_size;
    size_t n_ranks; /* that will be asked for */
} hanse_selection;

/* An empty selection; clear it at the end. */
void hanse_selection_init(hanse_selection *selection, hanse_budget *budget);
void hanse_selection_clear(hanse_selection *selection);

/* Takes pieces, which stay as they are and are borrowed until the next call;
 * about n_ranks ranks will be asked for. Returns the number of numbers. */
size_t hanse_selection_begin(hanse_selection *selection,
                             const hanse_piece *pieces, size_t n_pieces,
                             size_t n_ranks);

/* *out = the number of rank `rank` < n (from 0, smallest first), and *next =
 * that of the next rank where there is one; `next` may be NULL. Time grows with
 * n alone, whatever the numbers are. */
hanse_status hanse_selection_find(hanse_selection *selection, size_t rank,
                                  int64_t *out, int64_t *next,
                                  hanse_error *error);

#endif
