"""The command `shapserve`."""

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from service.batch import options

if TYPE_CHECKING:
    from service.settings import Settings

app = typer.Typer(
    help="Predictions and Shapley values of trained models over HTTP.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # brackets are brackets, and lines of a docstring no lines of their own
)
_NAMES = ("titanic", "fashion-mnist")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [SHAPSERVE_HOST, 127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [SHAPSERVE_PORT, 8000].")] = None,
    models: Annotated[Path | None, typer.Option(help="Folder of model folders [SHAPSERVE_MODELS].")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that answer [SHAPSERVE_WORKERS, 1].")] = None,
) -> None:
    """Serve the models of a folder."""
    from service.logs import set_up_logs

    settings = _settings(host=host, port=port, models=models, workers=workers)
    if not settings.models.is_dir():
        _fail(f"{settings.models} is not a folder; expected a folder of model folders")
    set_up_logs(settings)
    code = 0
    try:
        if settings.workers > 1:
            from service.workers import supervise

            supervise(settings)
        else:
            from service.app import create_app
            from service.server import Server

            Server(create_app(settings), settings).run()
    except KeyboardInterrupt:
        code = 130
    except SystemExit as end:  # uvicorn has said why
        code = int(end.code or 0)
    except OSError as error:
        _fail(f"the service cannot begin on {settings.host}, port {settings.port}: {error}")
    logging.shutdown()
    os._exit(code)  # all is answered; models that still load are left


@app.command()
def key(name: Annotated[str, typer.Argument(help="Whose key it is, as it will stand in the log.")]) -> None:
    """Make a key for a client: shown once; the settings hold its hash."""
    from service.access import new_key
    from service.settings import is_name

    if not is_name(name):
        _fail("expected a name of 1 to 64 letters, digits, dots, underscores and hyphens")
    secret, digest = new_key()
    typer.echo(f"{name} sends    Authorization: Bearer {secret}")
    typer.echo(f"the service   SHAPSERVE_API_KEYS={name}:{digest}")


@app.command()
def train(
    name: Annotated[str, typer.Argument(help=" or ".join(_NAMES))],
    data: Annotated[
        Path | None, typer.Option(help="Kaggle's train.csv, or the folder of IDX files; without it, downloaded.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write the model folder into [trained/].")] = None,
    background: Annotated[str | None, typer.Option(help="all, N or kmeans:N [kmeans:100].")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1)] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace the model folder if it exists.")] = False,
) -> None:
    """Train one of the two models that ship, and write its folder."""
    if name not in _NAMES:
        _fail(f"there is no training for {name}; expected {' or '.join(_NAMES)}")
    folder = (out or Path("trained")) / name
    if folder.exists() and not force:
        _fail(f"{folder} exists; choose another folder with --out, or say --force")
    _check_background(background)
    from models.training import RECIPES
    from models.training.recipe import DataUnavailable

    try:
        trained = RECIPES[name](data, background=background, seed=seed)
    except DataUnavailable as error:
        _fail(str(error))
    trained.write(folder, force=force)
    for metric, value in trained.manifest.metrics.items():
        typer.echo(f"{metric} {value:.4f}")
    typer.echo(f"written to {folder}")


@app.command()
def audit(
    model: Annotated[Path, typer.Argument(help="A model folder, or the name of one that ships.")],
    instances: Annotated[int, typer.Option(min=1, help="How many rows of the background to explain.")] = 40,
    write: Annotated[bool, typer.Option(help="Store the figures in the folder's manifest.json.")] = True,
) -> None:
    """Measure every method's error and cost over a model's background."""
    from models.folder import TRAINED, InvalidFolder
    from service.audit import audit as run

    folder = model if model.is_dir() else TRAINED / model
    if not folder.is_dir():
        _fail(f"{model} is not a folder; expected a model folder, or the name of one in {TRAINED.name}")
    try:
        run(folder, instances, write=write)
    except (InvalidFolder, OSError) as error:
        _fail(str(error))


