"""The standard normal distribution for compiled loops: density, CDF, quantiles, truncated samples."""

from __future__ import annotations

import math

import numba

_SQRT_HALF = math.sqrt(0.5)
_INVERSE_SQRT_TAU = 1 / math.sqrt(2 * math.pi)
FARTHEST = 37.0
"""Standard deviations beyond which a probability is no longer a normal floating-point number."""

# Algorithm AS 241 of Wichura: numerator and denominator, highest power first, of the rational functions of
# the centre, the tails, and the far tails.
_CENTRE_NUMERATOR = (
    2.5090809287301226727e3,
    3.3430575583588128105e4,
    6.7265770927008700853e4,
    4.5921953931549871457e4,
    1.3731693765509461125e4,
    1.9715909503065514427e3,
    1.3314166789178437745e2,
    3.3871328727963666080e0,
)
_CENTRE_DENOMINATOR = (
    5.2264952788528545610e3,
    2.8729085735721942674e4,
    3.9307895800092710610e4,
    2.1213794301586595867e4,
    5.3941960214247511077e3,
    6.8718700749205790830e2,
    4.2313330701600911252e1,
    1.0,
)
_TAIL_NUMERATOR = (
    7.74545014278341407640e-4,
    2.27238449892691845833e-2,
    2.41780725177450611770e-1,
    1.27045825245236838258e0,
    3.64784832476320460504e0,
    5.76949722146069140550e0,
    4.63033784615654529590e0,
    1.42343711074968357734e0,
)
_TAIL_DENOMINATOR = (
    1.05075007164441684324e-9,
    5.47593808499534494600e-4,
    1.51986665636164571966e-2,
    1.48103976427480074590e-1,
    6.89767334985100004550e-1,
    1.67638483018380384940e0,
    2.05319162663775882187e0,
    1.0,
)
_FAR_TAIL_NUMERATOR = (
    2.01033439929228813265e-7,
    2.71155556874348757815e-5,
    1.24266094738807843860e-3,
    2.65321895265761230930e-2,
    2.96560571828504891230e-1,
    1.78482653991729133580e0,
    5.46378491116411436990e0,
    6.65790464350110377720e0,
)
_FAR_TAIL_DENOMINATOR = (
    2.04426310338993978564e-15,
    1.42151175831644588870e-7,
    1.84631831751005468180e-5,
    7.86869131145613259100e-4,
    1.48753612908506148525e-2,
    1.36929880922735805310e-1,
    5.99832206555887937690e-1,
    1.0,
)


@numba.njit(cache=True, nogil=True, inline="always")
def normal_pdf(x: float) -> float:
    """Return the standard normal density at ``x``."""
    return _INVERSE_SQRT_TAU * math.exp(-0.5 * x * x)


@numba.njit(cache=True, nogil=True, inline="always")
def normal_cdf(x: float) -> float:
    """Return P(Z < x), accurate in the lower tail."""
    return 0.5 * math.erfc(-x * _SQRT_HALF)


@numba.njit(cache=True, nogil=True)
def _polynomial(coefficients: tuple[float, ...], x: float) -> float:
    """Return the polynomial with these coefficients, highest power first, by Horner's rule."""
    value = coefficients[0]
    for coefficient in coefficients[1:]:
        value = value * x + coefficient
    return value


@numba.njit(cache=True, nogil=True)
def normal_quantile(p: float) -> float:
    """Return the x with P(Z < x) = ``p``, to a relative error of 1e-16.

    Algorithm AS 241 of Wichura (1988), Applied Statistics 37(3), https://doi.org/10.2307/2347330.
    """
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        return q * _polynomial(_CENTRE_NUMERATOR, r) / _polynomial(_CENTRE_DENOMINATOR, r)
    r = math.sqrt(-math.log(min(p, 1 - p)))
    if r <= 5:
        r -= 1.6
        x = _polynomial(_TAIL_NUMERATOR, r) / _polynomial(_TAIL_DENOMINATOR, r)
    else:
        r -= 5
        x = _polynomial(_FAR_TAIL_NUMERATOR, r) / _polynomial(_FAR_TAIL_DENOMINATOR, r)
    return -x if q < 0 else x


@numba.njit(cache=True, nogil=True)
def truncated_normal_quantile(low: float, high: float, uniform: float) -> float:
    """Return the quantile ``uniform`` of the standard normal restricted to ``low`` < Z < ``high``.

    With ``uniform`` from [0, 1) that is a sample, by inversion.
    """
    # The interval is mirrored into the lower tail, where `normal_cdf` is accurate: near 1 the difference of
    # two probabilities would cancel to 0.
    flip = low > 0
    if flip:
        low, high = -high, -low
    below = normal_cdf(low)
    mass = normal_cdf(high) - below
    p = below + uniform * mass
    x = normal_quantile(p) if p > 1e-300 else max(low, min(high, -FARTHEST))
    # Rounding of p must not carry a latent rating over the cutpoint of its level.
    x = min(max(x, low), high)
    return -x if flip else x
