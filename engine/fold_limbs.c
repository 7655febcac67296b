/* SPDX-License-Identifier: Apache-2.0
 *
 * Single values in the limbs of states, carrying, and windows that follow.
 */
#include "engine/fold.h"

static hanse_status widen(hanse_fold *fold, size_t addend, hanse_window window,
                          hanse_error *error)
{
    return hanse_layout_widen(&fold->layout, addend, window, fold->states,
                              fold->plan->n_groupings, fold->budget, error);
}

hanse_status hanse_fold_cover(hanse_fold *fold, size_t addend, int low,
                              int high, hanse_error *error)
{
    if (hanse_window_holds(&fold->layout.addends[addend].window, low, high))
        return HANSE_OK;
    return widen(fold, addend,
                 hanse_layout_cover(&fold->layout, addend, low, high), error);
}

static hanse_status carry_addend(hanse_fold *fold, size_t addend,
                                 size_t grouping, size_t group,
                                 hanse_error *error)
{
    const hanse_window *window = &fold->layout.addends[addend].window;
    if (hanse_limbs_carry(hanse_fold_limbs(fold, addend, grouping, group),
                          window))
        return HANSE_OK;
    const hanse_window wider = {window->exponent, window->n_limbs + 1};
    HANSE_TRY(widen(fold, addend, wider, error));
    hanse_limbs_carry(hanse_fold_limbs(fold, addend, grouping, group),
                      &fold->layout.addends[addend].window);
    return HANSE_OK;
}

hanse_status hanse_fold_carry(hanse_fold *fold, size_t grouping, size_t group,
                              hanse_error *error)
{
    HANSE_TRY(hanse_states_unpack(&fold->states[grouping], &fold->layout,
                                  fold->budget, error));
    for (size_t a = 0; a < fold->layout.n_addends; a++)
        HANSE_TRY(carry_addend(fold, a, grouping, group, error));
    return HANSE_OK;
}

hanse_status hanse_fold_add_bits(hanse_fold *fold, size_t addend,
                                 size_t grouping, size_t group,
                                 const hanse_bits *bits, hanse_error *error)
{
    HANSE_TRY(hanse_states_unpack(&fold->states[grouping], &fold->layout,
                                  fold->budget, error));
    HANSE_TRY(hanse_fold_cover(fold, addend, hanse_bits_low(bits),
                               hanse_bits_high(bits), error));
    if (hanse_limbs_add(hanse_fold_limbs(fold, addend, grouping, group),
                        &fold->layout.addends[addend].window, bits))
        return HANSE_OK;
    return carry_addend(fold, addend, grouping, group, error);
}
