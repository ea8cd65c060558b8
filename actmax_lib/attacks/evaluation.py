"""Accuracy under attacks of several kinds, and whether gradients were hidden from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor, nn

from actmax_lib import checks
from actmax_lib.attacks.balls import Ball, climb
from actmax_lib.attacks.search import square
from actmax_lib.attacks.values import VALUES, check_attacked, loss_of, seeds_of, wrong
from actmax_lib.probes import untouched
from actmax_lib.streams import Streams

LOOK = 10  # steps after which fooled images leave
MASKED = 0.01  # share of the images that may fall to random search alone


@dataclass(frozen=True, eq=False)
class Robustness:
    """What `robust_accuracy` found; all tensors are (N,), one entry an image.

    clean: answered rightly. after_pgd: and still so under every gradient attack. after_square: and
    still so under the square attack by itself, or None where it was not run. fooled: the share of
    all images that each attack fooled of those the ones before it had left, in their order.
    """

    norm: str
    eps: float
    clean: Tensor
    after_pgd: Tensor
    after_square: Tensor | None
    fooled: dict[str, float]

    @property
    def standing(self) -> Tensor:
        """Answered rightly under all attacks, (N,) bool."""
        if self.after_square is None:
            return self.after_pgd
        return self.after_pgd & self.after_square

    @property
    def accuracy(self) -> float:
        """The robust accuracy: the share of `standing` images."""
        return _share(self.standing)

    @property
    def pgd(self) -> float:
        """Accuracy under all gradient attacks."""
        return _share(self.after_pgd)

    @property
    def square(self) -> float | None:
        """Accuracy under the square attack alone; None where it was not run."""
        return None if self.after_square is None else _share(self.after_square)

    @property
    def masked(self) -> bool:
        """Whether gradients hide: random search fools what no gradient attack does.

        Namely more than one image, and more than 1 % of all or than the other way round. A gradient
        attack sees more than random search, so it must not do worse (Athalye, Carlini & Wagner
        2018). False where the square attack was not run.
        """
        if self.after_square is None:
            return False
        alone = int((self.after_pgd & ~self.after_square).sum())
        more = int(self.after_pgd.sum()) > int(self.after_square.sum())
        return alone > 1 and (alone > MASKED * len(self.clean) or more)

    def __str__(self) -> str:
        lines = [
            f"{self.norm}, ε = {self.eps:.4g}, {len(self.clean)} images",
            f"{_share(self.clean):7.1%} right without attack",
            *(f"{-share:+7.1%} {name}" for name, share in self.fooled.items()),
            f"{self.accuracy:7.1%} right under all of them",
        ]
        if self.masked:
            lines.append(
                f"gradients are masked: random search alone leaves {self.square:.1%}, all "
                f"gradient attacks {self.pgd:.1%}; believe none of the gradient attacks' numbers"
            )
        return "\n".join(lines)


def robust_accuracy(
    net: nn.Module, x: Tensor, labels: Tensor, *, eps: float, norm: str = "l2", steps: int = 50,
    restarts: int = 2, values: Sequence[str] = VALUES,
    step_sizes: Sequence[float] = (0.05, 0.25), queries: int = 1000,
    seed: int | Sequence[int] = 0, batch: int = 250,
) -> Robustness:  # fmt: skip
    """The share of images with no wrong answer within ε, as far as these attacks can tell.

    PGD of ``steps`` steps from ``restarts`` random points of the ball, with each of ``values``
    (`loss_of`) and each of ``step_sizes`` (in units of ε), one after the other on the images that
    are left; an image is fooled when it is at any of the looks, every 10 steps. Then the square
    attack with ``queries`` on all images, fooled or not, so that masked gradients show
    (`Robustness.masked`); 0 leaves it out.

    x: (n, C, H, W) in [0, 1], labels (n,), batch: images at once; it changes rounding only. seed:
    one an image, or the first of consecutive ones. Network and errors: as in `pgd`.
    """
    ball = Ball(norm, eps)
    check_attacked(net, x, labels)
    checks.real("eps", eps)
    ball.check_units(x)
    steps, restarts = checks.count("steps", steps), checks.count("restarts", restarts)
    queries = checks.count("queries", queries, at_least=0)
    batch = checks.count("batch", batch)
    sizes = [checks.real("step_sizes", size, above=0) for size in step_sizes]
    if not sizes or not len(values):
        raise ValueError("step_sizes and values must have at least one entry each")
    attacks = {
        f"PGD on {value}, step {size:g} ε, start {start + 1}": (value, size * eps)
        for start, size, value in product(range(restarts), sizes, values)
    }
    for value in values:
        loss_of(net, labels, value)  # raises for an unknown one
    seeds, n = seeds_of(seed, len(x)), len(x)
    fooled = dict.fromkeys(attacks, 0)
    with untouched([net]):
        x = x.detach().clone()  # within, for those made in inference mode
        clean, after_pgd, after_square = torch.zeros(3, n, dtype=torch.bool, device=x.device)
        for rows in torch.arange(n, device=x.device).split(batch):
            z, y, own = x[rows], labels[rows], [seeds[k] for k in rows.tolist()]
            clean[rows] = ~wrong(net, z, y)
            left, draws = clean[rows].clone(), Streams(own)
            for name, (value, step) in attacks.items():
                start = ball.noise(z, draws.normal(*z.shape[1:]).to(z), draws.uniform().to(z))
                some = left.nonzero()[:, 0]
                fell = _fools(net, z[some], y[some], start[some], ball, value, steps, step)
                left[some[fell]] = False
                fooled[name] += int(fell.sum())
            after_pgd[rows] = left
            some = clean[rows].nonzero()[:, 0]
            if queries and len(some):
                own = [own[k] for k in some.tolist()]
                z = square(net, z[some], y[some], eps=eps, norm=norm, queries=queries, seed=own)
                after_square[rows[some]] = ~wrong(net, z, y[some])
    if queries:
        fooled[f"square, {queries} queries"] = int((after_pgd & ~after_square).sum())
    return Robustness(
        norm, float(eps), clean, after_pgd, after_square if queries else None,
        {name: count / n for name, count in fooled.items()},
    )  # fmt: skip


def _fools(
    net: nn.Module, x: Tensor, labels: Tensor, start: Tensor, ball: Ball, value: str, steps: int,
    step: float,
) -> Tensor:  # fmt: skip
    """(N,) bool: whether the climb from ``start`` fools at any look; those that do leave it."""
    fooled = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    rows, z = torch.arange(len(x), device=x.device), start
    for done in range(0, steps, LOOK):
        if len(rows) == 0:
            break
        height = loss_of(net, labels[rows], value)
        z = climb(height, x[rows], z, ball, steps=min(LOOK, steps - done), step=step)
        now = wrong(net, z, labels[rows])
        fooled[rows[now]] = True
        rows, z = rows[~now], z[~now]
    return fooled


def _share(of: Tensor) -> float:
    return float(of.double().mean())
