"""nginx in front of the service, with the file that compose mounts, on ports of this machine."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks import proc
from benchmarks.battery.supervisor import free_port
from benchmarks.process import ROOT

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CONF = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")


@contextmanager
def front(folder: Path, behind: int, **changes: str) -> Iterator[int]:
    """The port of an nginx that passes on to another port; changes: directives and other values for them."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)  # its workers may have another user
    port = free_port()
    swaps = {re.findall(rf"\b{name} [^;]+;", CONF)[0]: f"{name} {value};" for name, value in changes.items()}
    path = folder / "nginx.conf"
    path.write_text(adapted(folder, port, behind, swaps), "utf-8")
    command = [str(NGINX), "-e", str(folder / "error.log"), "-c", str(path)]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
    if checked.returncode:
        raise RuntimeError(checked.stderr)
    process = subprocess.Popen([*command, "-g", "daemon off; user root;" if os.getuid() == 0 else "daemon off;"])
    try:
        end = time.monotonic() + 10
        while not proc.listens(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("nginx did not start:\n" + (folder / "error.log").read_text("utf-8"))
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


def adapted(folder: Path, port: int, behind: int, changes: Mapping[str, str]) -> str:
    """The file for this machine: another port, another folder, another place of the service. Raises KeyError."""
    here = {
        "listen 8080": f"listen 127.0.0.1:{port}",
        "shapserve:8000": f"127.0.0.1:{behind}",
        "/tmp/": f"{folder}/",
        "/dev/stderr": f"{folder}/error.log",
        "/dev/stdout": f"{folder}/access.log",
        "worker_processes auto": "worker_processes 1",
    }
    text = CONF
    for old, new in {**changes, **here}.items():
        if old not in CONF:
            raise KeyError(f"deploy/nginx.conf no longer says {old}")
        text = text.replace(old, new)
    return text
