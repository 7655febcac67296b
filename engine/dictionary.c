/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared texts, behind a lock that is taken once per thread and text.
 */
#include "engine/dictionary.h"

void hanse_dictionary_init(hanse_dictionary *dictionary, hanse_budget *budget)
{
    (void)pthread_mutex_init(&dictionary->lock, NULL);
    hanse_text_map_init(&dictionary->texts, budget);
}

void hanse_dictionary_clear(hanse_dictionary *dictionary)
{
    hanse_text_map_clear(&dictionary->texts);
    (void)pthread_mutex_destroy(&dictionary->lock);
}

void hanse_translation_clear(hanse_translation *translation,
                             hanse_budget *budget)
{
    hanse_free(budget, translation->codes, translation->capacity,
               sizeof *translation->codes);
    *translation = (hanse_translation){0};
}

static hanse_status reserve(hanse_translation *t, size_t n,
                            hanse_budget *budget, hanse_error *error)
{
    if (n <= t->capacity)
        return HANSE_OK;
    size_t wanted = t->capacity == 0 ? 64 : 2 * t->capacity;
    if (wanted < n)
        wanted = n;
    uint32_t *codes =
        hanse_grow(budget, t->codes, t->capacity, wanted, sizeof *codes);
    if (codes == NULL)
        return hanse_fail_budget(error, budget, "codes of texts", wanted,
                                 sizeof *codes);
    t->codes = codes;
    t->capacity = wanted;
    return HANSE_OK;
}

hanse_status hanse_dictionary_translate(hanse_dictionary *dictionary,
                                        const hanse_text_map *own,
                                        hanse_translation *translation,
                                        hanse_error *error)
{
    const size_t n = translation->n;
    if (n == own->n)
        return HANSE_OK;
    HANSE_TRY(reserve(translation, own->n, own->budget, error));
    (void)pthread_mutex_lock(&dictionary->lock);
    const hanse_status status = hanse_text_map_take(
        &dictionary->texts, own, n, own->n - n, translation->codes + n, error);
    (void)pthread_mutex_unlock(&dictionary->lock);
    if (status == HANSE_OK)
        translation->n = own->n;
    return status;
}
