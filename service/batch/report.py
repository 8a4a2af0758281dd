"""What a run says on standard error: progress, bad rows by number, warnings added up, and one line at the end."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from service.batch.rows import Row

_MOST_NAMED = 20
_COUNT = re.compile(r"\b(\d+) of \d+ (instances|images)\b")


class Report:
    """Counts what happens and says it. Values of rows are never said."""

    def __init__(self) -> None:
        self.answered = self.bad = 0
        self._warnings: Counter[str] = Counter()
        self._console = Console(stderr=True)
        self._begin = time.perf_counter()
        self._explained = False
        self._advance: Callable[[], None] = lambda: None

    def say(self, message: str) -> None:
        """One line."""
        self._console.print(f"shapserve: {message}", markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def loading(self, name: str) -> Iterator[None]:
        """While the model loads; the clock starts at its end."""
        with self._console.status(f"loading {name}"):
            yield
        self._begin = time.perf_counter()

    @contextmanager
    def progress(self, total: int | None) -> Iterator["Report"]:
        """While rows are answered; seen on terminals only. total: rows, if that is known."""
        columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.fields[done]}"), _Rate(), TimeElapsedColumn())
        with Progress(*columns, console=self._console, transient=True, disable=not self._console.is_terminal) as shown:
            task = shown.add_task("", total=total, done="")
            self._advance = lambda: shown.update(task, completed=self.answered + self.bad, done=f"{self._done:,} rows")
            yield self

    def took(self, content: dict[str, Any], rows: int) -> None:
        """An answer for so many rows."""
        if "why" in content and not self._explained:
            self._explained = True
            background = content["background"]
            known = f"{content['players']}, background `{background['name']}` of {background['rows']} rows"
            self.say(f"method `{content['method']}`: {content['why']}; {known}")
        self.answered += rows
        for warning in content["warnings"]:
            found = _COUNT.search(warning)
            self._warnings[_COUNT.sub(r"{} of {} \2", warning) if found else warning] += int(found[1]) if found else 0
        self._advance()

    def left_out(self, rows: Iterable[Row]) -> None:
        """Names the first, counts the rest."""
        for row in rows:
            self.bad += 1
            if self.bad <= _MOST_NAMED:
                self.say(f"row {row.number} ({row.place}): {'; '.join(row.flaws)}")
            elif self.bad == _MOST_NAMED + 1:
                self.say("further bad rows are counted, not named")
        self._advance()

    def end(self) -> None:
        """Warnings, then the summary."""
        for warning, count in self._warnings.items():
            self.say("warning: " + (warning.replace("{} of {}", f"{count} of {self.answered}") if count else warning))
        seconds = time.perf_counter() - self._begin
        rate = f"{self.answered / seconds:.3g}" if self.answered < 100 * seconds else f"{self.answered / seconds:,.0f}"
        left = f", {_rows(self.bad, 'bad row')} left out" if self.bad else ""
        self.say(f"{_rows(self.answered, 'row')} in {seconds:.{1 if seconds >= 1 else 2}f} s, {rate} rows/s{left}")

    @property
    def _done(self) -> int:
        return self.answered + self.bad


class _Rate(ProgressColumn):
    """Rows per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} rows/s" if task.speed else "")


def _rows(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"
