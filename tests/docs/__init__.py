"""The pages of docs/, run."""
