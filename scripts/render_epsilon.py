"""One photograph attacked with ever larger ε, for `scripts/render_robustness.py`.

The last ε is infinite: class visualization from the photograph. Output: robust-epsilon-*.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actmax_lib import data, zoo
from actmax_lib.attacks import Ball, climb
from actmax_lib.probes import untouched
from scripts import results
from scripts.robustness_sheets import Collection, networks, write

ATTACKED = ("standard", "pgd-l2")
STEPS = 120


def log_odds(net: nn.Module, labels: Tensor):
    """x -> log p/(1 - p) of its label: the direction of log p, without its rounding near p = 1."""
    own = F.one_hot(labels, len(net.classes)).bool()

    def f(x: Tensor) -> Tensor:
        z = net(x)
        return z[own] - z.masked_fill(own, -math.inf).logsumexp(1)

    return f


def attacks(net: nn.Module, photo: Tensor, own: int, targets: list[int], how: Collection) -> dict:
    """Every ε and target: the picture, its change, and what the network says; targets inner."""
    x, k = photo.expand(len(targets), -1, -1, -1), torch.tensor(targets)
    names = ("picture", "change", "p", "own_p", "norm", "most")
    found: dict[str, list] = {name: [] for name in names}
    for eps in how.eps:
        z = x
        if eps:
            length = min(how.length, 2.5 * eps / STEPS)
            with untouched([net]):
                z = climb(log_odds(net, k), x, x, Ball("l2", eps), steps=STEPS, step=length)
        change = z - x
        most = change.flatten(1).abs().amax(1)
        p = net(z).softmax(1).detach()
        found["picture"].append(z)
        found["change"].append(0.5 + change / (2 * most.clamp(min=1e-9)).view(-1, 1, 1, 1))
        found["p"].append(p[torch.arange(len(k)), k])
        found["own_p"].append(p[:, own])
        found["norm"].append(change.flatten(1).norm(dim=1))
        found["most"].append(most)
    both = torch.stack([torch.cat(found.pop(key)) for key in ("picture", "change")], 1)
    numbers = {key: torch.cat(value).double().numpy() for key, value in found.items()}
    return {"tiles": results.bytes_of(both.flatten(0, 1))} | numbers


def photograph(key: str, how: Collection) -> None:
    """One photograph at every ε, with the networks of ATTACKED: robust-epsilon-*."""
    used = [told for told in networks(key) if told["method"] in ATTACKED]
    used.sort(key=lambda told: ATTACKED.index(told["method"]))
    photos = data.load(how.data, how.split)
    photo, own = photos.images([how.index]), int(photos.labels[how.index])
    targets = [photos.classes.index(name) for name in how.targets]
    parts = []
    for told in used:
        net = zoo.load(told["name"], device="cpu")
        make = lambda net=net: attacks(net, photo, own, targets, how)  # noqa: E731  # used once, here
        given = [told["sha256"], str(how), STEPS, results.machine()]
        parts.append(results.kept(f"robust-epsilon-{told['name']}", given, make))
    joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]
              if key != "seconds"}  # fmt: skip
    write(f"robust-epsilon-{key}", how, joined.pop("tiles"), 2 * len(targets) * 2, {
        "seconds": round(sum(float(part["seconds"]) for part in parts)),
        "photograph": {"data": how.data, "split": how.split, "index": how.index},
        "classes": photos.classes, "own": own, "targets": targets, "steps": STEPS,
        "eps": [None if math.isinf(eps) else eps for eps in how.eps],
        "networks": used,
        # order of the tiles: network, ε, target, (picture, change); of the numbers the same
        **{name: [round(float(v), 4) for v in values] for name, values in joined.items()},
    })  # fmt: skip
