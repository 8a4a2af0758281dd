"""Tests of the battery: its frame, and a few cases of each part."""
