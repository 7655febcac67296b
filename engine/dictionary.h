/* SPDX-License-Identifier: Apache-2.0
 *
 * A dictionary of texts that all threads share. Each thread has a map of its
 * own and asks here once for each text that is new to it.
 */
#ifndef HANSE_ENGINE_DICTIONARY_H
#define HANSE_ENGINE_DICTIONARY_H

#include <pthread.h>

#include "engine/key_map.h"

typedef struct hanse_dictionary {
    pthread_mutex_t lock;
    hanse_text_map texts;
} hanse_dictionary;

/* Codes in the dictionary of a thread's codes 0 .. n - 1. Zero-initialised:
 * none yet. */
typedef struct hanse_translation {
    uint32_t *codes;
    size_t n;
    size_t capacity;
} hanse_translation;

void hanse_dictionary_init(hanse_dictionary *dictionary, hanse_budget *budget);
void hanse_dictionary_clear(hanse_dictionary *dictionary);

/* Makes the translation reach all texts of a thread's map. */
hanse_status hanse_dictionary_translate(hanse_dictionary *dictionary,
                                        const hanse_text_map *own,
                                        hanse_translation *translation,
                                        hanse_error *error);
void hanse_translation_clear(hanse_translation *translation,
                             hanse_budget *budget);

#endif
