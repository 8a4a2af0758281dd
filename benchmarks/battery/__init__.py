"""`make battery`: what the service does under load, faults, bad input and strangers, with a figure for each promise."""
