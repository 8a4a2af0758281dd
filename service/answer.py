"""From a method's values to what is sent: rounded, proven, as JSON."""

from typing import Any

import numpy as np

from explainers.game import Attribution, Question, base_values
from explainers.proof import prove
from models.arrays import Floats
from service.ask import Asked
from service.choose import Choice
from service.context import Context
from service.errors import NotFinite
from service.respond import Json, rounded


def answer(asked: Asked, choice: Choice, attribution: Attribution, context: Context) -> Json:
    """The body; proofs are of the numbers as sent. Raises NotFinite."""
    question, known, manifest = asked.question, asked.background, asked.model.manifest
    if not np.isfinite(attribution.values).all():
        raise NotFinite(f"`{choice.method}` found NaN or infinity for at least one value; another method may not")
    predictions = np.take_along_axis(question.predictions, question.outputs, 1)
    base = np.take_along_axis(base_values(known.predictions, known.background)[None], question.outputs, 1)
    largest = np.abs(attribution.values).reshape(len(predictions), -1, predictions.shape[1]).max(axis=1)
    scale = np.maximum.reduce([np.abs(predictions), np.abs(known.predictions).max(axis=0)[question.outputs], largest])

    def sent(values: Floats | None) -> Floats | None:
        return None if values is None else rounded(values, scale.reshape(len(scale), *[1] * (values.ndim - 2), -1))

    values, stderr, pairs = sent(attribution.values), sent(attribution.stderr), sent(attribution.interactions)
    assert values is not None
    predictions, base = rounded(predictions), rounded(base)
    proofs = prove(predictions, base, values, attribution.sum_stderr, known.predictions, exact=attribution.exact)
    context.metrics.explained(manifest.name, choice.asked, choice.method, attribution, proofs)
    converged = _converged(attribution, question)
    data: Any = asked.instances.columns if question.players.name == "columns" else asked.instances.data
    explanations: list[Json] = [
        {
            "outputs": [manifest.output_names[k] for k in question.outputs[i]],
            "prediction": predictions[i],
            "base_values": base[i],
            "shap_values": values[i],
            "shap_interaction_values": None if pairs is None else pairs[i],
            "data": None if data is None else data[i],
            "imputed": asked.instances.imputed[i],
            "proof": {
                "exact": proof.exact,
                "residual": proof.residual,
                "tolerance": proof.tolerance,
                "ok": proof.ok,
                "stderr": None if stderr is None else stderr[i],
                "converged": converged[i],
                "stopped_by": attribution.stopped_by and attribution.stopped_by[i],
                "evaluations": attribution.evaluations[i],
                "seed": attribution.seed,
            },
        }
        for i, proof in enumerate(proofs)
    ]
    off = sum(not proof.ok for proof in proofs)
    doubts = [f"the values of {off} of {len(proofs)} instances do not add up within the tolerance"] if off else []
    return {
        "model": {"name": manifest.name, "version": manifest.version},
        "method": choice.method,
        "why": choice.why,
        "players": question.players.name,
        "background": {"name": known.name, "rows": len(known.background.x)},
        "feature_names": question.players.names,
        "output_names": manifest.output_names,
        "explanations": explanations,
        "warnings": asked.instances.warnings + asked.warnings + choice.warnings + doubts,
    }


def _converged(attribution: Attribution, question: Question) -> list[bool | None]:
    """Whether `max_stderr` was reached: exact values have no error. None where it was not given, or there is no such error."""
    n = len(attribution.values)
    if question.effort.max_stderr is not None and attribution.exact:
        return [True] * n
    return [None] * n if attribution.converged is None else list(attribution.converged)
