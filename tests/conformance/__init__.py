"""What any backend must pass, driven by tables."""
