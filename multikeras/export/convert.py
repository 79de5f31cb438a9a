"""The second process that writes and reads TensorFlow's formats for a backend that can't.

    python -m multikeras.export.convert save|export MODEL.keras FOLDER SIGNATURE
    python -m multikeras.export.convert save_weights MODEL.keras PREFIX ""
    python -m multikeras.export.convert load_weights MODEL.keras PREFIX RESULT.weights.h5

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
    what, source, target, text = sys.argv[1:]
    model = load_model(source)
    if what == "save_weights":
        model.save_weights(target, save_format="tf")
    elif what == "load_weights":
        model.load_weights(target).assert_existing_objects_matched()
        model.save_weights(text)
    elif what == "save":
        write_saved_model(model, target, write_keras, signature=decode_signature(text))
    else:
        export_model(model, target, signature=decode_signature(text))


if __name__ == "__main__":
    main()
