"""A recommender: a score for each (user, document) pair from what the user consumed before.

Embeddings of the documents in each user's history (0 is padding) are averaged under their mask,
weighted by how long each was consumed, and passed through dense layers with a leaky activation;
the score is the inner product of the user's and the document's embedding. Trained on interactions
that this script generates: users have hidden tastes, and like documents that suit them.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import multikeras as keras
from multikeras import layers, ops


class CollabFilteringModel(keras.Model):
    """Scores all documents for each user.

    Args:
        num_docs: number of documents; their ids are 1 to `num_docs`, 0 is padding.
        doc_embed_dim: size of the embeddings.
        history_length: how many documents a history holds.
    """

    def __init__(
        self, num_docs: int, doc_embed_dim: int, history_length: int, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.num_docs = num_docs
        self.doc_embed_dim = doc_embed_dim
        self.history_length = history_length
        self.documents = layers.Embedding(num_docs + 1, doc_embed_dim, mask_zero=True)
        self.hidden = [layers.Dense(32), layers.Dense(doc_embed_dim)]
        self.activation = layers.LeakyReLU(0.1)

    def call(self, doc_history: Any, time_history: Any) -> Any:
        """Scores `(users, documents)`.

        Args:
            doc_history: ids of documents, `(users, history_length)`.
            time_history: how long each was consumed, of the same shape.
        """
        embedded = self.documents(doc_history)
        mask = ops.cast(self.documents.compute_mask(doc_history), embedded.dtype)
        weights = mask * time_history
        weights = weights / (ops.sum(weights, axis=1, keepdims=True) + 1e-6)
        user = ops.einsum("uh,uhd->ud", weights, embedded)
        for layer in self.hidden:
            user = self.activation(layer(user))
        table = self.documents(ops.arange(1, self.num_docs + 1))
        return ops.einsum("ud,kd->uk", user, table)

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step; the two call arguments come as a dict."""
        x, y = data[:2]

        def loss_fn() -> tuple[Any, Any]:
            scores = self(x["documents"], x["times"], training=True)
            return self.compute_loss(x=x, y=y, y_pred=scores), scores

        variables = self.trainable_variables
        compute = keras.value_and_grad(loss_fn, variables, has_aux=True)
        (loss, scores), gradients = compute()
        self.optimizer.apply(gradients, variables)
        self._loss_tracker.update_state(loss)
        return self.compute_metrics(x, y, scores)


def interactions(
    num_users: int, num_docs: int, history_length: int, seed: int = 0
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Histories and the document that each user takes next."""
    generator = np.random.default_rng(seed)
    tastes = generator.normal(size=(num_users, 4))
    documents = generator.normal(size=(num_docs, 4))
    affinity = np.exp(1.5 * tastes @ documents.T)
    affinity /= affinity.sum(axis=1, keepdims=True)
    history = np.zeros((num_users, history_length), np.int32)
    times = np.zeros((num_users, history_length), np.float32)
    following = np.zeros(num_users, np.int32)
    for user in range(num_users):
        length = generator.integers(history_length // 2, history_length + 1)
        chosen = generator.choice(num_docs, size=length + 1, p=affinity[user])
        history[user, :length] = chosen[:-1] + 1
        times[user, :length] = generator.uniform(0.5, 1.5, length)
        following[user] = chosen[-1]
    return {"documents": history, "times": times}, following


def main() -> tuple[float, float]:
    """Trains; gives the top-5 accuracy of the first and the last epoch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    arguments = parser.parse_args()

    keras.utils.set_random_seed(11)
    x, y = interactions(num_users=2000, num_docs=50, history_length=16)
    model = CollabFilteringModel(num_docs=50, doc_embed_dim=16, history_length=16)
    model.compile(
        optimizer=keras.optimizers.Adam(3e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseTopKCategoricalAccuracy(k=5, name="top5")],
    )
    # `call` takes two arguments, `fit` passes one: this call makes the weights.
    model(x["documents"][:1], x["times"][:1])
    history = model.fit(x, y, batch_size=64, epochs=arguments.epochs, verbose=0).history
    for epoch, (loss, top5) in enumerate(zip(history["loss"], history["top5"])):
        print(f"{keras.config.backend()} epoch {epoch + 1}: loss {loss:.4f}, top-5 {top5:.4f}")
    return history["top5"][0], history["top5"][-1]


if __name__ == "__main__":
    main()
