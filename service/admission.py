"""`shapserve check`: a model folder is loaded, run and measured in a process of its own, within limits.

Whatever is in the folder, the process that asks only reads a line of JSON, or learns how the child
ended. The child is this module, run.
"""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from models.folder import InvalidFolder, ModelFolder, read_folder
from models.predictor import Predictor, load_predictor
from models.receipt import LayerReport, Receipt, key_of

if TYPE_CHECKING:
    from service.catalog import Model

_WORST_RESIDUAL = 1e-3
"""Relative to the largest answer, at least 1: of methods that add up by construction."""
_ON_AVERAGE = ("monte_carlo", "gradient")
_INSTANCES, _FEW = 8, 3
"""How many rows of the background are explained, if nothing is said: few where the truth has to be sampled, which takes long."""
_LAST_WORDS = 300
_PR_SET_PDEATHSIG = 1


def admit(path: Path, *, instances: int | None, memory_mib: int, seconds: int) -> Receipt:
    """The receipt that a child process makes of the folder; a child that dies or takes too long is a reason to refuse it."""
    command = [sys.executable, "-P", "-m", "service.admission", str(path.resolve()), str(memory_mib), str(instances or 0)]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, env=os.environ | quiet)
    except subprocess.TimeoutExpired:
        return _refused(path, f"the check did not end within {seconds} s")
    try:
        return Receipt.model_validate_json(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return _refused(path, _death(done, memory_mib))


def _death(done: "subprocess.CompletedProcess[bytes]", memory_mib: int) -> str:
    """How the child ended, in words."""
    said = done.stderr.decode("utf-8", "replace")
    if "MemoryError" in said or "bad_alloc" in said or "OOM" in said or "ResourceExhausted" in said:
        return f"it needs more than {memory_mib} MiB of memory"
    if done.returncode < 0:
        return f"its process was ended by {signal.Signals(-done.returncode).name}; perhaps {memory_mib} MiB of memory are too few"
    last = "".join([line for line in said.splitlines() if line.strip()][-1:])[:_LAST_WORDS]
    return f"its process, which may hold {memory_mib} MiB, ended with code {done.returncode}: {last}"


def _refused(path: Path, *reasons: str) -> Receipt:
    return Receipt(name=path.name, passed=False, reasons=list(reasons))


def _examine(path: Path, instances: int | None) -> Receipt:
    """In the child. Raises whatever the model makes it raise."""
    begin = time.perf_counter()
    try:
        folder = read_folder(path)
        if folder.manifest.name != path.name:
            raise InvalidFolder(f"expected the folder to be named {folder.manifest.name}, as its manifest says")
        from service.loading import assemble

        predictor = load_predictor(folder)
        model = assemble(folder, predictor)
    except InvalidFolder as error:
        return _refused(path, str(error))
    loaded = time.perf_counter() - begin
    return _measured(folder, predictor, model, instances, loaded)


def _measured(folder: ModelFolder, predictor: Predictor, model: "Model", instances: int | None, loaded: float) -> Receipt:
    import numpy as np

    from explainers.audit import truth_is_exact
    from service.audit import measure, question_about
    from service.versions import versions_of

    known = model.backgrounds.named("default")
    report = Receipt(
        name=folder.manifest.name,
        key=key_of(folder.manifest),
        passed=True,
        engine=predictor.engine,
        kind=type(predictor.model).__name__,
        files=folder.manifest.files,
        layers=_layers(predictor),
        unavailable=dict(model.unsupported),
        seconds=round(loaded, 3),
        versions=versions_of(predictor.engine),
    )
    if not np.isfinite(known.predictions).all():
        return report.model_copy(update={"passed": False, "reasons": ["it answers NaN or infinity to its own background"]})
    question = question_about(model, instances or _INSTANCES)
    if instances is None and not truth_is_exact(model.explainers, question):
        question = question.part(0, _FEW)
    audits = measure(model, question, model.explainers)
    auto, why, reasons = _choice(model)
    scale = max(1.0, float(np.abs(known.predictions).max()))
    reasons += [
        f"the values of `{name}` do not add up: a residual of {audit.largest_residual:.1g}"
        for name, audit in audits.items()
        if name not in _ON_AVERAGE and audit.largest_residual > _WORST_RESIDUAL * scale and name != "deep_shap"
    ]
    if not audits:
        reasons.append(f"`max_evaluations` of {folder.manifest.max_evaluations} is too few for every method")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 2**20)
    figures = {"methods": audits, "auto": auto, "why": why, "peak_mib": round(peak, 1)}
    return report.model_copy(update={**figures, "reasons": reasons, "passed": not reasons})


def _layers(predictor: Predictor) -> list[LayerReport]:
    if predictor.engine != "keras":
        return []
    from explainers.deep import rules
    from explainers.deep.coverage import coverage

    return coverage(predictor.model, rules.LAYERS, rules.ACTIVATIONS)


def _choice(model: "Model") -> tuple[str, str, list[str]]:
    """The method that `auto` takes, why, and what speaks against the model."""
    from schemas.explain import ExplainRequest
    from service.ask import ask
    from service.choose import choose
    from service.errors import Invalid
    from service.lane import Clock

    x = model.backgrounds.named("default").background.x[:1]
    request = ExplainRequest(model=model.manifest.name, instances=[None])
    predictions = model.predict(x, lambda: None)
    try:
        asked = ask(request, ["auto"], model, model.reader.restore(x), predictions, Clock(10**9), 10**9)
        choice = choose("auto", asked)
    except Invalid as error:
        return "", "", [f"`auto` has no method for it: {error.detail}"]
    return choice.method, choice.why, []


def _limit(memory_mib: int) -> None:
    """Memory of data, not of addresses: libraries that are mapped do not count; and no life without the parent.

    Where the system knows no such limits there are none.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (memory_mib * 2**20, memory_mib * 2**20))
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    _limit(int(sys.argv[2]))
    made = _examine(Path(sys.argv[1]), int(sys.argv[3]) or None)
    sys.stdout.write("\n" + made.model_dump_json() + "\n")
    sys.stdout.flush()
    os._exit(0)  # threads of libraries may not end
