"""More of transforms: affine ones after one that changes the size."""

import torch
from torch.nn import functional as F

from actmax_lib import compose, crop
from actmax_lib.streams import Streams


def test_a_crop_after_another_size_is_a_window_of_that_size():
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(3, 1, 4, 5, generator=generator, dtype=torch.float64)

    def doubled(x, _streams):
        return F.interpolate(x, scale_factor=2.0, mode="nearest")

    got = compose(doubled, crop((6, 7)))(x, Streams([1, 2, 3], dtype=x.dtype))
    expected = crop((6, 7))(doubled(x, None), Streams([1, 2, 3], dtype=x.dtype))
    torch.testing.assert_close(got, expected)
    windows = doubled(x, None).unfold(2, 6, 1).unfold(3, 7, 1)
    for one, places in zip(got, windows, strict=True):
        off = (places - one[:, None, None]).abs().amax((0, 3, 4))
        assert float(off.min()) < 1e-12
