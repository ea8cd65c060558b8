"""The live network of the chapter *robustness*: `python -m scripts.export_live`.

Writes what `web/ascent.js` shows: the weights of two networks, rounded to 8 bits, as one script
that a page loads when its reader presses Start (a page on disk may load a script, and nothing
else), a film of their ascents for pages that cannot, and what the rounding costs. Needs the test
images of CIFAR-10; about a minute on one thread.
Output: chapters/results/ascent.json, ascent.webp and ascent/ascent-weights.js
"""

import base64
import io
import json
import math

import numpy as np
import torch
from torch import Tensor, nn

from actmax_lib import data, logit, maximize, point, zoo
from actmax_lib.study.draws import Draws
from actmax_lib.training import accuracy
from actmax_lib.zoo import cifar
from scripts import results

NETWORKS = {"cifar-pgd-l2-0": "robust", "cifar-standard-0": "standard"}
WEIGHTS, GLOBAL = "ascent-weights.js", "globalThis.actmaxAscent = "
SIDE, BETA, LEVELS = 32, 10, 127
# of the film: those the figure starts with
SEED, SPREAD, STEP, STEPS = 1, 0.1, 0.1, (0, 10, 20, 40, 80, 160)


def layers(net: nn.Module) -> list[nn.Module]:
    """What has weights, in order."""
    return [*net.convs, net.classifier]


def rounded(weight: Tensor) -> tuple[Tensor, Tensor]:
    """(whole numbers in -127..127, int8 like weight; scale of each output channel, float32).

    weight ≈ numbers · scale, no weight further away than half a scale.
    """
    most = weight.flatten(1).abs().amax(1)
    scale = torch.where(most > 0, most / LEVELS, 1.0).float()
    shaped = scale.view(-1, *[1] * (weight.ndim - 1))
    return (weight / shaped).round().clamp(-LEVELS, LEVELS).to(torch.int8), scale


def packed(net: nn.Module) -> dict[str, str]:
    """A network as the figure reads it: base64 of bytes, of scales and of biases."""
    pairs = [rounded(layer.weight.detach()) for layer in layers(net)]
    parts = {
        "weights": [q.numpy() for q, _ in pairs],
        "scales": [scale.numpy() for _, scale in pairs],
        "biases": [layer.bias.detach().numpy().astype("<f4") for layer in layers(net)],
    }
    return {
        name: base64.b64encode(b"".join(a.tobytes() for a in arrays)).decode()
        for name, arrays in parts.items()
    }


def script(nets: dict[str, nn.Module]) -> str:
    """The file of weights of networks of one shape."""
    convs = next(iter(nets.values())).convs
    spec = {
        "side": SIDE, "mean": cifar.MEAN, "sd": cifar.SD, "beta": BETA,
        "layers": [[c.in_channels, c.out_channels, 1 <= k <= 3] for k, c in enumerate(convs)],
        "classes": cifar.CLASSES,
        "networks": [{"name": name} | packed(net) for name, net in nets.items()],
    }  # fmt: skip
    return GLOBAL + json.dumps(spec) + ";\n"


def unpacked(text: str) -> dict[str, nn.Module]:
    """The networks that a file of weights holds, in float32: what the page computes with."""
    spec = json.loads(text.removeprefix(GLOBAL).strip().removesuffix(";"))
    widths, nets = [layer[1] for layer in spec["layers"]], {}
    for told in spec["networks"]:
        net = cifar.CifarNet(widths, spec["beta"]).eval().requires_grad_(False)
        kinds = {"weights": np.int8, "scales": "<f4", "biases": "<f4"}
        flat = {
            key: torch.from_numpy(np.frombuffer(base64.b64decode(told[key]), kind).copy()).float()
            for key, kind in kinds.items()
        }
        for layer in layers(net):
            shape, count, n = layer.weight.shape, layer.weight.numel(), len(layer.bias)
            scale = flat["scales"][:n].view(-1, *[1] * (len(shape) - 1))
            layer.weight.copy_(flat["weights"][:count].view(shape) * scale)
            layer.bias.copy_(flat["biases"][:n])
            flat = {k: v[count if k == "weights" else n :] for k, v in flat.items()}
        nets[told["name"]] = net
    return nets


def normals(seed: int, count: int) -> np.ndarray:
    """The first numbers of web/normals.js (mulberry32, Box-Muller), float64."""
    uniform, found = Draws(seed).uniform, []
    while len(found) < count:
        r, a = math.sqrt(-2 * math.log(1 - uniform())), 2 * math.pi * uniform()
        found += [r * math.cos(a), r * math.sin(a)]
    return np.array(found[:count])


def start(seed: int) -> Tensor:
    """The picture (1, 3, 32, 32) that the figure starts from."""
    noise = torch.from_numpy(normals(seed, 3 * SIDE * SIDE)).view(1, 3, SIDE, SIDE)
    return (0.5 + SPREAD * noise).clamp(0, 1).float()


def film(net: nn.Module) -> Tensor:
    """Pictures (classes, frames, 3, 32, 32) at STEPS of the ascent of every logit."""
    x = start(SEED).expand(len(cifar.CLASSES), -1, -1, -1).clone()
    f, frames, done = logit(net, list(range(len(x)))), [], 0
    for step in STEPS:
        if step > done:
            x = maximize(
                f, point(x, box=(0.0, 1.0)), steps=step - done, lr=STEP,
                optimizer="normalized", schedule="constant",
            ).images  # fmt: skip
        frames.append(x)
        done = step
    return torch.stack(frames, 1)


def main() -> None:
    torch.set_num_threads(1)
    test = data.load("cifar-10", split="test")
    given = {name: zoo.load(name, device="cpu") for name in NETWORKS}
    text = script(given)
    folder = results.RESULTS / "ascent"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_text(text, encoding="utf-8")
    networks, films, logits, shares = [], [], [], []
    for name, net in unpacked(text).items():
        right = {
            "accuracy": accuracy(given[name], test.images(), test.labels),
            "rounded": accuracy(net, test.images(), test.labels),
        }
        sha = given[name].manifest["sha256"]
        networks.append({"name": name, "label": NETWORKS[name], "sha256": sha} | right)
        print(name, right, flush=True)
        films.append(film(net).flatten(0, 1))
        said = net(films[-1])
        k = torch.arange(len(cifar.CLASSES)).repeat_interleave(len(STEPS))[:, None]
        logits.append(said.gather(1, k))
        shares.append(said.softmax(1).gather(1, k))
    columns = 2 * len(STEPS)
    buffer = io.BytesIO()
    tiles = results.bytes_of(torch.cat(films))
    results.sheet(tiles, columns).save(buffer, "webp", lossless=True, method=6)  # as fine as live
    results.write("ascent", {
        "command": "python -m scripts.export_live",
        "machine": results.machine(),
        "weights": {
            "file": WEIGHTS, "bytes": len(text), "sha256": results.sha256(text.encode()),
        },
        "networks": networks,
        "classes": cifar.CLASSES,
        "recipe": {"seed": SEED, "spread": SPREAD, "step": STEP},
        "steps": STEPS,
        "columns": columns,
        "size": SIDE,
        # order of the tiles and of the numbers: network, class, step
        "logit": [round(float(v), 3) for v in torch.cat(logits)],
        "p": [round(float(v), 4) for v in torch.cat(shares)],
    }, buffer.getvalue())  # fmt: skip


if __name__ == "__main__":
    main()
