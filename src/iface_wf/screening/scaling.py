"""How the time of a calculation grows with its size: a power law, fitted to what is known and never without its spread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: What is believed before anything was timed, as standard deviations: of the logarithm of the time, of both exponents.
PRIOR = (math.log(4.0), 0.4, 0.3)
#: Spread of single timings that is believed before there are some (a factor), and how many timings that belief is worth.
NOISE, NOISE_WORTH = math.log(1.5), 4.0
#: Degrees of freedom of Student's t: timings of a machine that was busy with something else pull less.
_TAIL = 4.0
_ROUNDS = 20
#: Timings of other sizes count less, by a Gaussian of this width in the logarithms of electrons and grid: no power law holds from a
#: molecule to a slab, and what is far from all timings is told by what is believed, and with its spread.
_NEAR = 0.7


class Law(NamedTuple):
    """Time of a calculation: ``exp(coefficients . (1, ln electrons, ln grid))`` seconds of a core, sizes by a reference's.

    Attributes
    ----------
    coefficients
        Logarithm of the seconds at the reference, exponent of the electrons, exponent of the grid; shape (3,).
    covariance
        Of the coefficients, shape (3, 3).
    noise
        Standard deviation of the logarithm of one calculation's time about the law.
    sample
        Timings that it was fitted to; 0: what is believed without any.
    """

    coefficients: NDArray[np.float64]
    covariance: NDArray[np.float64]
    noise: float
    sample: int

    def seconds(self, sizes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the median time of calculations, s of one core.

        Parameters
        ----------
        sizes
            Electrons and grid (volume times k-points) as multiples of the reference's, shape (n, 2).
        """
        return np.asarray(np.exp(_terms(sizes) @ self.coefficients))

    def spread(self, sizes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the standard deviation of the logarithm of the law itself at some sizes, without `noise`, shape (n,)."""
        terms = _terms(sizes)
        return np.asarray(np.sqrt(np.einsum("ni,ij,nj->n", terms, self.covariance, terms)))


def fit(
    sizes: NDArray[np.float64],
    seconds: Sequence[float],
    at_reference: float,
    exponents: tuple[float, float],
    near: tuple[float, float] | None = None,
) -> Law:
    """Fit the law to timings, beginning with what is believed without them.

    Bayesian regression of logarithms with Student's t as distribution of the residuals, by expectation maximisation
    (10.2307/2290063): few timings move the law little, many decide it, and single ones far off do not.

    Parameters
    ----------
    sizes
        As in `Law.seconds`.
    seconds
        Time of each calculation, s of one core.
    at_reference
        Time at the reference size that is believed without timings, s.
    exponents
        Of electrons and grid that are believed without timings.
    near
        Size for which the law is wanted: timings of other sizes count less, the farther they are. None: all count alike.

    Returns
    -------
    Law
        With its uncertainty.
    """
    believed = np.array([math.log(at_reference), *exponents])
    precision = np.diag(1.0 / np.square(PRIOR))
    terms, logs = _terms(sizes), np.log(np.asarray(seconds, dtype=float))
    mean, covariance, variance = believed, np.linalg.inv(precision), NOISE**2
    nearness = np.ones(len(logs))
    if near is not None:
        nearness = np.exp(-((terms[:, 1:] - np.log(near)) ** 2).sum(axis=1) / (2.0 * _NEAR**2))
    weights = nearness.copy()
    for _ in range(_ROUNDS if len(logs) else 0):
        weighted = terms.T * weights / variance
        covariance = np.linalg.inv(precision + weighted @ terms)
        mean = covariance @ (precision @ believed + weighted @ logs)
        squares = (logs - terms @ mean) ** 2
        variance = (NOISE_WORTH * NOISE**2 + float(weights @ squares)) / (NOISE_WORTH + nearness.sum())
        weights = nearness * (_TAIL + 1.0) / (_TAIL + squares / variance)
    return Law(np.asarray(mean), np.asarray(covariance, dtype=float), math.sqrt(variance), len(logs))


def _terms(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    table = np.asarray(sizes, dtype=float).reshape(-1, 2)
    return np.column_stack([np.ones(len(table)), np.log(table)])
