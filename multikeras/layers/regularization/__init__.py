"""Layers that make training harder so that the result generalizes."""
