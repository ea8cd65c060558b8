"""Claims of chapters/networks/atlas.md.

What was rendered, and what the judge says of it, is read from the results and shown on the page.
"""

import numpy as np
import scipy.stats

from actmax_lib.atlas.figure import wilson

from . import Check, claim
from .tools import broken, worst


@claim(
    "eq:atlas:wilson",
    statement="The ends of Wilson's interval solve (p̂ - p)² = z² p (1 - p) / n; they lie in [0, 1] "
    "and apart for any number of hits, and agree with those of scipy.",
    tol=1e-6,
)
def wilson_interval():
    z, errors, wrong = 1.959964, [], 0
    for hits, n in ((0, 7), (7, 7), (3, 10), (612, 1000), (999, 1000), (1, 24)):
        share, ends = hits / n, wilson(hits, n)
        roots = np.roots([1 + z * z / n, -2 * share - z * z / n, share * share])
        errors.append(np.sort(roots.real) - ends)
        theirs = scipy.stats.binomtest(hits, n).proportion_ci(method="wilson")
        errors.append(np.array([theirs.low, theirs.high]) - ends)
        wrong += broken(-1e-12 <= ends[0] < ends[1] <= 1 + 1e-12)
    return Check(worst(*errors) + wrong, {"1.96": scipy.stats.norm.ppf(0.975)})
