"""Horama 0.3.0 (MIT) as it comes, one step a tick, for the comparison in ``run.py``."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from peer_imports import operators_run, prepare_imports
from torch import Tensor, nn


def import_horama():
    """Horama's module ``fourier_fv``, without its progress bar, which cannot be turned off.

    Where torchvision's compiled ``roi_align`` is missing, ``crops`` below stands in for it.
    """
    prepare_imports("horama")
    from horama import common, fourier_fv

    fourier_fv.tqdm = iter
    if not operators_run():
        common.roi_align = crops
    return fourier_fv


def crops(image: Tensor, boxes: Tensor, output_size: tuple[int, int]) -> Tensor:
    """``torchvision.ops.roi_align`` with its defaults, for boxes not larger than the output.

    Then there is one bilinear sample in each bin, in its middle. image: (N, C, H, W); boxes:
    (K, 5) as (image, x0, y0, x1, y1) in pixels, where pixel i is at i; gives (K, C, *output_size).
    Beyond the edge pixels the picture continues, from one pixel beyond them on it is 0.
    """
    height, width = output_size
    corner, extent = boxes[:, 1:3], (boxes[:, 3:5] - boxes[:, 1:3]).clamp(min=1)
    u = (torch.arange(width, dtype=boxes.dtype, device=boxes.device) + 0.5) / width
    v = (torch.arange(height, dtype=boxes.dtype, device=boxes.device) + 0.5) / height
    x = corner[:, 0, None] + extent[:, 0, None] * u
    y = corner[:, 1, None] + extent[:, 1, None] * v
    grid = torch.stack(
        [
            (2 * x / (image.shape[3] - 1) - 1)[:, None, :].expand(-1, height, -1),
            (2 * y / (image.shape[2] - 1) - 1)[:, :, None].expand(-1, -1, width),
        ],
        dim=3,
    )
    out = F.grid_sample(image[boxes[:, 0].long()], grid, padding_mode="border", align_corners=True)
    inside_x = (x >= -1) & (x <= image.shape[3])
    inside_y = (y >= -1) & (y <= image.shape[2])
    return out * (inside_y[:, None, :, None] & inside_x[:, None, None, :])


class Horama:
    """``fourier`` on a picture of ``size``, as many crops of it a step as there are classes.

    Horama climbs one picture, so all crops ask for the first class. values_range is that of our
    networks, which carry their normalization.
    """

    def __init__(self, net: nn.Module, *, size: int) -> None:
        self.module, self.net, self.size = import_horama(), net, size

    def prepare(self, classes: Sequence[int], steps: int) -> Callable[[Callable], None]:
        """A run of ``steps`` steps, which calls its argument in each step."""

        def run(tick: Callable) -> None:
            torch.manual_seed(0)
            self.module.fourier(
                lambda images: self.net(tick(images))[:, classes[0]].sum(),
                total_steps=steps,
                image_size=self.size,
                model_input_size=self.size,
                crops_per_iteration=len(classes),
                values_range=(0.0, 1.0),
                device=next(self.net.parameters()).device,
            )

        return run
