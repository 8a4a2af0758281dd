"""Requests of every kind that the service answers, and some that it refuses, drawn at random."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from benchmarks.battery.subjects import Ask, Subject

_SVG, _PNG = "image/svg+xml", "image/png"
SAMPLED = ("exact", "permutation", "monte_carlo", "kernel")
"""Dear for images: few patches, and mostly few background rows."""
_DRAWS = ("permutation", "monte_carlo", "gradient", "kernel", "partition")
_FAST = {"tabular": 40, "image": 3}
"""How many instances are asked about at once, at most."""


def options(random: Random, subject: Subject, method: str) -> dict[str, Any]:
    """Of /explain: players, outputs, seed, background; what a method cannot do is refused, which is an answer too."""
    image, names = subject.manifest.image is not None, subject.manifest.output_names
    chosen: dict[str, Any] = {"method": method}
    if image and method in SAMPLED:
        chosen["patches"] = 2
    elif random.random() < 0.6:
        chosen["players"] = random.choice(("pixels", "patches") if image else ("fields", "columns"))
    if method in _DRAWS and random.random() < 0.7:
        chosen["seed"] = random.randrange(2**32)
    if random.random() < 0.6:
        chosen["outputs"] = random.choice(
            ("all", "predicted", [random.choice(names)]) if not image else ("predicted", [random.choice(names)])
        )
    if random.random() < (0.9 if image and method in SAMPLED else 0.4):
        chosen["background"] = {"instances": subject.instances(random, random.choice((1, 2, 9)))}
    if method == "monte_carlo":
        chosen["max_evaluations"] = 20_000
    if method == "exact" and not image and random.random() < 0.3:
        chosen["interactions"] = True
    return chosen


_ANY = ("auto", "exact", "permutation", "monte_carlo", "kernel", "gradient", "deep", "deep_paths", "deep_shap")
METHODS = {"tabular": (*_ANY, "exact", "tree"), "image": (*_ANY, "partition")}
"""By the kind of the model; what it does not know is refused."""


def _explained(random: Random, subject: Subject) -> tuple[dict[str, Any], int]:
    """Instances and options."""
    kind = subject.manifest.kind
    count = random.choice((1, 1, 1, 2, _FAST[kind]))
    chosen = options(random, subject, random.choice(METHODS[kind]))
    return {"instances": subject.instances(random, count)} | chosen, count


def predict(random: Random, subject: Subject) -> Ask:
    """Up to a thousand records."""
    count = random.choice((1, 3, 1000 if subject.manifest.kind == "tabular" else 20))
    return _native("/predict", subject, {"instances": subject.instances(random, count)})


def explain(random: Random, subject: Subject) -> Ask:
    """By any method."""
    body, count = _explained(random, subject)
    return _native("/explain", subject, body, count)


def draw(random: Random, subject: Subject) -> Ask:
    """A picture of an explanation."""
    several = random.random() < 0.5 and subject.manifest.kind == "tabular"
    body = {"instances": subject.instances(random, 8 if several else 1), "palette": random.choice(("shap", "colour_blind"))}
    if subject.manifest.kind == "tabular":
        body |= {"plot": random.choice(("decision", "bar", "beeswarm") if several else ("waterfall", "force", "decision"))}
    return _native("/explain", subject, body, len(body["instances"]), Accept=random.choice((_SVG, _PNG)))


def compare(random: Random, subject: Subject) -> Ask:
    """Two or three methods."""
    names = ("deep", "deep_shap", "gradient") if subject.manifest.image else ("exact", "permutation", "deep", "kernel")
    methods = random.sample(names, random.choice((2, 3)))
    count = random.choice((1, 4))
    body = {"instances": subject.instances(random, count), "methods": methods, "seed": random.randrange(99)}
    return _native("/compare", subject, body, count * len(methods))


def summarise(random: Random, subject: Subject) -> Ask:
    """Of some instances, or of the background; now and then as a picture."""
    count = random.choice((2, 10)) if subject.manifest.image is None else 2
    body: dict[str, Any] = {"instances": subject.instances(random, count), "method": random.choice(("auto", "deep"))}
    if subject.manifest.image is None and random.random() < 0.2:
        body, count = {"method": "permutation", "max_evaluations": 20_000}, 0
    accept = {"Accept": random.choice((_SVG, _PNG))} if random.random() < 0.2 else {}
    return _native("/summary", subject, body, count, **accept)


def speak_v1(random: Random, subject: Subject) -> Ask:
    """KServe's first protocol."""
    at = f"/v1/models/{subject.manifest.name}"
    if random.random() < 0.3:
        return _ask(f"{at}:predict", {"instances": subject.instances(random, 3)})
    body, count = _explained(random, subject)
    return _ask(f"{at}:explain", {"instances": body.pop("instances"), "parameters": body}, count)


