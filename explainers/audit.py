"""How far each method is from the truth, and what it costs: measured on the instances of a question."""

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from explainers.game import Explainer, Question, affordable, base_values
from models.arrays import Floats
from models.manifest import MethodAudit

_TRUTH_FACTOR = 5
"""How much more than a request's evaluations the truth may take."""
_TRUTH_SEED = 2**32 - 1
"""No method that is measured draws the same."""


@dataclass(frozen=True)
class Truth:
    """The best values that are affordable."""

    values: Floats
    """(n, *players.shape, outputs asked for)"""
    known: str
    """How they were found."""


def find_truth(explainers: Mapping[str, Explainer], question: Question) -> Truth:
    """By `exact` where it may run, otherwise by `permutation` with several times the evaluations of a request."""
    generous = _generous(question)
    if truth_is_exact(explainers, question):
        return Truth(explainers["exact"].attribute(generous).values, "exact")
    found = explainers["permutation"].attribute(generous)
    assert found.stderr is not None
    return Truth(found.values, f"permutation, mean stderr {found.stderr.mean():.1g}")


def truth_is_exact(explainers: Mapping[str, Explainer], question: Question) -> bool:
    """Whether `find_truth` enumerates."""
    return "exact" in explainers and affordable(explainers["exact"], _generous(question))


def _generous(question: Question) -> Question:
    limit = _TRUTH_FACTOR * question.effort.max_evaluations
    effort = replace(question.effort, max_evaluations=limit, max_stderr=1e-12, seed=_TRUTH_SEED)
    return replace(question, effort=effort)


def audit_method(explainer: Explainer, question: Question, truth: Truth) -> MethodAudit | None:
    """None when the method does not answer for these players, or costs more than a request may."""
    if question.players.name not in explainer.players or not affordable(explainer, question):
        return None
    parts, seconds = [], []
    for i in range(len(question.x)):
        begin = time.perf_counter()
        parts.append(explainer.attribute(question.part(i, i + 1)))
        seconds.append(time.perf_counter() - begin)
    values = np.concatenate([part.values for part in parts])
    found, right = (_by_explanation(v) for v in (values, truth.values))  # (explanations, players)
    error, large = np.abs(found - right), np.abs(right) >= np.abs(right).mean()
    return MethodAudit(
        players=question.players.name,
        instances=len(values),
        truth=truth.known,
        mean_value=float(np.abs(right).mean()),
        mean_error=float(error.mean()),
        worst_error=float(error.max()),
        sign_errors=float(np.mean(np.sign(found[large]) != np.sign(right[large]))),
        top_errors=float(np.mean(np.abs(found).argmax(axis=1) != np.abs(right).argmax(axis=1))),
        largest_residual=float(np.abs(_residuals(question, values)).max()),
        evaluations=float(np.mean([part.evaluations for part in parts])),
        milliseconds=1000 * statistics.median(seconds),
    )


def _by_explanation(values: Floats) -> Floats:
    """One line per instance and output."""
    return np.moveaxis(values.reshape(len(values), -1, values.shape[-1]), 2, 1).reshape(-1, values[0, ..., 0].size)


def _residuals(question: Question, values: Floats) -> Floats:
    change = question.predictions - base_values(question.background_predictions, question.background)
    return np.take_along_axis(change, question.outputs, 1) - values.reshape(len(values), -1, values.shape[-1]).sum(axis=1)
