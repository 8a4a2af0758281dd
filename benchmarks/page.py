"""The page in a browser."""

import os
import shutil

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str | None:
    """Where a Chromium is: what SHAPSERVE_CHROMIUM says, or what the system has; None without one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("SHAPSERVE_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
