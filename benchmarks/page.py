"""The page in a browser: from the slider to the screen."""

import os
import shutil
import statistics
from pathlib import Path

import numpy as np
from playwright.sync_api import Error, Page, Response, sync_playwright

from benchmarks.process import Server

STEPS = 240
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


def page(_: Path) -> list[str]:
    """How live a slider is."""
    head = ["## The page", ""]
    path = executable()
    if path is None:
        return [*head, "Not measured: no Chromium here (SHAPSERVE_CHROMIUM says where one is)."]
    server = Server()
    try:
        server.wait_until_ready()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            lines = measured(browser.new_page(base_url=server.url, viewport={"width": 1280, "height": 900}))
            browser.close()
            return [*head, *lines]
    except Error as error:
        return [*head, f"Not measured: the browser does not start: {error.message.splitlines()[0]}"]
    finally:
        server.stop()


def measured(page: Page) -> list[str]:
    """One slider step after another, each waited for; then a drag without a pause."""
    page.goto("/")
    page.locator("main[data-state=ready]").wait_for()
    answers: list[Response] = []
    page.on("response", lambda response: answers.append(response) if response.url.endswith("/explain") else None)
    page.evaluate(STEP, 20)  # warms
    answers.clear()
    steps = page.evaluate(STEP, STEPS)
    service = [duration(answer.headers["server-timing"]) for answer in answers]
    empty = page.evaluate(EMPTY, STEPS)
    drag = page.evaluate(DRAG, STEPS)
    rows = {
        f"{STEPS} steps of the age slider, each until it is drawn": steps,
        "of these, the service (`Server-Timing`)": service,
        "of these, two frames with nothing to do": empty,
        f"a drag of {STEPS} steps, one per frame: {len(drag)} drawn": drag,
    }
    return [
        "From the event of the slider until the new prediction and its bars are on the screen, in milliseconds.",
        "",
        "| Titanic, headless Chromium | p50 | p95 |",
        "| --- | --- | --- |",
        *(f"| {name} | {statistics.median(times):.1f} | {np.percentile(times, 95):.1f} |" for name, times in rows.items()),
    ]


def duration(timing: str) -> float:
    """The sum of a Server-Timing header, in milliseconds."""
    return sum(float(part.split("dur=")[1]) for part in timing.split(",") if "dur=" in part)


_PAUSE = """
    // Any moment between two frames is as likely as another.
    const pause = () => new Promise(resolve => setTimeout(resolve, Math.random() * 50))
"""

_WAYS = f"""{_PAUSE}
    const slider = document.querySelector('[aria-label="Age slider"]')
    const move = step => {{
        slider.value = 5 + (step * 7) % 70
        slider.dispatchEvent(new Event('input', {{bubbles: true}}))
    }}
    const entries = () => performance.getEntriesByName('what-if')
    const frame = () => new Promise(requestAnimationFrame)
    performance.clearMeasures()
"""

STEP = f"""async steps => {{ {_WAYS}
    for (let step = 1; step <= steps; step++) {{
        await pause()
        move(step)
        while (entries().length < step) await frame()
    }}
    return entries().map(entry => entry.duration)
}}"""
"""(steps) -> ms of each"""

DRAG = f"""async steps => {{ {_WAYS}
    for (let step = 1; step <= steps; step++) {{
        move(step)
        await frame()
    }}
    const main = document.querySelector('main')
    while (main.dataset.state !== 'ready') await frame()
    for (let rest = 0; rest < 4; rest++) await frame()
    return entries().map(entry => entry.duration)
}}"""
"""(steps) -> ms of each that was drawn"""

EMPTY = f"""async times => {{ {_PAUSE}
    const durations = []
    for (let k = 0; k < times; k++) {{
        await pause()
        const start = performance.now()
        await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))
        durations.push(performance.now() - start)
    }}
    return durations
}}"""
"""(times) -> ms of two frames from any moment"""