def speak_v2(random: Random, subject: Subject) -> Ask:
    """KServe's second protocol."""
    at = f"/v2/models/{subject.manifest.name}" + random.choice(("", f"/versions/{subject.manifest.version}"))
    body, count = _explained(random, subject)
    inputs = _tensors(subject, body.pop("instances"))
    if random.random() < 0.3:
        return _ask(f"{at}/infer", {"id": "7", "inputs": inputs})
    return _ask(f"{at}/explain", {"inputs": inputs, "parameters": body}, count)


def _tensors(subject: Subject, instances: Sequence[Any]) -> list[dict[str, Any]]:
    n = len(instances)
    if subject.manifest.image:
        return [{"name": "image", "shape": [n], "datatype": "BYTES", "data": [one["b64"] for one in instances]}]
    kinds = {"number": "FP64", "integer": "INT64", "category": "BYTES"}
    columns = {one.name: (kinds[one.type], [instance.get(one.name) for instance in instances]) for one in subject.manifest.fields}
    return [{"name": name, "shape": [n], "datatype": kind, "data": data} for name, (kind, data) in columns.items()]


def look(random: Random, subject: Subject) -> Ask:
    """What can be read without asking anything."""
    at = subject.manifest.name
    paths = (
        "/models",
        f"/models/{at}",
        f"/models/{at}/samples",
        f"/v1/models/{at}",
        f"/v2/models/{at}",
        "/v2",
        "/livez",
        "/nothing",
    )
    return Ask(random.choice(paths), b"")


def mistake(random: Random, subject: Subject) -> Ask:
    """What the service refuses."""
    instances = subject.instances(random, 2)
    body = {"model": subject.manifest.name, "instances": instances}
    wrong = (
        _ask("/explain", body | {"method": "guess"}),
        _ask("/explain", body | {"outputs": ["nobody"]}),
        _ask("/predict", body | {"model": "nobody"}),
        _ask("/explain", body | {"instances": [*instances, {"Sx": 1, "b65": ""}]}),
        _ask("/summary", body | {"plot": "force"}, Accept=_SVG),
        _ask("/compare", body | {"methods": ["deep"]}),
        Ask("/predict", json.dumps(body).encode()[:-9]),
        Ask("/predict", b'{"model": "a", "model": "a"}'),
        Ask("/predict", json.dumps(body).encode(), headers={"Content-Type": "text/plain"}),
        Ask("/explain", json.dumps(body).encode(), headers={"Accept": "text/html"}),
        _ask(f"/v1/models/{subject.manifest.name}:explain", {"instances": [None]}),
        _ask(f"/v2/models/{subject.manifest.name}/infer", {"inputs": []}),
    )
    return random.choice(wrong)


KINDS: dict[Callable[[Random, Subject], Ask], int] = {
    explain: 8,
    predict: 2,
    draw: 1,
    compare: 1,
    summarise: 1,
    speak_v1: 2,
    speak_v2: 2,
    look: 1,
    mistake: 2,
}
"""What is asked, and how often."""


def one(random: Random, subjects: Sequence[Subject]) -> Ask:
    """Any request; one in five about images, if there is a model of them."""
    images = [subject for subject in subjects if subject.manifest.image]
    others = [subject for subject in subjects if not subject.manifest.image]
    subject = random.choice(images if images and (not others or random.random() < 0.2) else others)
    (kind,) = random.choices(list(KINDS), list(KINDS.values()))
    return kind(random, subject)


def _native(path: str, subject: Subject, body: dict[str, Any], explanations: int = 0, **headers: str) -> Ask:
    return _ask(path, {"model": subject.manifest.name} | body, explanations, **headers)


def _ask(path: str, body: dict[str, Any], explanations: int = 0, **headers: str) -> Ask:
    return Ask(path, json.dumps(body).encode(), explanations, headers)
