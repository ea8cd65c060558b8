"""When to stop early: ``maximize(stop=...)`` takes a callable (step, history) -> bool.

step: how many steps are done; history: (step, N), what was climbed, on the device of the run.
"""

from collections.abc import Callable

from torch import Tensor

from actmax_lib import checks

Stop = Callable[[int, Tensor], bool]


def plateau(window: int = 32, gain: float = 0.01) -> Stop:
    """Stop when the values no longer rise.

    Every ``window`` steps the mean of the last ``window`` values is compared with that of the
    ``window`` before, so that random transforms average out. The run ends when no image has risen
    by more than ``gain`` >= 0 times the size of its earlier mean. It looks at numbers, and so waits
    for a GPU, once a window. The images of a batch stop together, at the last one's step: with it,
    unlike without, the picture depends on its batch. Under the cosine schedule the steps are still
    long then; ``schedule="constant"`` suits it better.
    """
    window = checks.count("window", window)
    gain = checks.real("gain", gain)
    if gain < 0:
        raise ValueError(f"gain must be at least 0, got {gain}")

    def stop(step: int, history: Tensor) -> bool:
        if step < 2 * window or step % window:
            return False
        late, early = history[-window:].mean(0), history[-2 * window : -window].mean(0)
        return bool((late - early <= gain * early.abs()).all())

    return stop
