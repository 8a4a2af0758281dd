"""What Linux says of a process and of its sockets, in /proc; nothing where there is none."""

import os
import re
from pathlib import Path

_PROC = Path("/proc")
_LISTENS = " 0A "
_HEAD = 1 << 16
"""Bytes of /proc/net/tcp that are read: sockets that listen come first, before thousands that wait for their end."""


def memory(pid: int) -> float | None:
    """Resident memory in MiB; None where the system does not say."""
    found = re.search(r"VmRSS:\s+(\d+)", _read(pid, "status"))
    return int(found[1]) / 1024 if found else None


def cpu_seconds(pid: int) -> float:
    """User and system time of all its threads."""
    fields = _read(pid, "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def threads(pid: int) -> int:
    """How many it has."""
    found = re.search(r"Threads:\s+(\d+)", _read(pid, "status"))
    return int(found[1]) if found else 0


def open_files(pid: int) -> int:
    """How many it has, sockets and pipes among them."""
    return len(_links(pid))


def descendants(pid: int) -> list[int]:
    """Its children, their children and so on."""
    children = [int(child) for file in _PROC.glob(f"{pid}/task/*/children") for child in _text(file).split()]
    return [*children, *(below for child in children for below in descendants(child))]


def alive(pid: int) -> bool:
    """Whether it runs; what has ended and waits for its parent does not."""
    stat = _read(pid, "stat").rpartition(")")[2].split()
    return bool(stat) and stat[0] not in "ZX"


def listens(port: int) -> bool:
    """Whether a socket listens on this port."""
    return bool(_listening(port))


def listeners(pids: list[int], port: int) -> list[int]:
    """Those of the processes that hold a socket that listens on this port."""
    sockets = {f"socket:[{inode}]" for inode in _listening(port)}
    return [pid for pid in pids if sockets.intersection(_links(pid))]


def _listening(port: int) -> list[str]:
    """Inodes of the sockets."""
    with open("/proc/net/tcp", "rb", buffering=0) as file:
        lines = file.read(_HEAD).decode().splitlines()[1:]
    return [line.split()[9] for line in lines if f":{port:04X} 00000000:0000{_LISTENS}" in line]


def _links(pid: int) -> list[str]:
    try:
        return [os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return []


def _read(pid: int, name: str) -> str:
    return _text(_PROC / str(pid) / name)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended, or there is no /proc
        return ""
