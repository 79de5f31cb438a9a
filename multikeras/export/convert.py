"""The second process that writes a SavedModel for a backend that can't.

    python -m multikeras.export.convert save|export MODEL.keras FOLDER SIGNATURE

The folder exists and is empty; the signature is that of `encode_signature`.
"""

from __future__ import annotations

import sys

from multikeras import models  # noqa: F401  declares the classes of models
from multikeras.saving import load_model
from multikeras.saving.model import write_keras
from multikeras.saving.saved_model import decode_signature, export_model, write_saved_model


def main() -> None:
    """Converts as the command line says."""
    what, source, folder, text = sys.argv[1:]
    model = load_model(source)
    signature = decode_signature(text)
    if what == "save":
        write_saved_model(model, folder, write_keras, signature=signature)
    else:
        export_model(model, folder, signature=signature)


if __name__ == "__main__":
    main()
