"""The pictures of the playground: `python -m scripts.render_playground`.

Every regularizer at four strengths, three numbers of steps, three seeds, three classes, on the
network fashion-standard-0; about three minutes on one thread. What is rendered is kept in
`_build/rendered/`, so a stopped run goes on where it was. Output: chapters/results/playground.*
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from actmax_lib import (
    compose,
    data,
    fourier,
    jitter,
    l2,
    logit,
    maximize,
    pixels,
    rotate,
    scale,
    total_variation,
    zoo,
)
from actmax_lib.learned import learned_prior
from actmax_lib.metrics import high_frequency_share
from actmax_lib.regularizers import frequency_penalty
from actmax_lib.spectral import blurred, maco
from actmax_lib.spectrum import mean_magnitude
from scripts import results

NET, DECODER = "fashion-standard-0", "fashion-decoder"
CLASSES, SEEDS, STEPS = ("trouser", "sneaker", "bag"), (0, 1, 2), (16, 64, 256)
SIZE, COLUMNS = 28, 27  # a row of the sheet is one strength: 3 steps x 3 seeds x 3 classes


@dataclass(frozen=True)
class Family:
    """A regularizer: make(strength) gives what `maximize` takes beside the logit.

    symbol: what the strength is; strengths: from weak to strong, empty where there is none.
    """

    key: str
    label: str
    make: Callable[[Any], dict]
    symbol: str = ""
    strengths: tuple[float, ...] = ()

    def each(self) -> tuple:
        return self.strengths or (None,)


def grey() -> Any:
    return pixels(1, SIZE)


def moved(amount: float) -> Any:
    """Shift by `amount` pixels, zoom by 5 % and turn by 5 degrees for each of them."""
    return compose(
        jitter(int(amount)), scale(1 - 0.05 * amount, 1 + 0.05 * amount), rotate(5 * amount)
    )


def magnitude() -> torch.Tensor:
    return mean_magnitude(data.load("fashion-mnist", "sample").images())


def decoder() -> Any:
    return zoo.load(DECODER, device="cpu")


FAMILIES = (
    Family("none", "nothing", lambda s: {"image": grey()}),
    Family("l2", "ℓ2 about grey", lambda s: {"image": grey(), "omega": l2(s, 0.5)},
           "λ", (0.1, 0.3, 1.0, 2.0)),
    Family("tv", "total variation", lambda s: {"image": grey(), "omega": total_variation(s)},
           "λ", (0.02, 0.06, 0.12, 0.25)),
    Family("blur", "blur", lambda s: {"image": blurred(grey(), s), "schedule": "constant"},
           "standard deviation in pixels", (0.1, 0.2, 0.3, 0.5)),
    Family("frequency", "frequency penalty",
           lambda s: {"image": grey(), "omega": frequency_penalty(s)}, "λ", (1.0, 5.0, 20.0, 80.0)),
    Family("moved", "transformations", lambda s: {"image": grey(), "transform": moved(s)},
           "shift in pixels", (1, 2, 3, 4)),
    Family("fourier", "Fourier", lambda s: {"image": fourier(1, SIZE, decay=s)},
           "decay", (0.5, 1.0, 1.5, 2.0)),
    Family("both", "Fourier and transformations",
           lambda s: {"image": fourier(1, SIZE), "transform": moved(s)},
           "shift in pixels", (1, 2, 3, 4)),
    Family("maco", "magnitude of data (MACO)", lambda s: {"image": maco(magnitude())}),
    Family("learned", "learned prior",
           lambda s: {"image": learned_prior(decoder(), decoder_latent(), lam=s)},
           "λ on z", (0.02, 0.1, 0.5, 2.0)),
)  # fmt: skip


def decoder_latent() -> int:
    return decoder().latent


def render(family: Family, strength: Any, steps: int, seeds=SEEDS, classes=CLASSES) -> dict:
    """Pictures, logits and high-frequency shares, seeds outer and classes inner."""
    net = zoo.load(NET, device="cpu")
    targets = [net.classes.index(name) for name in classes] * len(seeds)
    f, how = logit(net, targets), family.make(strength)
    run = maximize(
        f + how.pop("omega", 0), how.pop("image"), steps=steps,
        seed=[seed for seed in seeds for _ in classes], **how,
    )  # fmt: skip
    shares = high_frequency_share(run.images.double())
    return {
        "tiles": results.bytes_of(run.images),
        "logit": f(run.images).double().numpy(),
        "high": shares.numpy(),
    }


def weights() -> dict[str, str]:
    """The networks that take part, by the hash of their weights."""
    entries = zoo.trained.manifest()
    return {name: entries[name]["sha256"] for name in (NET, DECODER)}


def of_data() -> dict[str, list[float]]:
    """The same numbers for real pictures: means over the sample's pictures of each class."""
    net, sample = zoo.load(NET, device="cpu"), data.load("fashion-mnist", "sample")
    found: dict[str, list[float]] = {"logit": [], "high": []}
    for name in CLASSES:
        k = sample.classes.index(name)
        x = sample.images(sample.labels == k)
        found["logit"].append(round(float(logit(net, k)(x).mean()), 3))
        found["high"].append(round(float(high_frequency_share(x.double()).mean()), 4))
    return found


def main() -> None:
    torch.set_num_threads(1)
    used, parts = weights(), []
    for family in FAMILIES:
        for strength in family.each():
            for steps in STEPS:
                own = used if family.key == "learned" else used[NET]
                key = [family.key, strength, steps, CLASSES, SEEDS, own, results.machine()]
                name = f"playground-{family.key}-{strength}-{steps}"
                make = lambda f=family, s=strength, n=steps: render(f, s, n)  # noqa: E731
                parts.append(results.kept(name, key, make))
    stacked = {
        name: np.concatenate([p[name] for p in parts]) for name in ("tiles", "logit", "high")
    }
    buffer = io.BytesIO()
    results.sheet(stacked["tiles"], COLUMNS).save(
        buffer, "webp", lossless=True, quality=100, method=6
    )
    manifest = {
        "command": "python -m scripts.render_playground",
        "weights": used,
        "machine": results.machine(),
        "seconds": round(float(sum(p["seconds"] for p in parts))),
        "size": SIZE,
        "columns": COLUMNS,
        "classes": CLASSES,
        "seeds": SEEDS,
        "steps": STEPS,
        "families": [
            {"key": f.key, "label": f.label, "symbol": f.symbol, "strengths": f.strengths}
            for f in FAMILIES
        ],
        "data": of_data(),
        # order of the tiles: family, strength, steps, seed, class
        "logit": [round(float(v), 3) for v in stacked["logit"]],
        "high": [round(float(v), 4) for v in stacked["high"]],
    }
    results.write("playground", manifest, buffer.getvalue())


if __name__ == "__main__":
    main()
