"""The figure of the two Gaussian classes: three answers and the path between, by the library."""

import itertools

import numpy as np
import pytest
import torch

from actmax_lib import UnboundedProblemError
from actmax_lib.densities import GaussianClasses, gamma_path
from tests.browser.figure_checks import control, numbers, operate, seen, slide

CASES = [  # means, sds, correlation (None: each class its own), class
    (((0, 0), (3, 0)), (1, 2), None, 0),
    (((0, 0), (3, 0)), (1, 2), None, 1),
    (((-1.5, 0.5), (1, 2)), (1.2, 0.6), None, 1),
    (((0.5, -1), (2, 1)), (1, 1), None, 0),
    (((0.5, -1), (2, 1)), (0.8, 1.5), 0.6, 0),
    (((-2, 1), (1, 1.5)), (1.5, 0.7), -0.8, 1),
]


def _set(figure, means, sds, rho, k):
    control(figure, "kind").select_option("1" if rho is not None else "0")
    control(figure, "show").select_option(str(k))
    for i, n in itertools.product(range(2), repeat=2):
        slide(figure, f"mu{i + 1}{n + 1}", means[i][n])
    for i in range(2):
        slide(figure, f"sd{i + 1}", sds[i])
    if rho is not None:
        slide(figure, "rho", rho)


def _classes(means, sds, rho):
    if rho is None:
        return GaussianClasses(np.array(means, float), np.stack([s * s * np.eye(2) for s in sds]))
    a, b = sds
    return GaussianClasses(np.array(means, float), [[a * a, rho * a * b], [rho * a * b, b * b]])


def _pair(stated, name):
    return [stated[f"{name}.0"], stated[f"{name}.1"]]


def _sure(classes, x, k):
    x = torch.as_tensor(np.asarray(x, float))[None]
    return classes.log_posterior(x)[0, k].exp().item()


@pytest.mark.parametrize("case", CASES)
def test_the_three_answers_are_the_librarys(show, case):
    page, figure = show("bayes")
    _set(figure, *case)
    means, sds, rho, k = case
    stated, classes = numbers(page, figure), _classes(means, sds, rho)
    told = figure.query_selector(".am-statement").text_content()
    assert _pair(stated, "prototype") == pytest.approx(classes.prototype(k).tolist())
    assert stated["p_prototype"] == pytest.approx(_sure(classes, means[k], k), abs=1e-4)
    if rho is not None or sds[k] >= sds[1 - k]:
        with pytest.raises(UnboundedProblemError) as caught:
            classes.most_certain(k)
        assert "surest.0" not in stated
        assert stated["p_surest"] == 1
        a, b = (sds[k], sds[k]) if rho is None else sds
        covariance = np.array([[a * a, (rho or 0) * a * b], [(rho or 0) * a * b, b * b]])
        w = np.linalg.solve(covariance, np.subtract(means[k], means[1 - k]))  # of the log odds
        assert _pair(stated, "away") == pytest.approx(w / np.linalg.norm(w), abs=1e-3)
        assert w @ caught.value.direction.numpy() > 0  # certainty rises along both
        assert "No input is the most certain" in told
    else:
        surest = classes.most_certain(k).numpy()
        assert _pair(stated, "surest") == pytest.approx(surest, abs=1e-3)
        assert stated["p_surest"] == pytest.approx(_sure(classes, surest, k), abs=1e-4)
        assert "away.0" not in stated
        assert "beyond its mean" in told


@pytest.mark.parametrize("case", CASES)
def test_the_path_of_gamma_is_the_librarys(show, case):
    page, figure = show("bayes")
    _set(figure, *case)
    means, sds, rho, k = case
    classes = _classes(means, sds, rho)
    for octave in (-4, -1.5, 0, 2, 6):
        slide(figure, "gamma", octave)
        stated = numbers(page, figure)
        exact = gamma_path(classes, k, [2.0**octave])[0].numpy()
        assert _pair(stated, "x_gamma") == pytest.approx(exact, abs=1e-3)
        assert stated["p_gamma"] == pytest.approx(_sure(classes, exact, k), abs=1e-4)
        x = torch.as_tensor(np.stack([means[k], exact]).astype(float))
        lost = classes.log_conditional(x)[:, k]
        assert stated["lost"] == pytest.approx((lost[0] - lost[1]).item(), abs=1e-3)


def test_marks_outside_the_frame_are_told(show):
    page, figure = show("bayes")
    terms = "f => [...f.querySelectorAll('dt')].map(t => t.textContent)"
    seen(page, figure)
    assert not any("outside" in text for text in figure.evaluate(terms))
    slide(figure, "sd2", 1.2)  # the most certain input is at 0 - 3 / (1.44 - 1)
    slide(figure, "gamma", -6.25)
    stated = numbers(page, figure)
    assert stated["surest.0"] == stated["x_gamma.0"] == pytest.approx(-3 / 0.44, abs=1e-3)
    told = figure.evaluate(terms)
    assert "most certain (outside)" in told
    assert "maximum for γ (outside)" in told


