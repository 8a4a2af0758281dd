"""DeepSHAP: one backward pass per (instance, background row) pair, by rules per layer. Imports TensorFlow."""
