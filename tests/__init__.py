"""The tests, readable as the manual."""
