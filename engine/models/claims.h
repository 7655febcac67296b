/* SPDX-License-Identifier: Apache-2.0
 *
 * Claims problems: a pool E is divided among n members with claims c_i >= 0,
 * whose sum is D (O'Neill 1982; Aumann, Maschler 1985; Thomson 2019).
 *
 *     equal              a_i = E/n
 *     proportional       a_i = E c_i/D; where D = 0 equal
 *     cea                a_i = min(c_i, L), L such that sum a_i = E
 *     cel                a_i = max(0, c_i - L), the same
 *     talmud             E <= D/2: CEA(E, c/2); else c - CEA(D-E, c/2)
 *     largest_remainder  floor(E c_i/D) units, the rest one by one to the
 *                        largest fractions; of equal ones to the larger claim,
 *                        then the smaller id (Balinski, Young 1982)
 *     shapley            shares in the cost max c_i of one common facility:
 *                        a_i = sum_{k<=i} (c_k - c_(k-1))/(n-k+1), claims
 *                        ascending (Littlechild, Owen 1973)
 *
 * In all rules but the last two an award is a function of the claim and of a
 * few numbers of the group, hanse_award_terms, so that no award needs to be
 * kept. D and the sums behind L are exact, L is rounded once: awards depend
 * neither on the order of members nor on threads.
 */
#ifndef HANSE_ENGINE_MODELS_CLAIMS_H
#define HANSE_ENGINE_MODELS_CLAIMS_H

#include "engine/base/memory.h"
#include "engine/models/status.h"

/* X(name, code): names as jobs write them. */
#define HANSE_CLAIMS_RULE_MAP(X)            \
    X(EQUAL, equal)                         \
    X(PROPORTIONAL, proportional)           \
    X(CEA, cea)                             \
    X(CEL, cel)                             \
    X(TALMUD, talmud)                       \
    X(LARGEST_REMAINDER, largest_remainder) \
    X(SHAPLEY, shapley)

typedef enum hanse_claims_rule {
#define HANSE_CLAIMS_RULE_ENUM(name, text) HANSE_RULE_##name,
    HANSE_CLAIMS_RULE_MAP(HANSE_CLAIMS_RULE_ENUM)
#undef HANSE_CLAIMS_RULE_ENUM
    HANSE_RULE_COUNT
} hanse_claims_rule;

/* "cea"; static storage. */
const char *hanse_claims_rule_name(hanse_claims_rule rule);

/* All names, HANSE_RULE_COUNT of them, in the order of the codes. */
const char *const *hanse_claims_rule_names(void);

/* ---- Awards as functions of claims -------------------------------------- */

/* Numbers of a group; those that the rule does not use are 0. An undefined
 * group has level NaN, which makes all awards NaN. */
typedef struct hanse_award_terms {
    double pool;    /* proportional: E or, scaled by powers of two, E and D */
    double divisor; /* such that no product overflows; talmud: 1 in the */
    double scale;   /* upper half, where members share the loss */
    double level;   /* L; equal: E/n; proportional: what is added */
} hanse_award_terms;

/* out[i] = award of a member with claims[i] in groups[i] (HANSE_NO_GROUP, or
 * claim NaN: NaN), for n rows. `claims` may be NULL for HANSE_RULE_EQUAL. Not
 * for largest_remainder and shapley. */
void hanse_claims_fill(hanse_claims_rule rule, const hanse_award_terms *terms,
                       const uint32_t *groups, const double *claims, size_t n,
                       double *out);

/* What is found for a group. */
typedef struct hanse_claims_outcome {
    hanse_award_terms terms;
    /* What the awards add up to: E, or D where E > D in CEA, CEL and Talmud,
     * or the largest claim; NaN where undefined. */
    double shared;
    double reserve; /* E - D where that is positive in these rules, else 0 */
    hanse_model_status status;
} hanse_claims_outcome;

/* Sums over a group. */
typedef struct hanse_claims_sums {
    uint64_t n;   /* members */
    double total; /* of claims */
    double least; /* claim, where n > 0 */
    double pool;
} hanse_claims_sums;

/* Equal and proportional awards from sums. Status 1 without members, where the
 * pool is the reserve, 3 for a negative claim or pool, 8 for what is not
 * finite. */
void hanse_claims_outcome_of_sums(hanse_claims_rule rule,
                                  const hanse_claims_sums *sums,
                                  hanse_claims_outcome *out);

/* ---- One group ---------------------------------------------------------- */

/* A member of a group, for the rules that need an order of members. */
typedef struct hanse_claimant {
    double claim;
    double award;
    uint64_t id; /* decides ties, the smaller first, then `order` does */
    uint64_t order;
    uint64_t rank; /* scratch: fraction of a unit, or the place in order */
} hanse_claimant;

/* Outcome of a group of n claims (none NaN) and pool E, for all rules but
 * largest_remainder and shapley. Statuses as above, and 6 where E is above D
 * rounded to a float64: awards are then the claims and E - D is the reserve.
 * claims[] is used up. Takes up to n_threads threads where n is large. */
void hanse_claims_solve(hanse_claims_rule rule, double *claims, size_t n,
                        double pool, size_t n_threads,
                        hanse_claims_outcome *out);

/* The same for those two rules, which set members[i].award and bring members
 * into another order. `spare`: 16 n bytes that hanse_sort needs, only for
 * shapley. largest_remainder wants a whole number E up to 2^53, else status 6;
 * shapley takes no pool. */
void hanse_claims_rank(hanse_claims_rule rule, hanse_claimant *members,
                       size_t n, double pool, void *spare,
                       hanse_claims_outcome *out);

/* ---- A whole table ------------------------------------------------------ */

typedef struct hanse_claims_table {
    hanse_claims_rule rule;
    uint64_t n_rows;
    const uint32_t *groups; /* [row]; HANSE_NO_GROUP: takes no part */
    const double *claims;   /* [row]; NaN: takes no part */
    const uint64_t *ids;    /* [row], for ties; NULL: numbers of rows */
    size_t n_groups;
    const double *pools; /* [group]; may be NULL for shapley */
    size_t n_threads;
    hanse_budget *budget; /* NULL: none */
} hanse_claims_table;

/* outcomes[group] and, unless NULL, awards[row] (NaN for rows that take no
 * part) of all groups, on all threads; large groups are begun first, and the
 * threads share those that would keep one of them busy. Beyond the arguments
 * it takes 8 bytes a row for the claims in the order of groups, and
 * 8 n_groups n_threads for their numbers; largest_remainder and shapley take
 * 40 bytes a row instead, shapley 32 more for each row of the groups that are
 * worked on at a time, and both need `awards`. HANSE_ERR_NOMEM,
 * HANSE_ERR_LIMIT. */
hanse_status hanse_claims_award_all(const hanse_claims_table *table,
                                    double *awards,
                                    hanse_claims_outcome *outcomes,
                                    hanse_error *error);

#endif
