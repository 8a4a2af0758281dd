"""How time is measured: both sides in turns, so that the noise of a shared machine meets both."""

import multiprocessing
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import tensorflow as tf

ROUNDS = 5


def seconds(work: Callable[[], object]) -> float:
    """Of one call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def median(work: Callable[[], object], budget: float = 1.0) -> float:
    """Median seconds of as many calls as fit into `budget` seconds, three at least."""
    work()
    times = [seconds(work)]
    while len(times) < 3 or (sum(times) < budget and len(times) < 50):
        times.append(seconds(work))
    return statistics.median(times)


def alternate(ours: Callable[[], object], theirs: Callable[[], float]) -> tuple[float, float]:
    """Median seconds of both sides: a burst of calls of the one, then of the other. `theirs` says its own seconds."""
    sides: tuple[Callable[[], float], ...] = (partial(seconds, ours), theirs)
    for _ in range(2):
        slowest = max(side() for side in sides)  # the first calls warm
    burst = max(2, int(0.3 / slowest))
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for kept, side in zip(times, sides, strict=True):
            side()  # warms the caches that the other side has filled
            kept += [side() for _ in range(burst)]
    return statistics.median(times[0]), statistics.median(times[1])


def matmul_rate() -> float:
    """The machine's limit, measured in a process of its own: in this one, where networks are loaded, a call takes one core."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as apart:
        return apart.submit(_matmul_rate, 2048).result()


def _matmul_rate(size: int) -> float:
    """Floating-point operations per second of the best of several large products."""
    a = tf.random.stateless_normal((size, size), (0, 1))
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(a, a)), autograph=False)
    return 2 * size**3 / min(seconds(lambda: product().numpy()) for _ in range(10))
