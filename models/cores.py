"""How many cores there are to compute on."""

from joblib.externals.loky import cpu_count

CORES: int = cpu_count()
"""That this process may use: by its affinity, and by the quota of its container, beyond which the system halts all of it."""
