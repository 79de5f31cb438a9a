"""Files and results that have to agree between backends, and with Keras 3."""
