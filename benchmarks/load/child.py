"""`python -m benchmarks.load.child 5`: the other side of Apart; does what comes through that file, until its end."""

import sys
from multiprocessing.connection import Connection

from benchmarks.load.apart import timed


def main() -> None:
    """One task after the other."""
    with Connection(int(sys.argv[1])) as other:
        while True:
            try:
                work, arguments = other.recv()
            except EOFError:
                return
            other.send(timed(work, arguments))


if __name__ == "__main__":
    main()
