"""nginx in front of the service, as it stands in compose, on ports of this machine."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import proc
from benchmarks.battery.supervisor import free_port
from benchmarks.process import ROOT

CONFIGURATION = ROOT / "deploy" / "nginx.conf"


def absent() -> str:
    """Why nginx cannot be tried here; empty if it can."""
    if shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
        return "nginx is not installed"
    return "" if CONFIGURATION.exists() else f"there is no {CONFIGURATION.relative_to(ROOT)}"


class Front:
    """A context with an nginx that passes on to a port."""

    def __init__(self, behind: int) -> None:
        self.port = free_port()
        self._behind = behind

    def __enter__(self) -> "Front":
        self._work = TemporaryDirectory()
        folder = Path(self._work.name)
        folder.chmod(0o755)  # its workers have another user
        wrapper = folder / "nginx.conf"
        wrapper.write_text(configuration(CONFIGURATION.read_text("utf-8"), folder, self.port, self._behind), "utf-8")
        self._process = subprocess.Popen(
            ["/usr/sbin/nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(wrapper)]
        )
        end = time.monotonic() + 10
        while not proc.listens(self.port):
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("nginx did not start:\n" + (folder / "error.log").read_text("utf-8"))
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)
        self._work.cleanup()


def configuration(included: str, folder: Path, port: int, behind: int) -> str:
    """What is included on the level of http, with ports of this machine, between what the main file says in the container."""
    included = re.sub(r"shapserve:8000", f"127.0.0.1:{behind}", included)
    included = re.sub(r"listen\s+\[::\]:8080[^;]*;", "", included)
    included = re.sub(r"listen\s+8080", f"listen 127.0.0.1:{port}", included)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = [f"{kind}_temp_path {folder}/{kind};" for kind in kinds if f"{kind}_temp_path" not in included]
    lines = ["daemon off;", f"pid {folder}/pid;", f"error_log {folder}/error.log;", "worker_processes 1;"]
    http = [*paths, *(["access_log off;"] if "access_log" not in included else [])]
    return "\n".join([*lines, "events { worker_connections 2048; }", "http {", *http, included, "}", ""])
