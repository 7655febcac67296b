/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of the texts of a map.
 */
#ifndef HANSE_ENGINE_TEXT_ORDER_H
#define HANSE_ENGINE_TEXT_ORDER_H

#include "engine/key_map.h"

/* ranks[code], from 0, of all texts of a map: by bytes, a text before those
 * that it begins. Memory for sorting comes from `budget`. */
hanse_status hanse_text_map_rank(const hanse_text_map *map,
                                 hanse_budget *budget, size_t n_threads,
                                 uint32_t *ranks, hanse_error *error);

#endif
