"""The whole spectrum on ImageNet: `python -m scripts.render_strip`.

Two classes of EfficientNet-Lite0 at 128 by 128, one setting a regularizer, and what Lite1, which
had no part in the climb, makes of the pictures. About four minutes on one thread; what is rendered
is kept in `_build/rendered/`. Output: chapters/results/strip.*
"""

import io

import numpy as np
import torch
from skimage import data as photographs

from actmax_lib import fourier, l2, logit, maximize, pixels, robust, total_variation, zoo
from actmax_lib.metrics import high_frequency_share
from actmax_lib.regularizers import frequency_penalty
from actmax_lib.spectral import blurred, maco
from actmax_lib.spectrum import mean_magnitude
from scripts import results

NET, JUDGE = "efficientnet-lite0", "efficientnet-lite1"
CLASSES, SIZE, STEPS, SEED = ("daisy", "espresso"), 128, (128, 256), 0
COLUMNS = 6


def crops(count: int = 64) -> torch.Tensor:
    """Seeded windows of four photographs that come with scikit-image, (count, 3, SIZE, SIZE)."""
    rng, found = np.random.default_rng(0), []
    photos = [getattr(photographs, n)() for n in ("astronaut", "chelsea", "coffee", "rocket")]
    for k in range(count):
        photo = photos[k % len(photos)]
        top, left = (int(rng.integers(n - SIZE + 1)) for n in photo.shape[:2])
        found.append(photo[top : top + SIZE, left : left + SIZE])
    return torch.from_numpy(np.stack(found)).permute(0, 3, 1, 2).double() / 255


def settings() -> dict[str, dict]:
    """What `maximize` takes beside the logit, from weak to strong."""
    plain = pixels(3, SIZE)
    return {
        "nothing": {"image": plain},
        "ℓ2, λ = 0.2": {"image": plain, "omega": l2(0.2, 0.5)},
        "total variation, λ = 0.02": {"image": plain, "omega": total_variation(0.02)},
        "blur, σ = 0.4": {"image": blurred(plain, 0.4), "schedule": "constant"},
        "frequency penalty, λ = 20": {"image": plain, "omega": frequency_penalty(20.0)},
        "transformations": {"image": plain, "transform": robust()},
        "Fourier": {"image": fourier(3, SIZE)},
        "Fourier and transformations": {"image": fourier(3, SIZE), "transform": robust()},
        "MACO and transformations": {
            "image": maco(mean_magnitude(crops())), "transform": robust()
        },
    }  # fmt: skip


def render(steps: int, image, omega=0, **how) -> dict[str, np.ndarray]:
    """Pictures of the classes, their logits, the judge's probabilities, high-frequency shares."""
    net, judge = (zoo.load(name, device="cpu") for name in (NET, JUDGE))
    k = [net.classes.index(name) for name in CLASSES]
    f = logit(net, k)
    run = maximize(f + omega, image, steps=steps, seed=SEED, **how)
    return {
        "tiles": results.bytes_of(run.images),
        "logit": f(run.images).numpy(),
        "judge": zoo.probabilities(judge, run.images)[torch.arange(len(k)), k].numpy(),
        "high": high_frequency_share(run.images.double()).numpy(),
    }


def main() -> None:
    torch.set_num_threads(1)
    rows = []
    for steps in STEPS:
        for label, how in settings().items():
            key = [label, CLASSES, SIZE, steps, SEED, results.machine()]
            make = lambda n=steps, how=how: render(n, **how)  # noqa: E731
            rows.append(results.kept(f"strip-{label.split()[0]}-{steps}", key, make))
    tiles = np.concatenate([row["tiles"] for row in rows])
    buffer = io.BytesIO()
    results.sheet(tiles, COLUMNS).save(buffer, "webp", quality=80, method=6)
    manifest = {
        "command": "python -m scripts.render_strip",
        "networks": {"climbed": NET, "judge": JUDGE},
        "machine": results.machine(),
        "seconds": round(float(sum(row["seconds"] for row in rows))),
        "size": SIZE,
        "columns": COLUMNS,
        "steps": STEPS,
        "seed": SEED,
        "classes": CLASSES,
        "labels": list(settings()),
        # order of the tiles and of the numbers: steps, label, class
        "photographs": {"high": round(float(high_frequency_share(crops()).mean()), 4)},
    }
    for name, digits in (("logit", 2), ("judge", 3), ("high", 4)):
        manifest[name] = [round(float(v), digits) for row in rows for v in row[name]]
    results.write("strip", manifest, buffer.getvalue())


if __name__ == "__main__":
    main()
