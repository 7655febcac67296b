/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums as long integers in two's complement.
 */
#include "engine/wide_sums.h"

#include <math.h>
#include <string.h>

typedef unsigned __int128 u128;

enum {
    WORD_BITS = 64,
    TERM_WORDS = 4,
    HEADROOM_BITS = 66,
    FIRST_CAPACITY = 16,
    /* Fourth powers of float64 span the bits -4296 to 4096. */
    MOST_WORDS = (4296 + 4096 + HEADROOM_BITS) / WORD_BITS + 3
};

/* ---- Terms -------------------------------------------------------------- */

bool hanse_factor_of(int64_t value, hanse_number number, hanse_factor *out)
{
    *out = (hanse_factor){0};
    if (number == HANSE_NUMBER_FLOAT) {
        double x;
        memcpy(&x, &value, sizeof x);
        if (isinf(x))
            return false;
        if (x == 0.0)
            return true;
        const hanse_bits bits = hanse_bits_of(x, false);
        *out = (hanse_factor){(uint64_t)bits.magnitude, bits.exponent,
                              bits.negative};
        return true;
    }
    if (value == 0)
        return true;
    uint64_t magnitude = (uint64_t)value;
    if (number == HANSE_NUMBER_INT && value < 0) {
        magnitude = 0 - magnitude;
        out->negative = true;
    }
    out->exponent = __builtin_ctzll(magnitude);
    out->magnitude = magnitude >> out->exponent;
    return true;
}

hanse_term hanse_term_product(const hanse_factor *x, const hanse_factor *y)
{
    const u128 product = (u128)x->magnitude * y->magnitude;
    return (hanse_term){{(uint64_t)product, (uint64_t)(product >> 64), 0, 0},
                        x->exponent + y->exponent,
                        x->negative != y->negative};
}

hanse_term hanse_term_single(const hanse_factor *x)
{
    return (hanse_term){{x->magnitude, 0, 0, 0}, x->exponent, x->negative};
}

/* Position of the highest bit plus one; 0 for zero. */
static int term_bits(const hanse_term *term)
{
    for (int i = TERM_WORDS; i-- > 0;)
        if (term->word[i] != 0)
            return WORD_BITS * (i + 1) - __builtin_clzll(term->word[i]);
    return 0;
}

/* ---- Groups ------------------------------------------------------------- */

void hanse_wide_sums_init(hanse_wide_sums *sums, const char *what,
                          hanse_budget *budget)
{
    *sums = (hanse_wide_sums){.what = what, .budget = budget};
}

void hanse_wide_sums_clear(hanse_wide_sums *sums)
{
    hanse_free(sums->budget, sums->words, sums->capacity,
               sums->n_words * sizeof *sums->words);
    hanse_wide_sums_init(sums, sums->what, sums->budget);
}

static uint64_t sign_word(uint64_t top)
{
    return top >> (WORD_BITS - 1) != 0 ? UINT64_MAX : 0;
}

/* Gives all groups the window [exponent, exponent + 64 n_words), which holds
 * the old one, and room for `capacity` groups. */
static hanse_status reshape(hanse_wide_sums *sums, int exponent, size_t n_words,
                            size_t capacity, hanse_error *error)
{
    const size_t old_bytes = sums->n_words * sizeof *sums->words;
    const size_t bytes = n_words * sizeof *sums->words;
    uint64_t *words = hanse_allocate_zero(sums->budget, capacity, bytes);
    if (words == NULL)
        return hanse_fail_budget(error, sums->budget, sums->what, capacity,
                                 bytes);
    const size_t shift =
        sums->n_words == 0
            ? 0
            : (size_t)(sums->exponent - exponent) / (size_t)WORD_BITS;
    for (size_t g = 0; sums->n_words != 0 && g < sums->n_groups; g++) {
        const uint64_t *old = sums->words + g * sums->n_words;
        uint64_t *new = words + g *n_words;
        memcpy(new + shift, old, old_bytes);
        for (size_t i = shift + sums->n_words; i < n_words; i++)
            new[i] = sign_word(old[sums->n_words - 1]);
    }
    hanse_free(sums->budget, sums->words, sums->capacity, old_bytes);
    sums->words = words;
    sums->exponent = exponent;
    sums->n_words = n_words;
    sums->capacity = capacity;
    return HANSE_OK;
}

hanse_status hanse_wide_sums_grow(hanse_wide_sums *sums, size_t n_groups,
                                  hanse_error *error)
{
    if (n_groups > sums->capacity) {
        size_t wanted =
            sums->capacity == 0 ? FIRST_CAPACITY : 2 * sums->capacity;
        wanted = wanted < n_groups ? n_groups : wanted;
        HANSE_TRY(reshape(sums, sums->exponent, sums->n_words, wanted, error));
    }
    if (n_groups > sums->n_groups)
        sums->n_groups = n_groups;
    return HANSE_OK;
}

/* Largest multiple of 64 that is not above x. */
static int floor_to_word(int x)
{
    return x - (x % WORD_BITS + WORD_BITS) % WORD_BITS;
}

/* Widens the window to contain [from, to), both multiples of 64. */
static hanse_status contain(hanse_wide_sums *sums, int from, int to,
                            hanse_error *error)
{
    if (sums->n_words != 0) {
        const int high = sums->exponent + WORD_BITS * (int)sums->n_words;
        if (from >= sums->exponent && to <= high)
            return HANSE_OK;
        from = from < sums->exponent ? from : sums->exponent;
        to = to > high ? to : high;
    }
    const size_t n_words = (size_t)(to - from) / (size_t)WORD_BITS;
    if (n_words > (size_t)MOST_WORDS)
        return hanse_fail(error, HANSE_ERR_LIMIT, "sum beyond all words");
    return reshape(sums, from, n_words, sums->capacity, error);
}

