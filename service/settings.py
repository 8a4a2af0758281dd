"""Settings, from the environment with the prefix SHAPSERVE_."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.folder import TRAINED


class Settings(BaseSettings):
    """What an operator can set; every line stands in the README's table."""

    model_config = SettingsConfigDict(env_prefix="SHAPSERVE_", frozen=True)

    host: Annotated[str, Field(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="Port to listen on; 0 takes a free one.")] = 8000
    models: Annotated[Path, Field(description="Folder of model folders.")] = TRAINED
    threads: Annotated[int, Field(ge=1, description="Requests computed at once.")] = os.cpu_count() or 1
    max_waiting: Annotated[int, Field(ge=0, description="Requests that may wait; beyond it 503.")] = 64
    max_body_bytes: Annotated[int, Field(ge=1, description="Largest request body; beyond it 413.")] = 32 * 2**20
    deadline_ms: Annotated[int, Field(ge=1, description="Longest time from the last byte of the body to the answer.")] = 30_000
    max_values: Annotated[int, Field(ge=1, description="Shapley values in one answer; beyond it 422.")] = 4_000_000
    poll_seconds: Annotated[float, Field(gt=0, description="How often to look for new, changed and removed models.")] = 1.0
    require_receipt: Annotated[bool, Field(description="Refuse models without a receipt of `shapserve check`.")] = False
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Field(description="debug, info, warning or error.")] = (
        "info"
    )