@app.command()
def pack(
    model: Annotated[Path, typer.Argument(help="A .keras file, or a .skops file with an estimator or Pipeline.")],
    data: Annotated[Path, typer.Option(help="CSV, Parquet or JSON lines; or a folder of images, one folder per class or none.")],
    out: Annotated[Path, typer.Option(help="The folder to write; its name is the model's.")],
    transformer: Annotated[Path | None, typer.Option(help="A .skops file with what encodes the records.")] = None,
    columns: Annotated[str | None, typer.Option(help="The data's columns that the model takes, in its order: a,b,c.")] = None,
    background: Annotated[str, typer.Option(help="all, N or kmeans:N.")] = "kmeans:100",
    outputs: Annotated[str | None, typer.Option(help="Names of the outputs: a,b,c.")] = None,
    classes: Annotated[str | None, typer.Option(help="Names of the classes; one sigmoid output has two.")] = None,
    fields: Annotated[
        Path | None, typer.Option(help='JSON by field: {"age": {"unit": "years", "minimum": 0, "description": "..."}}')
    ] = None,
    description: Annotated[str, typer.Option(help="What the model answers.")] = "",
    version: Annotated[str, typer.Option(help="Its version.")] = "1",
    scale: Annotated[
        float | None, typer.Option(help="Images: what a byte is multiplied by [1/255, or 1 if the model rescales].")
    ] = None,
    offset: Annotated[float, typer.Option(help="Images: what is added to a scaled byte.")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1)] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace the folder if it exists.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
) -> None:
    """Make a model folder of a model of your own."""
    from models.packing import Unpackable
    from service.pack import pack as run

    def agreed() -> bool:
        return yes or not sys.stdin.isatty() or typer.confirm(f"write {out}?", err=True)

    def listed(text: str | None) -> list[str] | None:
        return None if text is None else [name.strip() for name in text.split(",")]

    try:
        written = run(
            model,
            out,
            data,
            transformer=transformer,
            fields=fields,
            agreed=agreed,
            force=force,
            columns=listed(columns),
            background=background,
            output_names=listed(outputs),
            class_names=listed(classes),
            description=description,
            version=version,
            scale=scale,
            offset=offset,
            seed=seed,
        )
    except (Unpackable, OSError) as error:
        _fail(str(error))
    if not written:
        _fail("nothing was written")
    typer.echo(f"written to {out}; next: shapserve check {out}")


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="A model folder.")],
    instances: Annotated[
        int | None, typer.Option(min=1, help="Rows of the background to explain [8, or 3 if that takes long].")
    ] = None,
    memory: Annotated[int, typer.Option(min=1, help="MiB that the model's process may hold.")] = 4096,
    seconds: Annotated[int, typer.Option(min=1, help="How long it may take.")] = 600,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    write: Annotated[bool, typer.Option(help="Keep the report beside the model, as receipt.json.")] = True,
) -> None:
    """Load and measure a model in a process of its own; exit code 0 if it may serve, else 1."""
    from service.check import check as run

    if not folder.is_dir():
        _fail(f"{folder} is not a folder; expected a model folder")
    passed, trouble = run(folder, instances=instances, memory_mib=memory, seconds=seconds, as_json=as_json, write=write)
    if trouble:
        _say(trouble)
    raise typer.Exit(0 if passed else 1)


