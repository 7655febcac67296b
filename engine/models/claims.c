/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules, the loops over rows, and the rules that need sums only.
 */
#include "engine/models/claims.h"

#include <math.h>

#include "engine/models/groups.h"

static const char *const rule_names[HANSE_RULE_COUNT] = {
#define RULE_NAME(name, text) #text,
    HANSE_CLAIMS_RULE_MAP(RULE_NAME)
#undef RULE_NAME
};

const char *hanse_claims_rule_name(hanse_claims_rule rule)
{
    return rule_names[rule];
}

const char *const *hanse_claims_rule_names(void)
{
    return rule_names;
}

/* ---- Rows --------------------------------------------------------------- */

static inline double award_equal(const hanse_award_terms *t, double c)
{
    (void)c;
    return t->level;
}

static inline double award_proportional(const hanse_award_terms *t, double c)
{
    return t->pool * c / t->divisor * t->scale * t->scale + t->level;
}

/* A level that is NaN stays in all of these. */
static inline double award_cea(const hanse_award_terms *t, double c)
{
    return c < t->level ? c : t->level;
}

static inline double award_cel(const hanse_award_terms *t, double c)
{
    const double rest = c - t->level;
    return rest < 0.0 ? 0.0 : rest;
}

static inline double award_talmud(const hanse_award_terms *t, double c)
{
    const double half = 0.5 * c;
    const double part = half < t->level ? half : t->level;
    return t->divisor != 0.0 ? c - part : part;
}

/* One loop a rule, so that the rule is not asked for each row. */
#define FILL_ROWS(award)                                            \
    for (size_t i = 0; i < n; i++) {                                \
        const double c = claims == NULL ? 0.0 : claims[i];          \
        const bool is_in = groups[i] != HANSE_NO_GROUP && c == c;   \
        out[i] = is_in ? award(&terms[groups[i]], c) : (double)NAN; \
    }                                                               \
    break

void hanse_claims_fill(hanse_claims_rule rule, const hanse_award_terms *terms,
                       const uint32_t *groups, const double *claims, size_t n,
                       double *out)
{
    switch (rule) {
    case HANSE_RULE_EQUAL:
        FILL_ROWS(award_equal);
    case HANSE_RULE_PROPORTIONAL:
        FILL_ROWS(award_proportional);
    case HANSE_RULE_CEA:
        FILL_ROWS(award_cea);
    case HANSE_RULE_CEL:
        FILL_ROWS(award_cel);
    default:
        FILL_ROWS(award_talmud);
    }
}

/* ---- Sums --------------------------------------------------------------- */

/* E c overflows or loses bits only where E D or E^2 are far out; then E and D
 * are taken near 1, and what is left of E/D is a power of 4, whose root is
 * multiplied twice. */
static void set_proportion(hanse_award_terms *terms, double pool, double total)
{
    int of_pool, of_total;
    terms->pool = pool;
    terms->divisor = total;
    terms->scale = 1.0;
    const bool is_plain = pool == 0.0 || (pool > 0x1p-400 && pool < 0x1p400);
    if (is_plain && total > 0x1p-400 && total < 0x1p400)
        return;
    terms->pool = 0.25 * frexp(pool, &of_pool);
    terms->divisor = frexp(total, &of_total);
    int power = of_pool - of_total + 2;
    if (power % 2 != 0) {
        terms->divisor *= 0.5;
        power -= 1;
    }
    terms->scale = ldexp(1.0, power / 2);
}

void hanse_claims_outcome_of_sums(hanse_claims_rule rule,
                                  const hanse_claims_sums *sums,
                                  hanse_claims_outcome *out)
{
    const double pool = sums->pool;
    *out = (hanse_claims_outcome){.terms = {0.0, 1.0, 1.0, (double)NAN},
                                  .shared = (double)NAN};
    if (!isfinite(pool) || (sums->n != 0 && !isfinite(sums->total))) {
        out->status = HANSE_MODEL_NOT_FINITE;
    } else if (pool < 0.0 || (sums->n != 0 && sums->least < 0.0)) {
        out->status = HANSE_MODEL_NEGATIVE;
    } else if (sums->n == 0) {
        out->status = HANSE_MODEL_EMPTY;
        out->shared = 0.0;
        out->reserve = pool;
    } else {
        out->shared = pool;
        out->terms.level = 0.0;
        if (rule == HANSE_RULE_EQUAL || sums->n == 1 || sums->total == 0.0)
            out->terms.level = pool / (double)sums->n;
        else
            set_proportion(&out->terms, pool, sums->total);
    }
}
