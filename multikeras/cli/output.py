"""How the commands print: plain text through rich, without its markup.

Paths and the names of extras contain square brackets, which rich would take for styles.
"""

from rich.console import Console


def say(console: Console, message: str, style: str | None = None) -> None:
    """Print one line as it is: no markup, no wrapping.

    Args:
        console: Where to print.
        message: The text.
        style: A rich style for the whole line, or None.

    Example:
        >>> say(Console(), "pip install 'multikeras[jax]'")
        pip install 'multikeras[jax]'
    """
    console.print(message, style=style, markup=False, highlight=False, soft_wrap=True)