@app.command()
def models(
    models: options.Models = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the model folders, and why a folder is refused; loads no model."""
    from models.folder import InvalidFolder
    from service.listing import print_models

    try:
        print_models(_offline(models).models, as_json=as_json)
    except InvalidFolder as error:
        _fail(str(error))


@app.command()
def predict(
    inputs: options.Inputs,
    model: options.Model,
    output: options.Output = None,
    input_format: options.ReadAs = None,
    output_format: options.WriteAs = None,
    ignore: options.Ignore = None,
    models: options.Models = None,
) -> None:
    """Predict the rows of files: CSV, JSONL, Parquet or images in; JSONL, CSV or Parquet out.

    Rows that cannot be answered are named on standard error by number and left out. Exit code 0: every row was answered;
    1: some were left out; 2: wrong usage, or a file that is not as expected; 130: stopped by Ctrl-C, which leaves the rows
    that were done.
    """
    from service.batch.job import Job
    from service.batch.run import run

    job = Job("predict", inputs, model, output, input_format, output_format, {}, tuple(ignore or ()))
    raise typer.Exit(run(job, _offline(models)))


@app.command()
def explain(
    inputs: options.Inputs,
    model: options.OptionalModel = None,
    output: options.Output = None,
    input_format: options.ReadAs = None,
    output_format: options.WriteAs = None,
    ignore: options.Ignore = None,
    method: options.Method = None,
    outputs: options.Outputs = None,
    players: options.Players = None,
    patches: options.Patches = None,
    background: options.Background = None,
    seed: options.Seed = None,
    max_evaluations: options.MaxEvaluations = None,
    max_stderr: options.MaxStderr = None,
    plot: options.Plot = None,
    palette: options.Palette = None,
    models: options.Models = None,
) -> None:
    """Explain the rows of files, as `predict` predicts them; or one request: its answer in JSON, or a picture.

    With --model, INPUT is CSV, JSONL, Parquet or images, and JSONL, CSV or Parquet comes out, with the exit codes of
    `predict`. Without it, INPUT is a body for POST /explain, and --output ends in .json, .svg or .png; these go with --plot
    and --palette, the other options with --model.
    """
    asked = {
        "method": method,
        "outputs": outputs[0] if outputs in (["all"], ["predicted"]) else outputs,
        "players": players,
        "patches": patches,
        "background": background,
        "seed": seed,
        "max_evaluations": max_evaluations,
        "max_stderr": max_stderr,
    }
    asked = {name: value for name, value in asked.items() if value is not None}
    drawn = {name: value for name, value in {"plot": plot, "palette": palette}.items() if value}
    if model is None:
        formats = {"input_format": input_format, "output_format": output_format, "ignore": ignore}
        _check_request(inputs, [*asked, *(name for name, value in formats.items() if value)])
        return _explain_request(Path(inputs[0]), output, drawn, _offline(models))
    if drawn:
        _misused(f"expected --{next(iter(drawn))} without --model, for a body for POST /explain")
    from service.batch.job import Job
    from service.batch.run import run

    job = Job("explain", inputs, model, output, input_format, output_format, asked, tuple(ignore or ()))
    raise typer.Exit(run(job, _offline(models)))


def _check_request(inputs: list[str], others: list[str]) -> None:
    """Whether this is the body of a request."""
    from service.batch.job import INPUT_ENDINGS, format_of

    if others:
        _misused(f"expected --model with --{others[0].replace('_', '-')}")
    if len(inputs) > 1 or Path(inputs[0]).is_dir() or format_of(Path(inputs[0]), INPUT_ENDINGS):
        _misused("expected --model, or one file with a body for POST /explain")


def _explain_request(request: Path, output: Path | None, drawn: dict[str, str], settings: "Settings") -> None:
    from models.folder import InvalidFolder
    from service.errors import Problem
    from service.offline import MEDIA, answer, write

    endings = " or ".join([".svg", ".png"] if "plot" in drawn else MEDIA)
    ending = output.suffix.lower() if output else (".svg" if "plot" in drawn else ".json")
    if ending not in endings.split(" or "):
        _fail(f"expected the name of --output to end in {endings}")
    if output and output.is_dir():
        _fail(f"{output} is a folder; expected --output to name a file")
    if output and not output.parent.is_dir():
        _fail(f"{output.parent} is not a folder; expected --output in one that exists")
    try:
        body = sys.stdin.buffer.read() if str(request) == "-" else request.read_bytes()
        content = answer(body, drawn, settings, MEDIA[ending])
        if output is not None:
            write(output, content)
        else:
            sys.stdout.buffer.write(content)
    except Problem as problem:
        if len(problem.errors) == 1:
            _fail(f"{problem.errors[0].pointer}: {problem.errors[0].detail}")
        for flaw in problem.errors:
            _say(f"{flaw.pointer}: {flaw.detail}")
        _fail(problem.detail)
    except InvalidFolder as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}")


def _offline(models: Path | None) -> "Settings":
    """Nothing listens: what the environment says of addresses does not matter."""
    return _settings(models=models, host="127.0.0.1")


def _settings(**given: object) -> "Settings":
    """From the environment and from what was given; says what is wrong."""
    from pydantic import ValidationError

    from service.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        for e in error.errors(include_input=False):
            where = f"setting {'.'.join(map(str, e['loc']))}" if e["loc"] else "settings"
            _say(f"{where}: {e['msg'].removeprefix('Value error, ')}")
        raise typer.Exit(2) from None


def _check_background(text: str | None) -> None:
    from models.backgrounds import parse_background

    try:
        parse_background(text or "all")
    except ValueError as error:
        _fail(str(error))


def _say(message: str) -> None:
    print(f"shapserve: {message}", file=sys.stderr)


def _fail(message: str) -> NoReturn:
    _say(message)
    raise typer.Exit(1)


def _misused(message: str) -> NoReturn:
    _say(message)
    raise typer.Exit(2)
