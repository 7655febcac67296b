/* SPDX-License-Identifier: Apache-2.0
 *
 * Why a value of a model is not defined. Such a value is NaN, and its code
 * stands in a column of its own, "<name>_status".
 */
#ifndef HANSE_ENGINE_MODELS_STATUS_H
#define HANSE_ENGINE_MODELS_STATUS_H

#include "engine/hanse.h"

/* X(name, code, meaning): the one list. Meanings have no blanks, as CF's
 * flag_meanings want it. */
#define HANSE_MODEL_STATUS_MAP(X)           \
    X(OK, 0, ok)                            \
    X(EMPTY, 1, empty_group)                \
    X(ZERO, 2, zero_total)                  \
    X(NEGATIVE, 3, negative_value)          \
    X(FEW, 4, too_few_members)              \
    X(CONSTANT, 5, constant_indicator)      \
    X(INFEASIBLE, 6, infeasible_parameters) \
    X(NOT_CONVERGED, 7, not_converged)      \
    X(NOT_FINITE, 8, non_finite_value)

typedef enum hanse_model_status {
#define HANSE_MODEL_STATUS_ENUM(name, code, meaning) HANSE_MODEL_##name = code,
    HANSE_MODEL_STATUS_MAP(HANSE_MODEL_STATUS_ENUM)
#undef HANSE_MODEL_STATUS_ENUM
} hanse_model_status;

enum {
    HANSE_MODEL_STATUS_COUNT = 9
};

/* "zero_total"; "unknown" for another code. Static storage. */
const char *hanse_model_status_meaning(int code);

/* Gives a column of codes its flags. */
void hanse_model_status_flags(hanse_column *column);

#endif
