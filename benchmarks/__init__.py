"""Measurements: speed against peers, error against the truth."""
