"""Opens `.keras` files and writes their predictions: python open_worker.py OUT FILE...

With MULTIKERAS_BACKEND set, or `--keras` first to open them in Keras 3.
"""

from __future__ import annotations

import sys

import numpy as np


def main(arguments: list[str]) -> None:
    if arguments[0] == "--keras":
        import keras

        arguments = arguments[1:]
    else:
        import multikeras as keras
    out, files = arguments[0], arguments[1:]
    x = np.linspace(0, 1, 16 * 64, dtype=np.float32).reshape(16, 8, 8, 1)
    np.savez(out, *[keras.models.load_model(f).predict(x, verbose=0) for f in files])


if __name__ == "__main__":
    main(sys.argv[1:])
