"""The networks in the page against torch: logits, gradients, ascents, noise, eraser, speed."""

import json

import numpy as np
import pytest
import torch

from actmax_lib import l2, logit, maximize, point
from actmax_lib.widgets import _web
from scripts.export_live import GLOBAL, normals, start, unpacked
from scripts.results import RESULTS
from tests.browser.figures.conftest import PAGE, visited

TEXT = (RESULTS / "ascent" / "ascent-weights.js").read_text(encoding="utf-8")
RELATIVE = 1e-5  # of the gradient's norm; asked for is 1e-3
AFTER_5 = 1e-5  # of the way from the start to the end, in the 2-norm
# A maximum of four that changes hands by a rounding error turns the path a little: torch's own
# ascents in float32 and in float64 are up to 6e-3 of the way apart after 50 steps.
AFTER_50 = 0.02
CLASSES = (0, 7)


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    """A page on disk with the module's functions as globals, and the weights as `spec`."""
    here = tmp_path_factory.mktemp("convnet")
    code = [
        (_web() / f"{name}.js").read_text("utf-8") for name in ("normals", "convnet", "painter")
    ]
    (here / "weights.js").write_text(TEXT, encoding="utf-8")
    scripts = "".join(f"<script>{part}</script>" for part in code)
    scripts += """<script src="weights.js"></script><script>const spec = actmaxAscent;
        const nets = spec.networks.map(packed => convnet(spec, packed));</script>"""
    file = here / "page.html"
    file.write_text(PAGE.format("").replace("</body>", f"{scripts}</body>"), encoding="utf-8")
    visit = visited(browser, file, (600, 400), "light")
    yield visit.page
    assert (visit.foreign, visit.console, visit.failed) == ([], [], [])
    visit.page.context.close()


@pytest.fixture(scope="module")
def nets():
    return list(unpacked(TEXT).values())


@pytest.fixture(scope="module")
def pictures():
    """Noise, a start, something smooth, a start with a gray hole, 0 and 1: (5, 3, 32, 32)."""
    uniform = torch.from_numpy(np.random.default_rng(0).random((1, 3, 32, 32))).float()
    smooth = torch.nn.functional.avg_pool2d(uniform, 5, 1, 2)
    hole = start(2).clone()
    hole[..., 8:20, 8:20] = 0.5
    stripes = (start(3) > 0.5).float()
    return torch.cat([uniform, start(1), smooth, hole, stripes])


def flat(x):
    return x.flatten().tolist()


def run(page, n, given, steps):
    """The picture (3, 32, 32) and the logits after steps in the page from the start of seed 1."""
    code = """([n, given, steps]) => {
      const own = painter(nets[n], 32);
      own.begin({ seed: 1, spread: 0.1 });
      let last;
      for (let k = 0; k < steps; k++) last = own.step(given);
      return [Array.from(last.picture), last.logits, last.steps] }"""
    picture, logits, count = page.evaluate(code, [n, given, steps])
    assert count == steps
    return torch.tensor(picture).view(1, 3, 32, 32), logits


def plain(**given):
    return {"k": 7, "step": 0.1, "lam": 0, "sigma": 0, "eps": None} | given


def test_logits_and_gradients_are_those_of_torch(page, nets, pictures):
    worst = 0.0
    for n, net in enumerate(nets):
        for x in pictures:
            x = x[None].clone().requires_grad_()
            logits = net(x)
            for k in CLASSES:
                own, found = page.evaluate(
                    """([n, x, k]) => [nets[n].forward(Float32Array.from(x)), nets[n].gradient(k)]
                       .map(v => Array.from(v))""",
                    [n, flat(x), k],
                )
                assert own == pytest.approx(logits[0].tolist(), abs=1e-4)
                (g,) = torch.autograd.grad(logits[0, k], x, retain_graph=True)
                gap = (torch.tensor(found) - g.flatten()).norm() / g.norm()
                worst = max(worst, gap.item())
    assert worst < RELATIVE


