"""The battery in small: what `make battery` does for hours, for seconds."""
