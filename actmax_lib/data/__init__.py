"""Fashion-MNIST and CIFAR-10 at real size, every byte checked; a sample that needs no network.

>>> train = load("fashion-mnist", "train")
>>> train.images([0, 1, 2]), train.labels[:3]
"""

from actmax_lib.data.dataset import DataFileError, Dataset
from actmax_lib.data.loading import load, names
from actmax_lib.data.results import result
from actmax_lib.data.shipped import class_means, mean_magnitude

__all__ = [
    "DataFileError", "Dataset", "class_means", "load", "mean_magnitude", "names", "result",
]  # fmt: skip
