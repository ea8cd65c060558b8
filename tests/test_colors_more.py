"""More of colour axes: colours that are nearly grey, matrices that are nearly singular."""

import pytest
import torch

from actmax_lib import fourier, pixels
from actmax_lib.colors import COLOR, color_axes, color_matrix
from actmax_lib.streams import Streams
from actmax_lib.transparency import alpha_penalty, transparent


def rand(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


def test_pictures_that_are_grey_up_to_rounding_have_no_colour_axes():
    grey = rand(4, 1, 8, 8).expand(4, 3, 8, 8)
    with pytest.raises(ValueError, match="do not span 3 channels"):
        color_axes(grey + 1e-6 * rand(4, 3, 8, 8, seed=1))
    assert color_axes(grey + 1e-3 * rand(4, 3, 8, 8, seed=1)).isfinite().all()


def test_a_matrix_that_is_nearly_singular_is_refused():
    with pytest.raises(ValueError, match="singular"):
        color_matrix(torch.diag(torch.tensor([1.0, 1.0, 1e-7])), 3)
    assert color_matrix(torch.diag(torch.tensor([1.0, 1.0, 1e-5])), 3) is not None


def test_three_channels_are_decorrelated_where_nothing_is_said():
    assert torch.equal(color_matrix(None, 3), COLOR)
    assert color_matrix(None, 1) is None


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_alpha_is_the_last_channel_whatever_the_colours_are(channels):
    x = rand(2, channels + 1, 3, 3)
    expected = -2.0 * x[:, channels].mean((1, 2))
    torch.testing.assert_close(alpha_penalty(2.0)(x), expected)


@pytest.mark.parametrize("make", [pixels, fourier])
def test_the_colours_start_as_they_do_without_alpha(make):
    image = make(3, 4)
    start = transparent(image).start(Streams([5, 6]))
    assert torch.equal(start[:, :3], image.start(Streams([5, 6])))
