"""What the tiny sheet is judged by."""

import numpy as np

from classroom.checks import check, close, refuses


@check("double", points=2)
def random_vectors(double, rng):
    """Twice the vector, for random vectors."""
    for _ in range(5):
        x = rng.normal(size=3)
        assert close(double(x), 2 * x), "not twice the vector"


@check("double", points=1)
def empty_vectors(double, rng):
    """An empty vector is refused."""
    x = rng.normal(size=2)
    assert close(double(x), 2 * x), "not twice the vector"
    refuses(ValueError, double, np.zeros(0))


@check("half", points=2)
def random_numbers(half, rng):
    """Half of random numbers."""
    for x in rng.normal(size=5):
        assert close(half(float(x)), x / 2), "not half of the number"
