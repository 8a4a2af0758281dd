"""`python -m benchmarks.load.child`: the other side of Apart; does what is read from standard input, until its end."""

import pickle
import sys

from benchmarks.load.apart import timed


def main() -> None:
    """One task after the other."""
    out, sys.stdout = sys.stdout.buffer, sys.stderr
    while True:
        try:
            work, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(timed(work, arguments), out)
        out.flush()


if __name__ == "__main__":
    main()
