"""The figure of Langevin steps: its particles obey the law that it states, and the seed."""

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from actmax_lib import sampling, widgets
from tests.browser.figure_checks import control, numbers, operate, seen, slide
from tests.browser.figures.conftest import ALT, PAGE

COUNT, VARIANCES = 1000, (1.0, 0.25)
Z = 4.5  # one false alarm in 1e5 for each number compared


def press(page, figure, name, times=1):
    for _ in range(times):
        operate(page, control(figure, name))
    return numbers(page, figure)


def statement(figure):
    return figure.query_selector(".am-statement").text_content()


def assert_like(found, variance):
    """A variance of COUNT normal particles within Z standard errors, and the rounding shown."""
    assert abs(found - variance) < Z * variance * math.sqrt(2 / (COUNT - 1)) + 5e-4


def assert_obeys_the_law(page, figure, step, T):
    slide(figure, "step", step)
    slide(figure, "temperature", T)
    operate(page, control(figure, "reset"))
    stated = press(page, figure, "leap", 5)
    assert stated["steps"] == 300
    law = sampling.stationary_covariance(np.diag(VARIANCES), step, T).diagonal().tolist()
    for i, s in enumerate(VARIANCES):
        assert stated[f"law_{i}"] == pytest.approx(law[i], abs=5.1e-4)
        assert stated[f"density_{i}"] == pytest.approx(T * s, abs=5.1e-4)
        assert_like(stated[f"found_{i}"], law[i])


@pytest.mark.parametrize(("step", "T"), [(0.1, 1.0), (0.3, 1.0), (0.8, 0.5), (0.9, 2.0)])
def test_variances_obey_the_law(show, step, T):
    assert_obeys_the_law(*show("langevin", reduced_motion="reduce"), step, T)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("const noise = Math.sqrt(eps * T)", "const noise = eps * T"),
        ("const noise = Math.sqrt(eps * T)", "const noise = Math.sqrt(eps)"),
        ("v + (eps / 2) * s[i]", "v + eps * s[i]"),
        ("(T * s) / (1 - eps / (4 * s))", "(T * s) / (1 - eps / (2 * s))"),
    ],
)
def test_a_planted_fault_is_caught(show, folder, monkeypatch, right, wrong):
    monkeypatch.setenv("ACTMAX_STATIC", "1")
    text = str(widgets.figure("langevin", alt=ALT, caption="With a fault."))
    assert right in text
    text = text.replace(right, wrong)
    (folder / "faulty.html").write_text(PAGE.format(text), encoding="utf-8")
    with pytest.raises(AssertionError):
        assert_obeys_the_law(*show("faulty", reduced_motion="reduce"), 0.4, 0.5)


def test_the_variance_is_foretold_at_every_step(show):
    page, figure = show("langevin", reduced_motion="reduce")
    slide(figure, "step", 0.4)
    stated = press(page, figure, "reset")
    v = [0.15**2, 0.15**2]
    for t in range(8):
        assert stated["steps"] == t
        for i, s in enumerate(VARIANCES):
            assert stated[f"now_{i}"] == pytest.approx(v[i], abs=5.1e-4)
            assert_like(stated[f"found_{i}"], v[i])
            v[i] = (1 - 0.4 / (2 * s)) ** 2 * v[i] + 0.4
        stated = press(page, figure, "one")


def test_temperature_zero_is_gradient_ascent(show):
    page, figure = show("langevin", reduced_motion="reduce")
    slide(figure, "step", 0.4)
    slide(figure, "temperature", 0)
    start = press(page, figure, "reset")
    stated = press(page, figure, "one", 3)
    for i, s in enumerate(VARIANCES):  # every particle by the same factor: exact, but for rounding
        factor = (1 - 0.4 / (2 * s)) ** 6
        assert stated[f"found_{i}"] == pytest.approx(start[f"found_{i}"] * factor, abs=1e-3)
    stated = press(page, figure, "leap", 2)
    assert (stated["found_0"], stated["found_1"]) == (0, 0)
    assert "activation maximization" in statement(figure)


