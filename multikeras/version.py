"""The version of multikeras."""

__version__ = "0.1.0"


def version() -> str:
    """The version, as a string.

    Example:
        >>> version() == __version__
        True
    """
    return __version__
