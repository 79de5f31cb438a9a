"""Layers in which each position looks at others."""