static uint64_t add_carry(uint64_t a, uint64_t b, uint64_t *carry)
{
    const u128 sum = (u128)a + b + *carry;
    *carry = (uint64_t)(sum >> WORD_BITS);
    return (uint64_t)sum;
}

static uint64_t subtract_borrow(uint64_t a, uint64_t b, uint64_t *borrow)
{
    const u128 difference = (u128)a - b - *borrow;
    *borrow = (uint64_t)(difference >> WORD_BITS) & 1;
    return (uint64_t)difference;
}

/* sum += or -= n words at sum; what is left over goes up as far as it must. */
static void add_words(uint64_t *sum, size_t room, const uint64_t *words,
                      size_t n, bool negative)
{
    uint64_t carry = 0;
    size_t i = 0;
    if (negative) {
        for (; i < n; i++)
            sum[i] = subtract_borrow(sum[i], words[i], &carry);
        for (; carry != 0 && i < room; i++)
            carry = sum[i]-- == 0;
    } else {
        for (; i < n; i++)
            sum[i] = add_carry(sum[i], words[i], &carry);
        for (; carry != 0 && i < room; i++)
            carry = ++sum[i] == 0;
    }
}

/* Most terms have up to 128 bits and fit: two or three words and, seldom, a
 * carry. False where the window must widen, or the term is longer. */
static inline bool add_short(hanse_wide_sums *sums, size_t group,
                             const hanse_term *term)
{
    const uint64_t low_word = term->word[0], high_word = term->word[1];
    const int position = term->exponent - sums->exponent;
    const int room = WORD_BITS * (int)sums->n_words - position;
    const int bits = high_word != 0 ? 2 * WORD_BITS - __builtin_clzll(high_word)
                     : low_word != 0 ? WORD_BITS - __builtin_clzll(low_word)
                                     : 0;
    if ((term->word[2] | term->word[3]) != 0 || bits == 0 || position < 0 ||
        room < bits + HEADROOM_BITS)
        return false;
    const unsigned shift = (unsigned)position % WORD_BITS;
    const u128 low = ((u128)high_word << WORD_BITS | low_word) << shift;
    uint64_t rest = shift == 0 ? 0 : high_word >> (WORD_BITS - shift);
    uint64_t *sum = sums->words + group * sums->n_words + position / WORD_BITS;
    const uint64_t *end = sums->words + (group + 1) * sums->n_words;
    u128 before, after;
    memcpy(&before, sum, sizeof before); /* the headroom is a word at least */
    after = term->negative ? before - low : before + low;
    rest += term->negative ? after > before : after < before;
    memcpy(sum, &after, sizeof after);
    for (sum += 2; rest != 0 && sum < end; sum++) {
        const uint64_t word = *sum;
        *sum = term->negative ? word - rest : word + rest;
        rest = term->negative ? *sum > word : *sum < word;
    }
    return true;
}

hanse_status hanse_wide_sums_add(hanse_wide_sums *sums, size_t group,
                                 const hanse_term *term, hanse_error *error)
{
    if (sums->n_words != 0 && add_short(sums, group, term))
        return HANSE_OK;
    const int bits = term_bits(term);
    if (bits == 0)
        return HANSE_OK;
    HANSE_TRY(contain(
        sums, floor_to_word(term->exponent),
        floor_to_word(term->exponent + bits + HEADROOM_BITS + WORD_BITS - 1),
        error));
    const size_t position = (size_t)(term->exponent - sums->exponent);
    const size_t at = position / WORD_BITS;
    const unsigned shift = position % WORD_BITS;
    uint64_t words[TERM_WORDS + 1];
    const size_t n = ((size_t)bits + shift + WORD_BITS - 1) / WORD_BITS;
    words[0] = term->word[0] << shift;
    for (size_t i = 1; i < n; i++) {
        const uint64_t high = i < TERM_WORDS ? term->word[i] << shift : 0;
        words[i] =
            shift == 0 ? high : high | term->word[i - 1] >> (WORD_BITS - shift);
    }
    add_words(sums->words + group * sums->n_words + at, sums->n_words - at,
              words, n, term->negative);
    return HANSE_OK;
}

hanse_status hanse_wide_sums_merge(hanse_wide_sums *sums, size_t group,
                                   const hanse_wide_sums *other, size_t from,
                                   hanse_error *error)
{
    if (other->n_words == 0)
        return HANSE_OK;
    HANSE_TRY(contain(sums, other->exponent,
                      other->exponent + WORD_BITS * (int)other->n_words,
                      error));
    uint64_t words[MOST_WORDS];
    const size_t shift =
        (size_t)(other->exponent - sums->exponent) / (size_t)WORD_BITS;
    const size_t n = sums->n_words - shift;
    const uint64_t *source = other->words + from * other->n_words;
    memcpy(words, source, other->n_words * sizeof *words);
    for (size_t i = other->n_words; i < n; i++)
        words[i] = sign_word(source[other->n_words - 1]);
    add_words(sums->words + group * sums->n_words + shift, n, words, n, false);
    return HANSE_OK;
}

void hanse_wide_sums_get(const hanse_wide_sums *sums, size_t group,
                         hanse_wide *out)
{
    uint64_t magnitude[MOST_WORDS];
    const size_t n = sums->n_words;
    if (n == 0) {
        hanse_wide_from_words(out, NULL, 0, 0, false);
        return;
    }
    const uint64_t *words = sums->words + group * n;
    const bool negative = sign_word(words[n - 1]) != 0;
    uint64_t carry = negative;
    for (size_t i = 0; i < n; i++)
        magnitude[i] = negative ? add_carry(~words[i], 0, &carry) : words[i];
    hanse_wide_from_words(out, magnitude, n, sums->exponent, negative);
}
