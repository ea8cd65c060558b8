"""Numbers under pictures (chapters *score-matching*, *measured-pictures* and *robustness*).

A measure takes pictures and gives one number a picture, so that ``interval`` can say how sure its
mean is; where pictures are compared with each other, one number a class.
"""

from actmax_lib.metrics.alignment import alignment, linear_robustness
from actmax_lib.metrics.held_out import Transfer, held_out_value, transfer, unseen
from actmax_lib.metrics.paths import PathSimilarity, path_similarity
from actmax_lib.metrics.prototypes import (
    cosine_to_mean,
    gan_test,
    high_frequency_share,
    log_density_ratio,
)
from actmax_lib.metrics.seeds import Interval, interval, seed_diversity
from actmax_lib.metrics.spectra import luminance, radial_spectrum, spectrum_distance

__all__ = [
    "Interval",
    "PathSimilarity",
    "Transfer",
    "alignment",
    "cosine_to_mean",
    "gan_test",
    "held_out_value",
    "high_frequency_share",
    "interval",
    "linear_robustness",
    "log_density_ratio",
    "luminance",
    "path_similarity",
    "radial_spectrum",
    "seed_diversity",
    "spectrum_distance",
    "transfer",
    "unseen",
]