@pytest.mark.parametrize(("steps", "most"), [(5, AFTER_5), (50, AFTER_50)])
@pytest.mark.parametrize("lam", [0, 0.05])
def test_steps_are_those_of_maximize(page, nets, lam, steps, most):
    for n, net in enumerate(nets):
        found, logits = run(page, n, plain(lam=lam), steps)
        objective = logit(net, 7) + (l2(lam, 0.5) if lam else 0)
        expected = maximize(
            objective, point(start(1), box=(0.0, 1.0)), steps=steps, lr=0.1,
            optimizer="normalized", schedule="constant",
        ).images  # fmt: skip
        way = (expected - start(1)).norm()
        assert way > 0.05 * steps
        assert (found - expected).norm() < most * way
        assert logits == pytest.approx(net(expected)[0].tolist(), abs=50 * most)


def test_ball_and_noise_are_as_written_here(page, nets):
    """x + step g/|g| + sigma xi, then the ball around the start, then the box."""
    stream = torch.from_numpy(normals(1, 11 * 3072)).float().view(11, 1, 3, 32, 32)
    for sigma, eps in ((0, 0.25), (0.02, None), (0.02, 0.25)):
        x = x0 = start(1)
        for step in range(10):
            x = x.detach().requires_grad_()
            (g,) = torch.autograd.grad(nets[0](x)[0, 7], x)
            x = x.detach() + 0.1 * g / g.norm() + sigma * stream[step + 1]
            far = (x - x0).norm()
            if eps and far > eps:
                x = x0 + (x - x0) * eps / far
            x = x.clamp(0, 1)
        found, _ = run(page, 0, plain(sigma=sigma, eps=eps), 10)
        assert (found - x).abs().max() < 1e-4
        if eps:
            assert (found - x0).norm() == pytest.approx(eps, rel=0.01)


def test_the_eraser_makes_a_gray_disc_and_nothing_else(page):
    before, after = page.evaluate("""() => {
      const own = painter(nets[0], 32);
      const first = own.begin({ seed: 5, spread: 0.1 });
      return [first.picture, own.erase({ across: 10, down: 20, radius: 4 }).picture]
        .map(p => Array.from(p)) }""")
    before, after = (np.array(v).reshape(3, 32, 32) for v in (before, after))
    assert before == pytest.approx(start(5)[0].numpy(), abs=1e-6)
    y, x = np.mgrid[:32, :32] + 0.5
    inside = (x - 10) ** 2 + (y - 20) ** 2 <= 16
    assert (after[:, inside] == 0.5).all()
    assert (after[:, ~inside] == before[:, ~inside]).all()


def test_weights_of_another_size_are_refused(page):
    said = page.evaluate("""() => ["weights", "biases", "scales"].map(key => {
      const short = { ...spec.networks[0] };
      short[key] = btoa(atob(short[key]).slice(0, -8));
      try { return convnet(spec, short) && "taken" } catch (error) { return error.message } })""")
    assert said == ["the weights do not fit the network"] * 3


def test_a_gradient_that_is_zero_leaves_the_picture(page):
    still = page.evaluate("""() => {
      const own = painter({ forward: () => [0], gradient: () => new Float32Array(3072) }, 32);
      const first = own.begin({ seed: 1, spread: 0.1 }).picture;
      const then = own.step({ k: 0, step: 0.1, lam: 0, sigma: 0, eps: null }).picture;
      return first.every((v, n) => v === then[n]) }""")
    assert still


def test_at_least_ten_steps_a_second(page):
    """One picture, in seconds of the processor: others may want it, too."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent():
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(m["value"] for m in metrics if m["name"] == "ThreadTime")

    climb = """() => {
      const own = painter(nets[0], 32);
      own.begin({ seed: 1, spread: 0.1 });
      const from = performance.now();
      for (let n = 0; n < 40; n++) own.step({ k: 7, step: 0.1, lam: 0, sigma: 0, eps: null });
      return (performance.now() - from) / 1000 }"""
    page.evaluate(climb)  # compiled
    before = spent()
    wall = page.evaluate(climb)
    rates = [40 / (spent() - before), 40 / wall]
    print("steps a second of the processor, of the clock:", [round(rate, 1) for rate in rates])
    assert 10 <= rates[0] < 10_000


def test_the_file_is_one_script_with_json_in_it():
    assert TEXT.startswith(GLOBAL)
    assert set(json.loads(TEXT.removeprefix(GLOBAL)[:-2])) == {
        "side", "mean", "sd", "beta", "layers", "classes", "networks",
    }  # fmt: skip
