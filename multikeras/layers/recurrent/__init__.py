"""Layers that read sequences step by step, and wrappers over time."""
