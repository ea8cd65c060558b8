"""Which engine should run the live network? `python benchmarks/engines.py FOLDER`.

FOLDER has the contestants: `npm install onnxruntime-web@1.30.0 @tensorflow/tfjs@4.22.0
@tensorflow/tfjs-backend-wasm@4.22.0 @jax-js/jax@0.1.25`; and `onnx` must be importable, which
writes the step as one graph. All run the same ascent in one headless Chromium, one thread each, in
turns. Writes results/engines.json.
"""

import gzip
import json
import platform
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from playwright.sync_api import sync_playwright

from scripts import chromium
from scripts.export_live import unpacked
from scripts.results import RESULTS, ROOT
from tests.browser import harness

K, STEP, ROUNDS, STEPS = 7, 0.1, 6, 10
OWN = ("normals", "convnet", "painter")
MODULES = "node_modules"


def graph(net) -> onnx.ModelProto:
    """x -> x + step g/|g| in [0, 1], forward and backward written out as one graph."""
    nodes, values, tape = [], [], []

    def put(name: str, value) -> str:
        kind = np.int64 if isinstance(value, list) else np.float32
        values.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def add(op: str, out: str, *inputs: str, more: tuple[str, ...] = (), **how) -> str:
        nodes.append(helper.make_node(op, list(inputs), [out, *more], **how))
        return out

    add("Sub", "centred", "x", put("mean", net.mean[None].numpy()))
    y = add("Div", "y", "centred", put("sd", net.sd[None].numpy()))
    put("beta", 10.0)
    side = 32
    for k, conv in enumerate(net.convs):
        put(f"w{k}", conv.weight.numpy())
        put(f"b{k}", conv.bias.numpy())
        y = add("Conv", f"sum{k}", y, f"w{k}", f"b{k}", pads=[1, 1, 1, 1])
        if 1 <= k <= 3:
            two = {"kernel_shape": [2, 2], "strides": [2, 2]}
            y = add("MaxPool", f"pool{k}", y, more=(f"at{k}",), **two)
        z = add("Mul", f"z{k}", y, "beta")
        tape.append((k, add("Sigmoid", f"slope{k}", z), [1, conv.out_channels, side, side]))
        y = add("Div", f"out{k}", add("Softplus", f"soft{k}", z), "beta")
        side = side // 2 if 1 <= k <= 3 else side
    row = net.classifier.weight[K].numpy() / side**2
    g = put("row", np.broadcast_to(row[None, :, None, None], (1, len(row), side, side)))
    for k, slope, shape in reversed(tape):
        g = add("Mul", f"error{k}", g, slope)
        if 1 <= k <= 3:
            g = add("MaxUnpool", f"spread{k}", g, f"at{k}", put(f"shape{k}", shape),
                    kernel_shape=[2, 2], strides=[2, 2])  # fmt: skip
        g = add("ConvTranspose", f"back{k}", g, f"w{k}", pads=[1, 1, 1, 1])
    g = add("Div", "g", g, "sd")
    size = add("ReduceL2", "size", g, keepdims=1)
    add("Mul", "longer", add("Div", "unit", g, size), put("step", STEP))
    add("Clip", "y_out", add("Add", "moved", "x", "longer"), put("low", 0.0), put("high", 1.0))
    nodes[-1].output[0] = "y"
    nodes[1].output[0] = "normal"  # "y" is the name of the answer
    next(n for n in nodes if n.op_type == "Conv").input[0] = "normal"
    ends = [
        [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 3, 32, 32])]
        for name in "xy"
    ]
    made = helper.make_graph(nodes, "step", *ends, values)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def measured(page) -> dict[str, dict]:
    """A row an engine. The processor's time, since others want it, too; all run on one thread."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return 1000 * next(m["value"] for m in metrics if m["name"] == "ThreadTime")

    loaded = {}
    page.on("response", lambda answer: loaded.setdefault(answer.url, answer))
    rows, busy, clock, known = {}, {}, {}, {}
    for name in page.evaluate("names"):
        before = known.setdefault(name.split(",")[0], set(loaded))  # two share TensorFlow.js
        begin = spent()
        off = page.evaluate("name => prepare(name)", name)
        page.wait_for_timeout(300)
        files = [
            answer.body()
            for url, answer in loaded.items()
            if url not in before and not url.endswith(".onnx")
        ]
        if not files:  # ours came with the page
            files = [(ROOT / "web" / f"{part}.js").read_bytes() for part in OWN]
        rows[name] = {
            "bytes": sum(map(len, files)),
            "bytes, gzip": sum(len(gzip.compress(body, 6)) for body in files),
        }
        if isinstance(off, str):
            rows[name]["could not run"] = off
            continue
        rows[name] |= {
            "processor ms until two steps are done": round(spent() - begin),
            "largest difference to ours after two steps": float(f"{off:.1e}"),
        }
        busy[name], clock[name] = [], []
    for _ in range(ROUNDS):
        for name in busy:
            begin = spent()
            clock[name] += page.evaluate("([name, steps]) => go(name, steps)", [name, STEPS])
            busy[name].append((spent() - begin) / STEPS)
    ours = np.array(next(iter(busy.values())))
    for name, times in busy.items():
        rows[name] |= {
            "processor ms a step, median of rounds": round(float(np.median(times)), 1),
            "relative to ours, median of rounds": round(float(np.median(times / ours)), 2),
            "clock ms a step, median, fastest": [
                round(float(v), 1) for v in (np.median(clock[name]), min(clock[name]))
            ],
        }
    return rows


def main() -> None:
    modules = Path(sys.argv[1]).resolve()
    weights = (RESULTS / "ascent" / "ascent-weights.js").read_text(encoding="utf-8")
    net = next(iter(unpacked(weights).values()))
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        (here / MODULES).symlink_to(modules / MODULES)
        onnx.save(graph(net), here / "step.onnx")
        for part in OWN:
            shutil.copy(ROOT / "web" / f"{part}.js", here)
        code = "".join(f'<script src="{part}.js"></script>' for part in (*OWN, "weights", "page"))
        (here / "weights.js").write_text(weights, encoding="utf-8")
        shutil.copy(Path(__file__).with_name("engines_page.js"), here / "page.js")
        (here / "index.html").write_text(f"<!doctype html><title>engines</title>{code}")
        with sync_playwright() as playwright, harness.serve(here) as base:
            browser = harness.launch(playwright, chromium.find())
            page = browser.new_page()
            page.goto(base)
            version, rows = browser.version, measured(page)
            browser.close()
    answer = {
        "command": "python benchmarks/engines.py FOLDER",
        "chromium": version,
        "machine": platform.machine(),
        "what": "cifar-pgd-l2-0 with 8-bit weights, one 32 x 32 picture, gradient and step",
        "order": f"{ROUNDS} rounds of {STEPS} steps, the engines in turn, one thread each",
        "engines": rows,
    }
    file = Path(__file__).parent / "results" / "engines.json"
    file.write_text(json.dumps(answer, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
