"""The proof that goes with every answer: additivity, what is exact, and how far the rest may be off."""

from dataclasses import dataclass

import numpy as np

from models.arrays import Floats


@dataclass(frozen=True)
class Proof:
    """For one instance."""

    exact: bool
    residual: Floats
    """(outputs,): prediction - base value - sum of Shapley values, in float64 from the numbers as sent."""
    tolerance: float
    ok: bool


def prove(
    predictions: Floats, base: Floats, values: Floats, sum_stderr: Floats | None, reference: Floats, *, exact: bool
) -> list[Proof]:
    """One proof per instance.

    predictions, base: (n, outputs) from plain forward passes; values: (n, players..., outputs); sum_stderr: (n, outputs), the
    standard errors of their sums, None where they add up by construction; reference: the network's answers for the background.
    Tolerance: 1e-4 x max(1, |prediction|, largest |f(b)|), plus four standard errors.
    """
    sums = values.reshape(len(values), -1, values.shape[-1]).sum(axis=1)
    residuals = np.round(predictions - base - sums, 15)
    largest = float(np.abs(reference).max())
    proofs = []
    for i, residual in enumerate(residuals):
        tolerance = 1e-4 * max(1.0, float(np.abs(predictions[i]).max()), largest)
        if sum_stderr is not None:
            tolerance += 4 * float(sum_stderr[i].max())
        proofs.append(Proof(exact, residual, tolerance, bool(np.all(np.abs(residual) <= tolerance))))
    return proofs
