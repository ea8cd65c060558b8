"""Which notebooks the ordinary test run executes: the quick ones, by a rule."""

import os
from pathlib import PurePosixPath

from scripts.notebooks import documents

# Seconds on one thread of a busy two-core machine, outside the repository. A chapter that is new is
# measured once: ACTMAX_SLOW=1 pytest tests/install -rP -k NAME prints it.
SECONDS = {
    "intro": 12,
    "chapters/formulation/ill-posed": 11,
    "chapters/formulation/l2-closed-forms": 15,
    "chapters/formulation/max-example": 14,
    "chapters/formulation/regularization": 18,
    "chapters/probability/bayes": 19,
    "chapters/probability/implicit-density": 23,
    "chapters/probability/score-matching": 44,
    "chapters/networks/cnn-visualization": 419,
    "chapters/networks/techniques": 35,
    "chapters/networks/atlas": 14,
    "chapters/networks/measured-pictures": 39,
    "chapters/networks/pictures-that-lie": 45,
    "chapters/networks/robustness": 27,
    "chapters/networks/do-pictures-help": 12,
    "chapters/networks/conclusions": 9,
    "chapters/appendix/data": 10,
}


def quickest() -> list[str]:
    """The quickest of each folder, in order."""
    found: dict[PurePosixPath, str] = {}
    for name in SECONDS:
        folder = PurePosixPath(name).parent
        if folder not in found or SECONDS[name] < SECONDS[found[folder]]:
            found[folder] = name
    return list(found.values())


def slow() -> bool:
    """Whether everything is executed: ACTMAX_SLOW=1."""
    return bool(os.environ.get("ACTMAX_SLOW"))


def outside() -> list[str]:
    """What is executed outside the repository: of each folder the quickest."""
    return documents() if slow() else quickest()


def in_lab() -> list[str]:
    """What is executed in JupyterLab: the three quickest of all."""
    return documents() if slow() else sorted(SECONDS, key=SECONDS.__getitem__)[:3]
