"""Shared settings: hypothesis draws the same examples every time, without deadlines."""

import pytest
import torch
from hypothesis import HealthCheck, settings

settings.register_profile(
    "actmax",
    derandomize=True,
    deadline=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("actmax")


@pytest.fixture
def one_thread():
    """Tiny networks run faster on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
