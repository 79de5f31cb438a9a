"""The loop on PyTorch: a plain eager one with `torch.optim.Adam`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch


def train(
    model: torch.nn.Module, x: np.ndarray, y: np.ndarray, batch_size: int, epochs: int
) -> Callable[[], float]:
    """`model` is a module that gives logits."""
    inputs, labels = torch.from_numpy(x), torch.from_numpy(y).long()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_of = torch.nn.CrossEntropyLoss()
    count = len(inputs)

    def run() -> float:
        for _ in range(epochs):
            order = torch.randperm(count)
            total = torch.zeros(())
            for start in range(0, count, batch_size):
                rows = order[start : start + batch_size]
                optimizer.zero_grad()
                loss = loss_of(model(inputs[rows]), labels[rows])
                loss.backward()
                optimizer.step()
                total += loss.detach() * len(rows)
            mean = total.item() / count
        return mean

    return run
