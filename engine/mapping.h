/* SPDX-License-Identifier: Apache-2.0
 *
 * Mappings: what each value of a column stands for, as a dimension table says
 * (region code -> cluster). Built once, one pair at a time; then read-only and
 * shared by specification, plans and folds, which count references.
 *
 * Every target is kept as an int64: an integer itself, or the rank of a text
 * among all texts of the mapping, which are the labels of the key.
 */
#ifndef HANSE_ENGINE_MAPPING_H
#define HANSE_ENGINE_MAPPING_H

#include "engine/base/memory.h"
#include "engine/key_map.h"

typedef struct hanse_mapping hanse_mapping;

/* How a value is mapped. */
typedef enum hanse_mapped {
    HANSE_MAPPED,
    HANSE_MAPPED_TO_MISSING, /* the mapping says so */
    HANSE_UNMAPPED           /* the mapping does not have it */
} hanse_mapped;

/* An empty mapping from integers or texts; its targets are texts until
 * hanse_mapping_finish. `budget` (may be NULL) must outlive it. */
hanse_status hanse_mapping_create(bool from_text, bool to_text,
                                  hanse_budget *budget, hanse_mapping **out,
                                  hanse_error *error);

/* One side of a pair: an integer or a text, as the mapping has it. */
typedef struct hanse_mapping_value {
    int64_t integer;
    const char *text; /* not terminated */
    size_t n_text;
    bool missing; /* targets only */
} hanse_mapping_value;

/* Adds a pair, which comes from row `row` (for messages). A pair that is there
 * already changes nothing; *conflict is the row of an earlier pair with
 * another target, whose target then stays, else UINT64_MAX. */
hanse_status hanse_mapping_add(hanse_mapping *mapping,
                               const hanse_mapping_value *from,
                               const hanse_mapping_value *to, uint64_t row,
                               uint64_t *conflict, hanse_error *error);

/* Ends the building. With `infer`, texts that are all integers as a program
 * writes them (-12, no 007) and fit int64 become integers. */
hanse_status hanse_mapping_finish(hanse_mapping *mapping, bool infer,
                                  hanse_error *error);

/* One more owner; and one less, which destroys it with the last (NULL is
 * fine). */
hanse_mapping *hanse_mapping_share(const hanse_mapping *mapping);
void hanse_mapping_release(hanse_mapping *mapping);

/* Facts of a finished mapping. */
bool hanse_mapping_from_text(const hanse_mapping *mapping);
size_t hanse_mapping_n(const hanse_mapping *mapping);
/* Labels of text targets, by rank, borrowed; 0 for integers. */
size_t hanse_mapping_labels(const hanse_mapping *mapping,
                            const hanse_label **labels);

/* Looks a value up; *target only for HANSE_MAPPED. Any number of threads. */
hanse_mapped hanse_mapping_integer(const hanse_mapping *mapping, int64_t value,
                                   int64_t *target);
hanse_mapped hanse_mapping_text(const hanse_mapping *mapping, const char *text,
                                size_t n, int64_t *target);

/* Whether two mappings say the same. */
bool hanse_mapping_equal(const hanse_mapping *a, const hanse_mapping *b);

#endif
