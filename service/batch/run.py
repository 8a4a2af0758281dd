"""The life of a run, top to bottom."""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from models.folder import InvalidFolder, find_folders, read_folder
from models.manifest import Manifest
from models.tabular import RecordReader
from service.batch.asking import Answered, Ask, answer_rows, asker
from service.batch.batches import Pace, batched
from service.batch.job import Job, Unusable
from service.batch.report import Report
from service.batch.rows import Batch, Row
from service.batch.sinks import SINKS, Sink
from service.batch.sources import check_sources, find_sources, read_sources
from service.batch.stopping import Stopped, Stopping
from service.batch.tables import empty_table
from service.batch.target import check_target, output_format, target
from service.catalog import Catalog
from service.context import Context
from service.errors import one_of
from service.metrics import Metrics
from service.settings import Settings

ALL, SOME, NOTHING = 0, 1, 2
"""Exit codes: every row was answered; bad rows were left out; wrong usage, or an input, model or output that is unusable."""


def run(job: Job, settings: Settings) -> int:
    """The exit code; says on standard error what there is to say."""
    report = Report()
    try:
        with Stopping().listening() as stopping:
            return _run(job, settings, report, stopping)
    except Stopped as stopped:
        report.say("stopped before any row was done; nothing was written")
        return 128 + stopped.number
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still to be flushed goes nowhere
        return 128 + 13
    except (Unusable, InvalidFolder) as error:
        report.say(str(error))
    except OSError as error:
        report.say(": ".join(filter(None, [error.filename, error.strerror or str(error)])))
    return NOTHING


def _run(job: Job, settings: Settings, report: Report, stopping: Stopping) -> int:
    """Find, check, load; then read, answer and write batch by batch. Raises what ends a run."""
    path = None if job.output is None or str(job.output) == "-" else job.output
    kind = output_format(path, job.output_format)
    sources = find_sources(job.inputs, job.input_format)
    check_target(path, sources)
    folder = find_model(job.model, settings.models)
    manifest = _ignoring(read_folder(folder).manifest, job.ignored)
    total, files = check_sources(sources, manifest), any(source.format == "images" for source in sources)
    with report.loading(manifest.name):
        ask = asker(job, manifest.name, _context(folder, manifest, settings))
    rows = read_sources(sources, manifest, settings.max_body_bytes)
    with target(path) as file, report.progress(total):
        sink = SINKS[kind](file, files, lambda: empty_table(job, manifest, files=files))
        stopped = answer_all(rows, Pace(job.task, manifest.kind), ask, sink, report, stopping)
        if stopped and not report.answered:
            raise stopped
        sink.close()
    report.end()
    if stopped:
        report.say(f"stopped: {path or 'standard output'} holds the {report.answered:,} rows that were done until then")
        return 128 + stopped.number
    return SOME if report.bad else ALL


def answer_all(rows: Iterator[Row], pace: Pace, ask: Ask, sink: Sink, report: Report, stopping: Stopping) -> Stopped | None:
    """Batch by batch from the rows into the sink; what stopped it, if something did. Afterwards nothing stops it any more."""
    try:
        for batch in batched(rows, pace):
            begin = time.perf_counter()
            answered = list(answer_rows(batch.rows, ask))
            pace.took(time.perf_counter() - begin)
            with stopping.held():
                _write(batch, answered, sink, report)
        stopping.hold()
    except Stopped as stopped:
        stopping.hold()
        return stopped
    return None


def _write(batch: Batch, answered: list[Answered | Row], sink: Sink, report: Report) -> None:
    bad = [*batch.bad, *(part for part in answered if isinstance(part, Row))]
    report.left_out(sorted(bad, key=lambda row: row.number))
    for part in answered:
        if isinstance(part, Answered):
            sink.write(part)
            report.took(part.content, len(part.rows))


def find_model(name: str, models: Path) -> Path:
    """The folder of this name in the models folder, otherwise at this path. Raises Unusable, InvalidFolder."""
    known = {path.name: path for path in find_folders(models)} if models.is_dir() else {}
    if name in known:
        return known[name]
    if not Path(name).is_dir():
        raise Unusable(f"--model: expected {one_of(list(known)) or 'a name'} of {models}, or the path of a model folder")
    return Path(name)


def _context(folder: Path, manifest: Manifest, settings: Settings) -> Context:
    from service.loading import load_model  # imports the model's library

    model = load_model(folder)
    if manifest.kind == "tabular":  # with the columns that are ignored here
        model = replace(model, reader=RecordReader(manifest))
    return Context(settings, Catalog({manifest.name: model}), Metrics())


def _ignoring(manifest: Manifest, names: Sequence[str]) -> Manifest:
    """Raises Unusable for a field of the model."""
    if fields := {field.name for field in manifest.fields} & set(names):
        raise Unusable(f"--ignore: expected columns that the model does not know, not {one_of(sorted(fields))}")
    return manifest.model_copy(update={"ignored_fields": list(dict.fromkeys([*manifest.ignored_fields, *names]))})
