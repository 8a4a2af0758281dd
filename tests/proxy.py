"""A real nginx with the file of deploy/, in front of whatever listens on a port."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.process import ROOT

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CONF = (ROOT / "deploy" / "nginx.conf").read_text()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def adapted(folder: Path, port: int, upstream: int, changes: dict[str, str]) -> Path:
    """The file, for this machine: another port, another folder, another place of the service."""
    here = {
        "listen 8080": f"listen 127.0.0.1:{port}",
        "shapserve:8000": f"127.0.0.1:{upstream}",
        "/tmp/": f"{folder}/",
        "/dev/stderr": f"{folder}/error.log",
        "/dev/stdout": f"{folder}/access.log",
        "worker_processes auto": "worker_processes 1",
    }
    text = CONF
    for old, new in (changes | here).items():
        assert old in CONF
        text = text.replace(old, new)
    path = folder / "nginx.conf"
    path.write_text(text)
    return path


@contextmanager
def fronted(folder: Path, upstream: int, **changes: str) -> Iterator[httpx.Client]:
    """A client of an nginx in front of the port; `changes` are directives and their other values."""
    folder.mkdir()
    port = free_port()
    swaps = {re.findall(rf"\b{name} [^;]+;", CONF)[0]: f"{name} {value};" for name, value in changes.items()}
    command = [str(NGINX), "-e", str(folder / "error.log"), "-c", str(adapted(folder, port, upstream, swaps))]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    process = subprocess.Popen([*command, "-g", "daemon off; user root;" if os.getuid() == 0 else "daemon off;"])
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            until_open(port)
            yield client
    finally:
        process.terminate()
        process.wait(timeout=10)


def until_open(port: int) -> None:
    """Wait for somebody to listen there."""
    for _ in range(500):
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise TimeoutError("nobody listens")


def talk(client: httpx.Client, sent: bytes, *, drip: float | None = None) -> bytes:
    """Send, and read until nginx hangs up; `drip`: seconds between single bytes."""
    with socket.create_connection(("127.0.0.1", client.base_url.port or 0), timeout=20) as caller:
        try:
            for piece in [sent] if drip is None else [sent[i : i + 1] for i in range(len(sent))]:
                caller.sendall(piece)
                time.sleep(drip or 0)
        except ConnectionError:
            return b""
        return until_closed(caller)


def until_closed(caller: socket.socket) -> bytes:
    """What still comes."""
    answer = b""
    try:
        while part := caller.recv(65536):
            answer += part
    except ConnectionError:
        return answer
    return answer


@contextmanager
def silence() -> Iterator[int]:
    """A port that takes every connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]
