"""`shapserve predict` and `shapserve explain` over files: rows stream in, are answered in batches, and stream out.

The life of a run is `run.py`, top to bottom. Rows come from a source (`sources.py`; one file per format), are answered by the
functions that answer over HTTP (`asking.py`), and go into a sink (`sinks.py`).
"""
