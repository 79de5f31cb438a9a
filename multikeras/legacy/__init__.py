"""What tf.keras 2 had and Keras 3 dropped, as mixins for layers and models."""
