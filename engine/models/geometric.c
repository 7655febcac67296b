/* SPDX-License-Identifier: Apache-2.0
 *
 * The product is kept as a mantissa in [1/2, 1) and an exponent e. With
 * e = q degree + r, 0 <= r < degree, the root is 2^q times the root of
 * mantissa 2^r, which comes from logarithms and one step of Newton's method.
 */
#include "engine/models/geometric.h"

#include <math.h>

#include "engine/elementary.h"

/* 2^exponent mantissa, 1/2 <= mantissa < 1, to the power 1 / degree. The first
 * root is right to about 2^-52 degree, hence its power to within a factor of
 * a few per cent, and the step makes that error its square. */
static double scaled_root(double mantissa, long exponent, size_t degree)
{
    const long d = (long)degree;
    long whole = exponent / d;
    long rest = exponent % d;
    if (rest < 0) {
        rest += d;
        whole--;
    }
    const double ln2 = 0x1.62e42fefa39efp-1;
    double root =
        hanse_exp((hanse_log(mantissa) + (double)rest * ln2) / (double)d);
    if (degree < 64) { /* beyond, the power overflows sooner or later */
        const double wanted = ldexp(mantissa, (int)rest);
        root += root * (wanted / hanse_power(root, degree) - 1.0) / (double)d;
    }
    return ldexp(root, (int)whole);
}

double hanse_root_of_product(const double *values, size_t n, size_t degree)
{
    double mantissa = 1.0;
    long exponent = 0;
    for (size_t i = 0; i < n; i++) {
        int shift, carried;
        if (values[i] == 0.0)
            return 0.0;
        const double factor = frexp(values[i], &shift);
        mantissa = frexp(mantissa * factor, &carried);
        exponent += shift + carried;
    }
    if (degree == 1)
        return ldexp(mantissa, (int)exponent);
    if (degree == 2)
        return exponent % 2 == 0
                   ? ldexp(sqrt(mantissa), (int)(exponent / 2))
                   : ldexp(sqrt(2.0 * mantissa), (int)((exponent - 1) / 2));
    if (mantissa == 0.5 && exponent == 1)
        return 1.0;
    return scaled_root(mantissa, exponent, degree);
}

double hanse_geometric_mean(const double *values, size_t n)
{
    return hanse_root_of_product(values, n, n);
}
