"""Which method answers, and why."""

from dataclasses import dataclass, replace

from explainers.game import Explainer, Unsuitable, affordable
from explainers.tree import Tree
from service.ask import Asked
from service.errors import invalid, one_of

_UNIT = {"fields": "column", "columns": "column", "pixels": "pixel", "patches": "pixel"}


@dataclass(frozen=True)
class Choice:
    """The method, and what to say about it."""

    asked: str
    """`auto`, or the method."""
    method: str
    why: str
    explainer: Explainer
    warnings: list[str]


def choose(method: str, asked: Asked, where: str = "/method") -> Choice:
    """The method that was asked for, or for `auto` the best that is affordable. Raises Invalid; where: the pointer."""
    if asked.question.interactions and method not in ("auto", "exact"):
        raise invalid("/interactions", "expected only with the method `exact`")
    if method != "auto":
        _check_available(method, asked, where)
        _check_cost(method, asked)
        return replace(_choice(method, "the request names it", asked), asked=method)
    if asked.question.interactions:
        _check_available("exact", asked, where)
        _check_cost("exact", asked)
        return _choice("exact", "interactions come with `exact`", asked)
    return _auto(asked)


def _auto(asked: Asked) -> Choice:
    """Exact where it is affordable; otherwise sampled for players that can join a coalition, and `deep` for pixels."""
    question, available = asked.question, asked.model.explainers
    limit = question.effort.max_evaluations
    too_many = f"2^{question.players.count} coalitions x {len(question.background.x)} rows are not within {limit} evaluations"
    if "exact" in available and question.players.name in available["exact"].players:
        unruled = asked.model.unsupported.get("deep")
        note = [f"`deep` cannot explain this model: {unruled}"] if unruled else []
        if affordable(available["exact"], question):
            coalitions = f"{2**question.players.count} coalitions x {len(question.background.x)} rows"
            switched = note if question.players.name == "patches" and not asked.explicit_players else []
            return _choice("exact", f"{coalitions} are within {limit} evaluations", asked, switched)
        tree = available.get("tree")
        if isinstance(tree, Tree) and tree.exact_for(question.players):
            return _choice("tree", f"{too_many}, and the branches of the trees give the exact values", asked)
        if "deep" not in available or affordable(available["permutation"], question):
            _check_cost("permutation", asked)
            return _choice("permutation", f"{too_many}: orderings are sampled", asked, note)
        _check_cost("deep", asked)
        biased = ["`deep` is biased; with more `max_evaluations`, or fewer background rows, orderings are sampled"]
        return _choice("deep", f"{too_many}, nor are sampled orderings: one backward pass per row", asked, biased)
    _check_available("deep", asked, "/method")
    _check_cost("deep", asked)
    return _choice("deep", "pixels: one backward pass per row", asked)


def _choice(method: str, why: str, asked: Asked, warnings: list[str] | None = None) -> Choice:
    explainer, players = asked.model.explainers[method], asked.question.players.name
    added_up = f"`{method}` gives values per {_UNIT[players]}; those of one player were added up"
    adds_up = explainer.elementwise and players in ("fields", "patches")
    return Choice("auto", method, why, explainer, [*(warnings or []), *([added_up] if adds_up else [])])


def _check_available(method: str, asked: Asked, where: str) -> None:
    model, players = asked.model, asked.question.players.name
    if method in model.unsupported:
        raise invalid(where, f"`{method}` cannot explain this model: {model.unsupported[method]}")
    if method not in model.explainers:
        raise invalid(where, f"expected auto or {one_of(list(model.explainers))} for this model")
    if players not in (allowed := model.explainers[method].players):
        raise invalid("/players" if asked.explicit_players else where, f"`{method}` takes the players {one_of(allowed)}")


def _check_cost(method: str, asked: Asked) -> None:
    question, limit = asked.question, asked.question.effort.max_evaluations
    try:
        cost = asked.model.explainers[method].cost(question)
    except Unsuitable as error:
        raise invalid("/players", f"{error}; or take `permutation`") from None
    if cost > limit:
        other = " `permutation`," if method == "exact" else ""
        detail = f"`{method}` needs {cost} evaluations per instance, more than it may spend; allow more, or take{other} fewer"
        raise invalid("/max_evaluations", f"{detail} players or a smaller background")
