"""Which method answers, and why."""

from dataclasses import dataclass

from explainers.game import Explainer, Unsuitable
from service.ask import Asked
from service.errors import invalid, one_of

_UNIT = {"fields": "column", "columns": "column", "pixels": "pixel", "patches": "pixel"}


@dataclass(frozen=True)
class Choice:
    """The method, and what to say about it."""

    method: str
    why: str
    explainer: Explainer
    warnings: list[str]


def choose(method: str, asked: Asked, where: str = "/method") -> Choice:
    """The method that was asked for, or for `auto` the best that is affordable. Raises Invalid; where: the pointer."""
    if asked.question.interactions and method not in ("auto", "exact"):
        raise invalid("/interactions", "expected only with the method `exact`")
    if method == "auto":
        return _auto(asked)
    _check_available(method, asked, where)
    _check_cost(method, asked)
    return _choice(method, "the request names it", asked)


def _auto(asked: Asked) -> Choice:
    """Exact where it is affordable; otherwise sampled for players that can join a coalition, and `deep` for pixels."""
    question, available = asked.question, asked.model.explainers
    limit = question.effort.max_evaluations
    too_many = f"2^{question.players.count} coalitions x {len(question.background.x)} rows are not within {limit} evaluations"
    if "exact" in available and question.players.name in available["exact"].players:
        if question.interactions:
            _check_cost("exact", asked)
        if _affordable("exact", asked):
            coalitions = f"{2**question.players.count} coalitions x {len(question.background.x)} rows"
            return _choice("exact", f"{coalitions} are within {limit} evaluations", asked)
        if _affordable("permutation", asked):
            note = [f"`deep` cannot explain this model: {reason}" for reason in [asked.model.unsupported.get("deep")] if reason]
            return _choice("permutation", f"{too_many}: orderings are sampled", asked, note)
        if "deep" in available:
            return _choice("deep", f"{too_many}, nor are sampled orderings: one backward pass per row", asked)
        _check_cost("permutation", asked)
    _check_available("deep", asked, "/method")
    _check_cost("deep", asked)
    return _choice("deep", "pixels: one backward pass per row", asked)


def _choice(method: str, why: str, asked: Asked, warnings: list[str] | None = None) -> Choice:
    explainer, players = asked.model.explainers[method], asked.question.players.name
    added_up = f"`{method}` gives values per {_UNIT[players]}; those of one player were added up"
    adds_up = explainer.elementwise and players in ("fields", "patches")
    return Choice(method, why, explainer, [*(warnings or []), *([added_up] if adds_up else [])])


def _check_available(method: str, asked: Asked, where: str) -> None:
    model, players = asked.model, asked.question.players.name
    if method in model.unsupported:
        raise invalid(where, f"`{method}` cannot explain this model: {model.unsupported[method]}")
    if method not in model.explainers:
        raise invalid(where, f"expected auto or {one_of(list(model.explainers))} for this model")
    if players not in (allowed := model.explainers[method].players):
        raise invalid("/players" if asked.explicit_players else where, f"`{method}` takes the players {one_of(allowed)}")


def _affordable(method: str, asked: Asked) -> bool:
    explainer = asked.model.explainers.get(method)
    try:
        return explainer is not None and explainer.cost(asked.question) <= asked.question.effort.max_evaluations
    except Unsuitable:
        return False


def _check_cost(method: str, asked: Asked) -> None:
    question, limit = asked.question, asked.question.effort.max_evaluations
    try:
        cost = asked.model.explainers[method].cost(question)
    except Unsuitable as error:
        raise invalid("/players", f"{error}; or take `permutation`") from None
    if cost > limit:
        other = " `permutation`," if method == "exact" else ""
        detail = f"`{method}` needs {cost} evaluations per instance and may spend {limit}; allow more, or take{other} fewer"
        raise invalid("/max_evaluations", f"{detail} players or a smaller background")
