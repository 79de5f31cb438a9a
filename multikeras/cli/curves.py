"""The training curve of the quickstart, as a PNG or as text.

Draws with matplotlib if it can be imported and with characters otherwise; refuses nothing, and
opens no window.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

History = Mapping[str, Sequence[float]]

_BLOCKS = " ▁▂▃▄▅▆▇█"
_ASCII = "  ..::oo#"


def save_png(history: History, path: Path) -> bool:
    """Draw loss and accuracy by epoch into a PNG.

    Args:
        history: Lists of floats, one value an epoch, under names such as `"loss"` and
            `"val_loss"`.
        path: The file to write.

    Returns:
        True, or False if matplotlib is not installed and nothing was written.
    """
    try:
        from matplotlib.figure import Figure  # by itself a Figure needs no display
    except ImportError:
        return False
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for key, label in ((name, "training"), (f"val_{name}", "validation")):
            if key in history:
                axes.plot(range(1, len(history[key]) + 1), history[key], "o-", label=label)
        axes.set(xlabel="epoch", ylabel=name)
        axes.legend()
    figure.savefig(path, dpi=120)
    return True


def text_chart(values: Sequence[float], height: int = 5, blocks: bool = True) -> list[str]:
    """A bar chart of `values` in lines of text, scaled from 0 to the largest value.

    Args:
        values: Numbers of 0 or more, one bar each.
        height: Lines of the chart.
        blocks: Whether block elements may be used; False for ASCII alone.

    Returns:
        `height` lines, the top one first, with the scale at the left.

    Example:
        >>> for line in text_chart([4.0, 2.0, 1.0], height=2):
        ...     print(line.rstrip())
        4.00 |██
             |██ ██ ▄▄
    """
    characters = _BLOCKS if blocks else _ASCII
    top = max(values, default=0.0)
    eighths = [round(value / top * height * 8) if top > 0 else 0 for value in values]
    scale = f"{top:.2f} |"
    lines = []
    for row in reversed(range(height)):
        bars = (characters[min(max(e - row * 8, 0), 8)] * 2 for e in eighths)
        label = scale if row == height - 1 else "|".rjust(len(scale))
        lines.append(label + " ".join(bars))
    return lines
