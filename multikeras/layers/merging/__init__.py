"""Layers that combine several inputs into one."""
