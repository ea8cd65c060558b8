"""More of the preconditioners: tiny gradients, and pictures of several sizes."""

import torch

from actmax_lib.preconditioners import clip, spectral, unit

close = torch.testing.assert_close


def rand(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


def test_the_unit_of_a_tiny_gradient_has_length_one():
    g = (rand(2, 3, 4, 4) - 0.5).float()
    for size in (1e-6, 1e-14, 1e-16):
        close(unit()(size * g), unit()(g))
    assert torch.equal(clip(1.0)(1e-16 * g), 1e-16 * g)


def test_one_spectral_preconditioner_takes_pictures_of_several_sizes():
    several = spectral()
    for size in ((8, 8), (9, 7), (7, 9), (8, 8)):
        g = rand(1, 2, *size) - 0.5
        assert torch.equal(several(g), spectral()(g))
