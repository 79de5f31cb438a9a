"""Connectionist temporal classification by PyTorch's own kernel."""

from __future__ import annotations

import torch

from multikeras.backends import checks


def ctc_loss(
    target: torch.Tensor,
    output: torch.Tensor,
    target_length: torch.Tensor,
    output_length: torch.Tensor,
    mask_index: int = 0,
) -> torch.Tensor:
    checks.ctc_loss(target, output, target_length, output_length, mask_index)
    dtype = output.dtype
    wide = output if dtype in (torch.float32, torch.float64) else output.float()
    target, target_length, output_length = (
        x.to(torch.int64) for x in (target, target_length, output_length)
    )
    inside = torch.arange(target.shape[1], device=target.device) < target_length[:, None]
    target = torch.where(inside, target, mask_index)
    if not torch.compiler.is_compiling() and target.numel():
        # The kernel reads at whatever place a label says.
        low, high = target.aminmax()
        if low < 0 or high >= output.shape[2]:
            raise IndexError(
                f"ctc_loss: `target` must hold classes in [0, {output.shape[2]}), got "
                f"{int(low)} to {int(high)}."
            )
    steps = wide.log_softmax(-1).transpose(0, 1)
    # Zero instead of infinity gives impossible sequences no gradient, rather than NaN.
    loss = torch.nn.functional.ctc_loss(
        steps, target, output_length, target_length, mask_index, "none", zero_infinity=True
    )
    needed = target_length + ((target[:, 1:] == target[:, :-1]) & inside[:, 1:]).sum(1)
    return torch.where(needed <= output_length, loss, torch.inf).to(dtype)
