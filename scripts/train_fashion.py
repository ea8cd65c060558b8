"""Train the book's own networks on Fashion-MNIST: `python -m scripts.train_fashion [NAME ...]`.

Without names it trains what `actmax_lib/zoo/trained/` does not have yet, so a stopped run goes on
where it was. One thread: the same bits on the same machine, and two runs fit on two cores.
"""

import argparse
import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actmax_lib import data
from actmax_lib.training import (
    accuracy,
    anti_score_matching,
    cross_entropy,
    fit,
    gradient_norm,
    score_matching,
)
from actmax_lib.training.losses import Loss
from actmax_lib.zoo import trained
from actmax_lib.zoo.fashion import FashionDecoder, FashionNet

EPOCHS = 4
SEEDS = (0, 1, 2)
# Chapter score-matching. One weight for all that penalise ½‖∇f_y‖², so that they differ in the
# trace alone; it was chosen on seed 0 with a third of the data. μ, and σ of one-sided, are those of
# the paper's code, λ and τ of the last one those of its text.
LOSSES: dict[str, Loss] = {
    "standard": cross_entropy,
    "gradient-norm": gradient_norm(0.1),
    "score-matched": score_matching(0.1, sigma=0.1),
    "one-sided": score_matching(0.1, sigma=0.01, antithetic=False),
    # the gradient penalty that one-sided hides: 0.1 (1/2 + 4μ/σ²) = 8.1 / 2
    "heavy-gradient-norm": gradient_norm(8.1),
    "anti-score-matched": anti_score_matching(1e-4, sigma=0.1, most=1000.0),
}
JUDGE = {"widths": [12, 24, 48]}  # another architecture and another seed than what it judges


def fresh(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    """A network started from ``seed`` without moving the global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def classifier(loss: Loss, seed: int, kwargs: dict, epochs: int, train: data.Dataset):
    """(network, what the manifest says of it): weights rounded to half, then measured."""
    net = fresh(lambda: FashionNet(**kwargs), seed)
    fit(net, loss, train.images(), train.labels, epochs=epochs, seed=seed, progress=True)
    net = trained.rounded(net)
    test = data.load("fashion-mnist", "test")
    return net, {"kwargs": kwargs, "accuracy": accuracy(net, test.images(), test.labels)}


class Coder(nn.Module):
    """Variational autoencoder around the decoder; ``elbo`` is its loss."""

    def __init__(self) -> None:
        super().__init__()
        self.decoder = FashionDecoder()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, 4, 2, 1), nn.GELU(), nn.Conv2d(16, 32, 4, 2, 1), nn.GELU(),
            nn.Flatten(), nn.Linear(32 * 49, 2 * self.decoder.latent),
        )  # fmt: skip


def elbo(net: Coder, x: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
    """Minus the evidence bound in nats an image: Bernoulli pixels, z ~ N(0, I); no labels."""
    mean, log_var = net.encoder(x).chunk(2, 1)
    z = mean + (log_var / 2).exp() * torch.randn(mean.shape, generator=generator)
    misfit = F.binary_cross_entropy(net.decoder(z), x, reduction="sum")
    surprise = (mean.square() + log_var.exp() - 1 - log_var).sum() / 2
    return (misfit + surprise) / len(x)


def decoder(epochs: int, train: data.Dataset):
    """(decoder, entry): loss is minus the evidence bound on the test split."""
    net = fresh(Coder, 0)
    fit(net, elbo, train.images(), train.labels, epochs=epochs, lr=2e-3, progress=True)
    net.decoder = trained.rounded(net.decoder)
    test = data.load("fashion-mnist", "test")
    with torch.no_grad():
        loss = float(elbo(net, test.images(), test.labels, torch.Generator().manual_seed(0)))
    return net.decoder, {"kwargs": {}, "loss": loss}


def recipes(epochs: int) -> dict[str, tuple[int, Callable]]:
    """name -> (seed, train split -> (network, entry))."""
    found = {
        "fashion-judge": (100, lambda t: classifier(cross_entropy, 100, JUDGE, epochs, t)),
        "fashion-decoder": (0, lambda t: decoder(epochs, t)),
    }
    for method, loss in LOSSES.items():
        for seed in SEEDS:
            found[f"fashion-{method}-{seed}"] = (
                seed,
                lambda t, loss=loss, seed=seed: classifier(loss, seed, {}, epochs, t),
            )
    return found


def main(names: list[str], folder: Path, epochs: int) -> None:
    torch.set_num_threads(1)
    train = data.load("fashion-mnist", "train")
    digest = hashlib.sha256(train.pixels.numpy().tobytes()).hexdigest()
    todo = recipes(epochs)
    for name in names or todo:
        if not names and name in trained.manifest(folder):
            continue
        seed, make = todo[name]
        print(name, flush=True)
        start = time.perf_counter()
        net, entry = make(train)
        entry |= {
            "command": f"python -m scripts.train_fashion {name}",
            "epochs": epochs,
            "seed": seed,
            "device": "cpu, 1 thread",
            "seconds": round(time.perf_counter() - start),
            "data": digest,
        }
        trained.save(net, name, entry, folder)
        print({key: entry[key] for key in ("accuracy", "loss", "seconds") if key in entry})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="what to train; default: what is missing")
    parser.add_argument("--folder", type=Path, default=trained.FOLDER)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    args = parser.parse_args()
    if unknown := set(args.names) - set(recipes(args.epochs)):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(recipes(1))}")
    main(args.names, args.folder, args.epochs)
