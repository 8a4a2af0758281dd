"""The options that `predict` and `explain` share, as typer reads them."""

from pathlib import Path
from typing import Annotated

import typer

from service.batch.job import InputFormat, OutputFormat

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT...", help="CSV, JSONL or Parquet files, images (PNG, JPEG), folders of images; - reads standard input."
    ),
]
Model = Annotated[str, typer.Option(metavar="NAME|FOLDER", help="A model of the models folder, or the path of a model folder.")]
Models = Annotated[Path | None, typer.Option(help="Folder of model folders [SHAPSERVE_MODELS].")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="File to write: .jsonl, .csv or .parquet; one that exists is replaced. Without it, standard output.",
    ),
]
ReadAs = Annotated[InputFormat | None, typer.Option("--input-format", help="Of INPUT, in the place of what its ending says.")]
WriteAs = Annotated[
    OutputFormat | None, typer.Option("--output-format", help="In the place of what the ending of --output says [jsonl].")
]

OptionalModel = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME|FOLDER",
        help="A model of the models folder, or the path of a model folder; without it, INPUT is a request.",
    ),
]
Ignore = Annotated[
    list[str] | None, typer.Option(metavar="COLUMN", help="A column that the model does not know, and need not; once per name.")
]
Method = Annotated[str | None, typer.Option(help="As in POST /explain: exact, permutation, deep, ... [auto].")]
Outputs = Annotated[
    list[str] | None,
    typer.Option(metavar="all|predicted|NAME", help="Outputs to explain; once per name for several [the model's default]."),
]
Players = Annotated[str | None, typer.Option(help="fields, columns, pixels or patches [fields or pixels].")]
Patches = Annotated[int | None, typer.Option(help="Patches per side of an image; implies --players patches [4].")]
Background = Annotated[str | None, typer.Option(metavar="NAME", help="A background of the model [default].")]
Seed = Annotated[int | None, typer.Option(help="For methods that draw at random [0].")]
MaxEvaluations = Annotated[int | None, typer.Option(help="Model inputs per row that the method may spend [the model's].")]
MaxStderr = Annotated[float | None, typer.Option(help="Sampling goes on until no standard error is larger.")]
Plot = Annotated[str | None, typer.Option(help="Of a request: waterfall, force, decision, bar, beeswarm or image.")]
Palette = Annotated[str | None, typer.Option(help="Of a request: shap or colour_blind.")]
