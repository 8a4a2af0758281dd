"""How it is served: routes, the life of a request, errors, limits, settings, command line."""

__version__ = "0.1.0"