def test_beyond_the_limit_the_particles_leave(show):
    page, figure = show("langevin", reduced_motion="reduce")
    assert "settle at" in statement(figure)
    slide(figure, "step", 1.0)
    assert numbers(page, figure)["law_1"] == math.inf
    assert "not below the limit 1.00" in statement(figure)
    slide(figure, "step", 1.2)
    press(page, figure, "leap", 2)
    before = numbers(page, figure)
    assert before["found_1"] > 1e6
    assert before["found_0"] < 3  # the long axis is still below its own limit
    assert "left for infinity" in statement(figure)
    assert press(page, figure, "leap") == before  # nothing moves any more
    assert press(page, figure, "reset")["steps"] == 0


def tempered_share(T):
    """The mass of p^(1/T) on the right for the two hills, on a grid."""
    g = np.linspace(-4.5, 4.5, 901)
    p = np.stack(np.meshgrid(g, g, indexing="ij"), -1)
    hills = [w * multivariate_normal([x, 0], 0.25 * np.eye(2)).pdf(p) for w, x in
             ((0.3, -1.2), (0.7, 1.2))]  # fmt: skip
    weight = sum(hills) ** (1 / T)
    return weight[g > 0].sum() / weight.sum()


def test_two_hills_are_shared_out_when_warm_only(show):
    page, figure = show("langevin", reduced_motion="reduce")
    control(figure, "density").select_option("1")
    slide(figure, "step", 0.1)
    slide(figure, "temperature", 2)
    warm = press(page, figure, "leap", 12)
    assert warm["share_exact"] == pytest.approx(tempered_share(2), abs=2e-3)
    exact = warm["share_exact"]
    assert abs(warm["share"] - exact) < Z * math.sqrt(exact * (1 - exact) / COUNT) + 0.02
    slide(figure, "temperature", 0.2)
    press(page, figure, "reset")
    cold = press(page, figure, "leap", 12)
    assert cold["share_exact"] > 0.95
    assert cold["share"] < 0.1  # they stay on the hill beside the start


def test_the_seed_fixes_every_pixel(show):
    def after(steps):
        page, figure = show("langevin", reduced_motion="reduce")
        press(page, figure, "leap", steps)
        return seen(page, figure)

    first = after(2)
    assert after(2) == first
    assert after(1) != first
    page, figure = show("langevin", reduced_motion="reduce")
    press(page, figure, "leap", 2)
    press(page, figure, "reset")
    press(page, figure, "leap", 3)  # the page itself began with one leap
    assert seen(page, figure) == first


def test_play_moves_and_pause_stops(show):
    page, figure = show("langevin")
    begun = numbers(page, figure)["steps"]
    page.wait_for_timeout(200)
    assert numbers(page, figure)["steps"] == begun  # nothing moves before the reader says so
    operate(page, control(figure, "play"))
    page.wait_for_function("b => b.textContent === 'Pause'", arg=control(figure, "play"))
    slide(figure, "step", 0.8)
    page.wait_for_timeout(900)  # a screen reader hears of it half a second later
    assert "1.25 and 5.00 times" in statement(figure)
    spoken = figure.query_selector(".actmax-alt[role=status]").text_content()
    assert spoken == f"Running: {statement(figure)}"
    press(page, figure, "play")
    stopped = numbers(page, figure)["steps"]
    assert stopped > begun
    page.wait_for_timeout(200)
    assert numbers(page, figure)["steps"] == stopped


def test_without_motion_play_is_a_leap(show):
    page, figure = show("langevin", reduced_motion="reduce")
    begun = numbers(page, figure)["steps"]
    assert press(page, figure, "play")["steps"] == begun + 60
    assert control(figure, "play").text_content() == "Play"
