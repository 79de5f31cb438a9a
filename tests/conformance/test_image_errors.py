"""What ops on images, patches and label sequences refuse, and that they say why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from multikeras import ops
from multikeras.symbolic import KerasTensor

X = np.zeros((2, 4, 6, 3), "float32")
U = np.zeros((2, 4, 6, 3), "uint8")
LABELS = (np.zeros((2, 3), "int32"), np.zeros((2, 5, 4), "float32"))
LENGTHS = (np.array([3, 3], "int32"), np.array([5, 5], "int32"))
image = ops.image

# (function, arguments, settings, words of the message)
REFUSED = [
    (ops.ctc_loss, (*LABELS, *LENGTHS), {"mask_index": 4}, "mask_index.*4 classes, got 4"),
    (ops.ctc_loss, (LABELS[0][0], LABELS[1], *LENGTHS), {}, "target.*batch, labels.*\\(3,\\)"),
    (ops.ctc_loss, (*LABELS, LENGTHS[0][0], LENGTHS[1]), {}, "target_length"),
    (ops.ctc_decode, (LABELS[1], LENGTHS[1], "best"), {}, "strategy.*greedy.*'best'"),
    (ops.ctc_decode, (LABELS[1], LENGTHS[1]), {"mask_index": -1}, "mask_index"),
    (ops.ctc_decode, (LABELS[1], LENGTHS[1], "beam_search", 2, 3), {}, "top_paths=3"),
    (ops.unfold, (X[0], 2), {}, "rank 4"),
    (ops.unfold, (X, 7), {}, "does not fit"),
    (ops.unfold, (X, 0), {}, "kernel_size.*at least 1.*0"),
    (ops.fold, (X[0], (4, 6), 2), {}, "multiple of"),
    (ops.fold, (np.zeros((1, 4, 9)), (4, 4), 3), {}, "multiple of"),
    (ops.fold, (np.zeros((1, 4, 8)), (4, 4), 2), {}, "3 x 3 windows.*has 8"),
    (ops.depth_to_space, (X, 2), {}, "multiple of 4, got 3"),
    (ops.space_to_depth, (X, 4), {}, "width.*multiple of 4, got 6"),
    (ops.space_to_depth, (X, 1), {}, "block_size.*at least 2"),
    (ops.space_to_depth, (X[0], 2), {}, "rank 4"),
    (ops.adaptive_average_pool, (X, (1, 2, 3)), {}, "output_size.*2 of them"),
    (ops.adaptive_max_pool, (X[0, 0], 2), {}, "rank 3 or 4 or 5"),
    (ops.psnr, (X, X[:1], 1.0), {}, "same shape"),
    (image.resize, (X, 5), {}, "size.*height, width.*5"),
    (image.rgb_to_hsv, (U,), {}, "floats between 0 and 1.*uint8"),
    (image.hsv_to_rgb, (X[..., :2],), {}, "3 channels"),
    (image.rgb_to_grayscale, (X[..., :2],), {}, "3 or 1 channels"),
    (image.gaussian_blur, (X,), {"sigma": 0}, "sigma.*positive.*0"),
    (image.gaussian_blur, (X,), {"kernel_size": (3, 3, 3)}, "kernel_size"),
    (image.sobel_edges, (X[0, 0],), {}, "rank 2"),
    (image.ssim, (X, X), {}, "11 pixels does not fit"),
    (image.ssim, (X, X[:, :2]), {}, "same shape"),
    (image.crop_images, (X, 1, 1), {}, "exactly two of"),
    (image.crop_images, (X, 3, 0, 3, 0), {}, "target_height.*-2"),
    (image.crop_images, (X, -1, 0, 0, 0), {}, "top_cropping.*-1"),
    (image.pad_images, (X, 1, 0), {"target_height": 2, "target_width": 6}, "bottom_padding.*-3"),
    (image.extract_patches, (X, 9), {}, "does not fit"),
    (image.extract_patches, (X, 2), {"padding": "causal"}, "padding.*'causal'"),
    (image.extract_patches_3d, (X[0, 0], 2), {}, "rank 4 or, a batch, 5"),
    (image.map_coordinates, (X, np.zeros((2, 3)), 1), {}, "rank of `inputs`"),
    (image.map_coordinates, (X[0, 0, 0], np.zeros((1, 3)), 3), {}, "order.*0 or 1, got 3"),
    (image.map_coordinates, (X[0, 0, 0], np.zeros((1, 3)), 1, "loop"), {}, "fill_mode.*'loop'"),
    (image.affine_transform, (X, np.zeros(6)), {}, "transform.*\\(8,\\).*\\(6,\\)"),
    (image.affine_transform, (X, np.zeros((3, 8))), {}, "3 images"),
    (image.affine_transform, (X, np.zeros(8), "bicubic"), {}, "interpolation.*'bicubic'"),
    (image.perspective_transform, (X, np.zeros((3, 2)), np.zeros((4, 2))), {}, "start_points"),
    (image.elastic_transform, (X,), {"sigma": -1.0}, "sigma.*-1.0"),
    (image.scale_and_translate, (X, (2, 4, 6), [1.0], [0.0], (1,), "linear"), {}, "output_shape"),
    (image.scale_and_translate, (X, X.shape, [1.0], [0.0], (1,), "best"), {}, "method.*'best'"),
    (image.scale_and_translate, (X, (9, 4, 6, 3), [1.0], [0.0], (1,), "cubic"), {}, "dimension 0"),
]
IDS = [f"{number}-{row[0].__name__}" for number, row in enumerate(REFUSED)]


@pytest.mark.parametrize(("function", "args", "settings", "words"), REFUSED, ids=IDS)
def test_bad_input_is_refused(function: Any, args: Any, settings: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words) as error:
        function(*args, **settings)
    assert function.__name__ in str(error.value) or "window" in str(error.value)


@pytest.mark.parametrize(("function", "args", "settings", "words"), REFUSED, ids=IDS)
def test_bad_symbolic_input_is_refused(function: Any, args: Any, settings: Any, words: str) -> None:
    symbols = [
        KerasTensor(a.shape, str(a.dtype)) if isinstance(a, np.ndarray) else a for a in args
    ]
    with pytest.raises(ValueError, match=words):
        function(*symbols, **settings)
