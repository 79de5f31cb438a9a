"""Training loops as one writes them by hand on a bare framework: Adam, cross-entropy, mean loss.

Each module has `train(model, x, y, batch_size, epochs)`, which gives a function that runs the
epochs with shuffled batches and gives the last one's mean loss, as `fit` does. What `model` is
depends on the framework.
"""
