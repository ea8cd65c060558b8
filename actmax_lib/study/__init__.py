"""The forced-choice study of the chapter *do-pictures-help*: its sessions, answers and statistics.

``python -m actmax_lib.study merge *.csv`` pools the files that readers exported.
"""

from actmax_lib.study.human import HUMAN
from actmax_lib.study.records import RecordError, Session, read, write
from actmax_lib.study.session import Design, Trial, load_design, schedule
from actmax_lib.study.statistics import (
    accuracy,
    binomial_interval,
    calibration,
    clustered,
    d_prime,
    paired,
)

__all__ = [
    "HUMAN",
    "Design",
    "RecordError",
    "Session",
    "Trial",
    "accuracy",
    "binomial_interval",
    "calibration",
    "clustered",
    "d_prime",
    "load_design",
    "paired",
    "read",
    "schedule",
    "write",
]