def test_gamma_zero_is_certainty_alone(show):
    page, figure = show("bayes")
    slide(figure, "gamma", -6.25)
    stated = numbers(page, figure)
    assert _pair(stated, "x_gamma") == _pair(stated, "surest") == [-1, 0]
    control(figure, "show").select_option("1")
    stated = numbers(page, figure)
    assert "x_gamma.0" not in stated
    assert "With γ = 0 there is no maximum" in figure.text_content()


def test_the_logit_with_a_penalty(show):
    page, figure = show("bayes")
    for lam, (means, sds, rho, k) in itertools.product((0.25, 1.0), CASES[3:]):
        _set(figure, means, sds, rho, k)
        slide(figure, "lam", lam)
        found = _pair(numbers(page, figure), "logit")
        mu = np.array(means[k], float)
        if rho is not None:  # linear logits
            W, _ = _classes(means, sds, rho).lda_logits()
            expected = W[k].numpy() / (2 * lam)
        else:  # N(μ, s²) times N(0, 1/(2λ))
            expected = mu / sds[k] ** 2 / (1 / sds[k] ** 2 + 2 * lam)
        assert found == pytest.approx(expected, abs=1e-3)


def test_correlation_is_only_for_a_shared_covariance(show):
    page, figure = show("bayes")
    assert not control(figure, "rho").is_enabled()
    control(figure, "kind").select_option("1")
    before = seen(page, figure)
    assert control(figure, "rho").is_enabled()
    operate(page, control(figure, "rho"))
    assert seen(page, figure) != before


def _pixel(figure, x, y):
    """Where a point of [-5, 5]² is on the page; the frame is 30, 8, 8, 24 pixels from the edges."""
    box = figure.query_selector("canvas").bounding_box()
    across, down = (box["width"] - 38) / 10, (box["height"] - 32) / 10
    return box["x"] + 30 + (x + 5) * across, box["y"] + 8 + (5 - y) * down


def test_means_are_dragged_by_the_pointer(show):
    page, figure = show("bayes")
    for name, start, end in (("mu2", (3, 0), (1, -2)), ("mu1", (0, 0), (-2, 2.5))):
        page.mouse.move(*_pixel(figure, *start))
        page.mouse.down()
        page.mouse.move(*_pixel(figure, *end), steps=6)
        page.mouse.up()
        stated = numbers(page, figure)
        values = [float(control(figure, f"{name}{n}").input_value()) for n in (1, 2)]
        assert values == pytest.approx(end, abs=0.051)
    assert _pair(stated, "prototype") == pytest.approx(end, abs=0.051)
    means = [[float(control(figure, f"mu{i}{n}").input_value()) for n in (1, 2)] for i in (1, 2)]
    surest = _classes(means, (1, 2), None).most_certain(0).tolist()
    assert _pair(stated, "surest") == pytest.approx(surest, abs=1e-3)


def test_means_are_moved_by_the_keyboard(show):
    page, figure = show("bayes")
    item = control(figure, "mu12")
    item.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    stated = numbers(page, figure)
    assert _pair(stated, "prototype") == pytest.approx([0, 0.2])
    surest = _classes(((0, 0.2), (3, 0)), (1, 2), None).most_certain(0).tolist()
    assert _pair(stated, "surest") == pytest.approx(surest, abs=1e-3)


def test_means_stay_apart(show):
    page, figure = show("bayes")
    before = numbers(page, figure)
    slide(figure, "mu21", 0.1)  # on top of the other
    assert numbers(page, figure) == before
    assert float(control(figure, "mu21").input_value()) == 3


def test_a_change_is_drawn_within_a_frame(show):
    """The picture is new two frames after the input, with the figure at its slowest shading."""
    page, figure = show("bayes")
    control(figure, "shade").select_option("2")
    seen(page, figure)
    took = page.evaluate(
        """async input => { const frame = () => new Promise(r => requestAnimationFrame(r));
          const times = [];
          for (let k = 0; k < 12; k++) {
            input.value = 1 + 0.05 * k;
            const start = performance.now();
            input.dispatchEvent(new Event("input", {bubbles: true}));
            await frame(); await frame();
            times.push(performance.now() - start);
          }
          return times.sort((a, b) => a - b)[6] }""",
        control(figure, "sd1"),
    )
    assert took < 120  # milliseconds for two frames, on a shared machine without a GPU
