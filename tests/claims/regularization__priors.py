"""Claims of chapters/formulation/regularization.md: coordinates, phases, silent directions."""

import numpy as np
import torch

from actmax_lib import affine, fourier, frequency_penalty, learned_prior, maco, maximize
from actmax_lib import closed_forms as cf
from actmax_lib.streams import Streams

from . import claim
from .regularization import SHAPES, symmetric, waves
from .tools import broken, climb, rng, worst


@claim(
    "eq:regularization:frequency",
    "eq:regularization:fourier",
    "prop:regularization:fourier",
    statement="With x̂ = ẑ/|ω|^a, ℓ2 on z is the frequency penalty of power a on x, and both have "
    "the same maximiser.",
    tol=1e-5,
)
def fourier_coordinates():
    r, errors, lam = rng(47), [], 0.6
    for shape in SHAPES:
        F, frequency = waves(shape)
        d = F.shape[1]
        for a in (0.5, 1.0, 1.5):
            z = r.normal(size=d)
            z -= z.mean()
            scale = np.where(frequency > 0, frequency, 1) ** -a * (frequency > 0)
            A = (F.conj().T @ (scale[:, None] * F)).real / d
            x = A @ z
            price = (frequency ** (2 * a) * np.abs(F @ x) ** 2).sum() / d
            errors.append(price - z @ z)
            omega = frequency_penalty(lam, a)(torch.tensor(x.reshape(1, 1, *shape)))
            errors.append(float(omega) + lam * z @ z)
            w = r.normal(size=d)
            w -= w.mean()
            best = climb(lambda z, A=A, w=w: w @ A @ z - lam * z @ z, np.zeros(d))
            errors.append(A @ best - cf.affine_frequency(w.reshape(shape), 0, lam, a).x.ravel())
    image = fourier(1, (6, 5), decay=1.5)  # the library's coordinates are these, up to a constant
    z = 3 * image.start(Streams([0], dtype=torch.float64))
    hat = np.fft.rfft2(image.render(z).logit().numpy())[0, 0, :, 1:]
    frequency = np.hypot(np.fft.fftfreq(6)[:, None], np.fft.rfftfreq(5))[:, 1:]
    ratio = hat * frequency**1.5 / torch.view_as_complex(z).numpy()[0, 0, :, 1:]
    return worst(*errors, np.abs(ratio / ratio.flat[0] - 1))


@claim(
    "prop:regularization:maco",
    "eq:regularization:phases",
    "eq:regularization:maco",
    statement="Given magnitudes and mean: the best phases are those of ŵ, the value is "
    "b + (m ŵ(0) + Σ r|ŵ|)/N; a climb in phases finds it.",
    tol=1e-5,
)
def phases():
    r, errors = rng(48), []
    for shape in (*SHAPES, (5, 5)):
        F, _ = waves(shape)
        d = F.shape[1]
        w, b, m = r.normal(size=d), r.normal(), r.normal() * d
        size = symmetric(r.uniform(0.2, 2, size=d), shape)
        hat = F @ w
        magnitude = np.concatenate([[m], size[1:]])
        value = b + (m * hat[0].real + (size * np.abs(hat))[1:].sum()) / d
        found = cf.affine_phases(w.reshape(shape), b, magnitude.reshape(shape))
        x = found.x.ravel()
        errors += [found.value - value, w @ x + b - value, (F @ x)[0].real - m]
        errors += [np.abs(np.abs(F @ x)[1:] - size[1:])]
        errors.append(np.abs((F @ x)[1:] * np.abs(hat)[1:] - size[1:] * hat[1:]))
        for _ in range(50):  # phases of other real pictures
            other = F @ r.normal(size=d)
            spectrum = np.concatenate([[m], (size * other / np.abs(other))[1:]])
            picture = (F.conj().T @ spectrum).real / d
            errors.append(max(w @ picture + b - value, 0))
        run = maximize(
            affine(w, b), maco(magnitude.reshape(shape), bounded=False), steps=400, lr=0.3
        )
        errors.append((run.values.item() - value) / (1 + abs(value)))
    return worst(*errors)


@claim(
    "remark:regularization:affine-decoder",
    statement="An affine decoder with λ|z|² has the best picture μ + AA'w/(2λ).",
    tol=1e-7,
)
def affine_decoder():
    r = rng(49)
    A, mu, w, lam = r.normal(size=(6, 3)), r.normal(size=6), r.normal(size=6), 0.8
    G = torch.nn.Linear(3, 6).double()
    with torch.no_grad():
        G.weight.copy_(torch.tensor(A))
        G.bias.copy_(torch.tensor(mu))
    run = maximize(affine(w), learned_prior(G, 3, lam=lam), optimizer="gradient",
                   schedule="constant", lr=0.1, steps=400)  # fmt: skip
    best = climb(lambda z: w @ (mu + A @ z) - lam * z @ z, np.zeros(3))
    expected = mu + A @ A.T @ w / (2 * lam)
    return worst(run.images[0].numpy() - expected, 1e-2 * (mu + A @ best - expected))


@claim(
    "prop:regularization:silent",
    "eq:regularization:silent",
    statement="With u orthogonal to the data, w + Mu gives the same outputs; its ℓ2 picture tends "
    "to u; under the data's covariance the picture does not change.",
    tol=1e-9,
)
def silent():
    r, errors = rng(50), []
    for d, k in ((6, 3), (9, 5)):
        S, mu, w, b, lam = (
            r.normal(size=(d, k)),
            r.normal(size=d),
            r.normal(size=d),
            r.normal(),
            0.7,
        )
        X = mu + r.normal(size=(40, k)) @ S.T
        u = np.linalg.qr(np.c_[S, r.normal(size=d)])[0][:, -1]  # orthogonal to S
        Sigma = np.cov(X.T)
        honest = cf.affine_gaussian(w, b, mu, Sigma)
        cosines = []
        for M in (1.0, 30.0, 1e6):
            loud, offset = w + M * u, b - M * (u @ mu)
            errors.append((X @ loud + offset - X @ w - b) / M)
            plain = cf.affine_l2(loud, offset, lam).x
            errors.append((plain - loud / (2 * lam)) / M)
            cosines.append(plain @ u / np.linalg.norm(plain))
            errors.append((cf.affine_gaussian(loud, offset, mu, Sigma).x - honest.x) / M)
        errors.append(broken(cosines == sorted(cosines), cosines[-1] > 1 - 1e-9))
    return worst(*errors)
