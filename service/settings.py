"""Settings, from the environment with the prefix SHAPSERVE_."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from models.cores import CORES
from models.folder import TRAINED

Names = Annotated[tuple[str, ...], NoDecode]
"""Written with commas between them."""
_NAME, _DIGEST = re.compile(r"[A-Za-z0-9._-]{1,64}"), re.compile(r"[0-9a-f]{64}")
_HOST, _ORIGIN = re.compile(r"\*|[a-z0-9._-]+|\[[0-9a-f:.]+\]"), re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^/?#@\s]*")
_DAY = 86_400
"""Seconds: no time that can be set is longer."""
_LOCAL = ("localhost", "127.0.0.1", "[::1]")


class Settings(BaseSettings):
    """What an operator can set; every line stands in the README's table."""

    model_config = SettingsConfigDict(env_prefix="SHAPSERVE_", frozen=True)

    host: Annotated[str, Field(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="Port to listen on; 0 takes a free one.")] = 8000
    models: Annotated[Path, Field(description="Folder of model folders.")] = TRAINED
    workers: Annotated[int, Field(ge=1, le=64, description="Processes; each holds every model.")] = 1
    threads: Annotated[int, Field(ge=1, description="Requests computed at once by a process.")] = 2 * CORES
    max_waiting: Annotated[int, Field(ge=0, description="Requests that may wait; beyond it 503.")] = 64
    max_body_bytes: Annotated[int, Field(ge=1, description="Largest request body; beyond it 413.")] = 32 * 2**20
    max_bodies_bytes: Annotated[
        int, Field(ge=1, description="All bodies and unread answers that are held at once; beyond it 503.")
    ] = 256 * 2**20
    body_seconds: Annotated[
        float, Field(gt=0, le=_DAY, description="Longest time that a body may take to arrive; beyond it 408.")
    ] = 30
    deadline_ms: Annotated[
        int, Field(ge=1, le=1000 * _DAY, description="Longest time from the last byte of the body to the answer.")
    ] = 30_000
    drain_seconds: Annotated[
        float, Field(ge=0, le=_DAY, description="How long to go on accepting after SIGTERM, while `/readyz` says no.")
    ] = 0
    max_values: Annotated[int, Field(ge=1, description="Shapley values in one answer; beyond it 422.")] = 4_000_000
    poll_seconds: Annotated[
        float, Field(gt=0, le=_DAY, description="Seconds between two looks for new, changed and removed models.")
    ] = 1.0
    require_receipt: Annotated[bool, Field(description="Refuse models without a receipt of `shapserve check`.")] = False
    show_samples: Annotated[bool, Field(description="Whether k-means backgrounds may be looked at as samples.")] = True
    access: Annotated[
        Literal["keys", "open"],
        Field(
            description="`open`: who reaches the port may ask. `keys`: needed beyond this machine, and wherever there are keys."
        ),
    ] = "keys"
    api_keys: Annotated[Names, Field(description="name:sha256 with commas between; `shapserve key` makes one.")] = ()
    rate_per_second: Annotated[
        float | None,
        Field(gt=0, allow_inf_nan=False, description="Requests of each key that a process takes per second; beyond it 429."),
    ] = None
    rate_burst: Annotated[int, Field(ge=1, description="Requests of a key that may come at once.")] = 20
    trusted_hosts: Annotated[
        Names, Field(description="Names that the service is called by, or `*`; only this machine's if that is all it listens on.")
    ] = ()
    cors_origins: Annotated[Names, Field(description="Origins whose pages may ask, as `https://example.org`.")] = ()
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Field(description="debug, info, warning or error.")] = (
        "info"
    )
    log_format: Annotated[Literal["auto", "json", "text"], Field(description="json, text, or auto: text on a terminal.")] = "auto"

    @field_validator("host")
    @classmethod
    def _bare(cls, host: str) -> str:
        return host.removeprefix("[").removesuffix("]")

    @field_validator("api_keys", "trusted_hosts", "cors_origins", mode="before")
    @classmethod
    def _split(cls, names: object) -> object:
        return tuple(filter(None, (name.strip() for name in names.split(",")))) if isinstance(names, str) else names

    @field_validator("api_keys")
    @classmethod
    def _keys(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        pairs = [key.partition(":") for key in keys]
        good = all(is_name(name) and _DIGEST.fullmatch(digest) for name, _, digest in pairs)
        if not good or len({name for name, _, _ in pairs}) < len(keys):
            raise ValueError("expected name:sha256 with commas between, every name once; `shapserve key NAME` makes one")
        return keys

    @field_validator("trusted_hosts")
    @classmethod
    def _hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_HOST.fullmatch(host.lower()) for host in hosts):
            raise ValueError("expected names without scheme, port or path, as `example.org`, or `*`, with commas between")
        return hosts

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError("expected origins as browsers send them, as `https://example.org`, or `*`, with commas between")
        return origins

    @model_validator(mode="after")
    def _holds_a_body(self) -> "Settings":
        if self.max_bodies_bytes < self.max_body_bytes:
            raise ValueError("expected SHAPSERVE_MAX_BODIES_BYTES to be at least SHAPSERVE_MAX_BODY_BYTES: one body has to fit")
        return self

    @model_validator(mode="after")
    def _is_guarded(self) -> "Settings":
        if not self.is_local and not self.api_keys and self.access != "open":
            raise ValueError(
                f"listening on {self.host}, others can reach the service: expected SHAPSERVE_API_KEYS (`shapserve key NAME`"
                " makes one), or SHAPSERVE_ACCESS=open if everybody who reaches the port may ask"
            )
        if self.access == "open" and self.api_keys:
            raise ValueError("expected either SHAPSERVE_API_KEYS or SHAPSERVE_ACCESS=open, not both")
        if self.rate_per_second is not None and not self.api_keys:
            raise ValueError("SHAPSERVE_RATE_PER_SECOND counts by key; expected SHAPSERVE_API_KEYS too")
        return self

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the service."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def hosts(self) -> frozenset[str]:
        """Lower-case names that requests may be addressed to; `*` for every name."""
        return frozenset(name.lower() for name in self.trusted_hosts) or frozenset((*_LOCAL, self.host) if self.is_local else "*")


def is_name(text: str) -> bool:
    """Whether a key may have this name, which stands in the log."""
    return _NAME.fullmatch(text) is not None
