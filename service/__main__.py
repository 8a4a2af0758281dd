"""`python -m service` is `shapserve`."""

from service.cli import app

app(prog_name="shapserve")
