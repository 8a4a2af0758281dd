"""How Shapley values are computed: arrays in, arrays out. Knows no HTTP."""
