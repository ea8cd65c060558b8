"""Score matching: exact values by other routes, random numbers, bad input."""

import math

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from actmax_lib import score_matching as sm
from tests import nets

pytestmark = pytest.mark.usefixtures("one_thread")
seeds = st.integers(0, 10_000)


def mlp(d, seed, act=nn.Tanh):
    """A log-density (N, d) -> (N,) with all kinds of derivatives, in float64."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = nn.Sequential(nn.Linear(d, 7), act(), nn.Linear(7, 5), act(), nn.Linear(5, 1))
    net.double()
    return net, lambda x: net(x)[:, 0]


def gaussian(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def cosine(x):
    return x.cos().flatten(1).sum(1)


@given(seeds, st.integers(1, 6), st.integers(1, 4))
def test_trace_is_the_sum_of_second_differences(seed, d, n):
    _, f = mlp(d, seed)
    x, h = gaussian(n, d, seed=seed), 1e-4
    second = sum((f(x + h * e) + f(x - h * e) - 2 * f(x)) / h**2 for e in torch.eye(d).double())
    trace = sm.exact_trace(sm.score_of(f), x)
    np.testing.assert_allclose(trace.detach(), second.detach(), atol=1e-6)


def test_trace_of_a_score_that_is_no_gradient():
    rotation = torch.tensor([[1.0, 5.0], [-7.0, 3.0]], dtype=torch.float64)
    x = gaussian(3, 2)
    np.testing.assert_allclose(sm.exact_trace(lambda x: x @ rotation.T, x), 4.0)


def test_against_sympy():
    names = sympy.symbols("x y z")
    a, b, c = names
    formula = a**2 * b + sympy.sin(a * c) + c**4 - sympy.exp(-b * b)
    points = gaussian(5, 3)

    def f(x):
        a, b, c = x.T
        return a**2 * b + torch.sin(a * c) + c**4 - torch.exp(-b * b)

    laplacian = sum(sympy.diff(formula, n, 2) for n in names)
    square = sum(sympy.diff(formula, n) ** 2 for n in names)
    loss = sympy.lambdify(names, laplacian + square / 2)
    laplacian = sympy.lambdify(names, laplacian)
    score = sm.score_of(f)
    np.testing.assert_allclose(sm.exact_trace(score, points), laplacian(*points.T.numpy()))
    np.testing.assert_allclose(sm.implicit(score, points), loss(*points.T.numpy()))
    other = score(points) + torch.tensor([3.0, 0.0, -4.0])
    np.testing.assert_allclose(sm.explicit(score, lambda x: other, points), 12.5)


@given(seeds)
def test_images_and_networks(seed):
    """Any shape of sample, float32, an in-place ReLU, batch normalization that does not learn."""
    net = nets.Cnn().eval()
    x = gaussian(2, 3, 6, 5, seed=seed).float()
    score = sm.score_of(lambda x: net(x)[:, 1])
    s = score(x)
    loss = sm.implicit(score, x)
    assert loss.shape == (2,)
    assert loss.dtype == torch.float32
    # piecewise linear: the trace is 0 (P20)
    np.testing.assert_allclose(loss.detach(), s.square().flatten(1).sum(1).detach() / 2, rtol=1e-5)
    diagonal = sm.hutchinson(lambda x: -3 * x, x, probes=2)
    np.testing.assert_allclose(diagonal, -270.0)


@given(seeds, st.integers(1, 5))
def test_diagonal_jacobian_is_exact_with_one_sign_probe(seed, d):
    x, scales = gaussian(4, d, seed=seed), gaussian(d, seed=seed + 1)
    score = lambda x: scales * x - x**3  # noqa: E731
    got = sm.hutchinson(score, x, kind="rademacher", seed=seed)
    np.testing.assert_allclose(got, (scales - 3 * x**2).sum(1), atol=1e-12)
    np.testing.assert_allclose(
        sm.sliced(score, x, kind="rademacher", reduced=True, seed=seed), sm.implicit(score, x)
    )


CALLS = {
    "hutchinson": lambda x, seed: sm.hutchinson(lambda x: x.sin() @ SKEW.to(x), x, seed=seed),
    "gaussian": lambda x, seed: sm.hutchinson(torch.sin, x, kind="gaussian", seed=seed),
    "one-sided": lambda x, seed: sm.taylor_trace(cosine, x, sigma=0.1, antithetic=False, seed=seed),
    "antithetic": lambda x, seed: sm.taylor_trace(cosine, x, sigma=0.1, seed=seed),
    "denoising": lambda x, seed: sm.denoising(torch.sin, x, sigma=0.1, seed=seed),
    "sliced": lambda x, seed: sm.sliced(torch.sin, x, seed=seed),
    "penalty": lambda x, seed: sm.density_penalty(
        cosine, x, sigma=0.1, mu=1e-3, generator=torch.Generator().manual_seed(seed)
    ).detach(),
}
SKEW = torch.tensor([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [1.0, 1.0, 1.0]])


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_random_numbers(call):
    x = gaussian(1, 3).expand(6, 3)
    torch.manual_seed(5)
    state = torch.get_rng_state()
    one, again, other = call(x, 0), call(x, 0), call(x, 1)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one, again)
    assert (one != other).any()
    assert len(one.unique()) > 1  # fresh noise for each sample
    assert one.dtype == torch.float64
    assert torch.equal(x, gaussian(1, 3).expand(6, 3))
    assert call(x.float(), 0).dtype == torch.float32
    np.testing.assert_allclose(call(x.float(), 0), one, rtol=3e-2)  # the same noise


def test_probes_are_averaged_and_not_reused():
    x = gaussian(1, 3).expand(4000, 3)
    few, many = (
        sm.taylor_trace(cosine, x, sigma=0.1, probes=p, antithetic=False).var() for p in (1, 25)
    )
    assert 20 < few / many < 31  # sd of the ratio is 1
    few, many = (sm.sliced(torch.sin, x, probes=p).var() for p in (1, 25))
    assert 20 < few / many < 31


def test_chunks_do_not_change_the_answer(monkeypatch):
    x = gaussian(2, 3)
    whole = [call(x, 3) for call in CALLS.values()]
    monkeypatch.setattr(sm, "AT_ONCE", 6)
    parts = [call(x, 3) for call in CALLS.values()]
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


drop = nn.Dropout(0.5)


def mixing(x):
    return (x - x.mean(0)).square().sum(1)


BAD = {
    "no tensor": (TypeError, "x must be", lambda x: sm.implicit(torch.sin, [[1.0]])),
    "integers": (TypeError, "int64", lambda x: sm.implicit(torch.sin, x.long())),
    "half": (TypeError, "float16", lambda x: sm.taylor_trace(cosine, x.half(), sigma=1)),
    "empty": (ValueError, "hold a sample", lambda x: sm.hutchinson(torch.sin, x[:0])),
    "no batch": (ValueError, "hold a sample", lambda x: sm.hutchinson(torch.sin, x[0])),
    "sigma 0": (ValueError, "sigma", lambda x: sm.taylor_trace(cosine, x, sigma=0)),
    "sigma nan": (ValueError, "sigma", lambda x: sm.denoising(torch.sin, x, sigma=math.nan)),
    "sigma < 0": (ValueError, "sigma", lambda x: penalty(x, sigma=-0.1)),
    "probes 0": (ValueError, "probes", lambda x: sm.hutchinson(torch.sin, x, probes=0)),
    "probes 1.5": (TypeError, "probes", lambda x: sm.sliced(torch.sin, x, probes=1.5)),
    "penalty probes": (ValueError, "probes", lambda x: penalty(x, probes=0)),
    "kind": (ValueError, "'uniform'", lambda x: sm.hutchinson(torch.sin, x, kind="uniform")),
    "seed": (ValueError, "seed", lambda x: sm.hutchinson(torch.sin, x, seed=-1)),
    "mu": (ValueError, "mu", lambda x: penalty(x, mu=-1e-3)),
    "generator": (TypeError, "generator", lambda x: penalty(x, generator=0)),
    "score of a value": (ValueError, r"score_of\(f\)", lambda x: sm.exact_trace(cosine, x)),
    "score 2": (ValueError, "shape of x", lambda x: sm.denoising(lambda x: x[:, :2], x, sigma=1)),
    "target": (ValueError, "shape of x", lambda x: sm.explicit(torch.sin, cosine, x)),
    "one f": (ValueError, "one value a sample", lambda x: penalty(x, f=lambda x: x.sum())),
    "f (N, 1)": (
        ValueError, r"got \(4, 1\)", lambda x: sm.taylor_trace(lambda x: x[:, :1], x, sigma=1)
    ),
    "vector f": (ValueError, "one value a sample", lambda x: sm.score_of(torch.sin)(x)),
    "mixing f": (ValueError, "each other", lambda x: sm.taylor_trace(mixing, x, sigma=0.01)),
    "mixing score": (ValueError, "each other", lambda x: sm.implicit(sm.score_of(mixing), x)),
    "mixing probe": (ValueError, "each other", lambda x: sm.hutchinson(lambda x: x - x.mean(0), x)),
    "dropout": (RuntimeError, "random", lambda x: penalty(x, f=lambda x: cosine(drop(x)))),
}  # fmt: skip


def penalty(x, f=cosine, **options):
    given = {"sigma": 0.1, "mu": 1e-3, "generator": torch.Generator()}
    return sm.density_penalty(f, x, **given | options)


@pytest.mark.parametrize(("error", "text", "call"), BAD.values(), ids=BAD)
def test_bad_input(error, text, call):
    with pytest.raises(error, match=text):
        call(gaussian(4, 3))
