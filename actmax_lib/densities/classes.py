"""Classes that are Gaussian: p(x, k), p(x), p(x | k) and p(k | x), all exact."""

from typing import Any

import torch
from torch import Tensor

from actmax_lib import checks
from actmax_lib.densities.certain import most_certain
from actmax_lib.densities.gaussian import Covariance, Gaussian


class GaussianClasses:
    """x | k ~ N(μ_k, Σ_k) with class probabilities π_k (chapter *bayes*).

    means: (K, d). covariances: (d, d), shared by the classes (linear discriminant analysis), or
    (K, d, d). priors: (K,), positive and summing to 1; uniform when None. Singular covariances are
    allowed where all classes live on one and the same plane; the densities are those on it.
    """

    def __init__(self, means: Any, covariances: Any, priors: Any = None) -> None:
        means = checks.real_tensor("means", means)
        covariances = checks.real_tensor("covariances", covariances)
        if means.ndim != 2:
            raise ValueError(f"means must have shape (K, d), got {tuple(means.shape)}")
        self.K, self.d = means.shape
        if covariances.shape not in ((self.d, self.d), (self.K, self.d, self.d)):
            raise ValueError(
                f"covariances has shape {tuple(covariances.shape)}; for means of shape "
                f"{tuple(means.shape)} give {(self.d, self.d)} or {(self.K, self.d, self.d)}"
            )
        self.shared = covariances.ndim == 2 or bool((covariances == covariances[0]).all())
        if self.shared:
            one = covariances if covariances.ndim == 2 else covariances[0]
            parts = [Covariance("covariances", one, self.d)] * self.K
        else:
            parts = [Covariance(f"covariances[{k}]", S, self.d) for k, S in enumerate(covariances)]
        _check_common_support(means, parts)
        self.means, self.priors = means, _priors(priors, means)
        self.components = [Gaussian.of(mean, part) for mean, part in zip(means, parts, strict=True)]

    @classmethod
    def fit(cls, x: Any, labels: Any, *, shared: bool = True) -> "GaussianClasses":
        """The classes of largest likelihood: means, frequencies, (pooled) covariances of data.

        x: (n, d); labels: (n,) integers 0 ... K - 1, each class at least once. With ``shared`` the
        covariance is pooled. Divides by n, not n - K: it is the maximum-likelihood estimate.
        """
        x = checks.real_tensor("x", x)
        if x.ndim != 2:
            raise ValueError(f"x must have shape (n, d), got {tuple(x.shape)}")
        given, _ = checks.indices("labels", labels)
        if len(given) != len(x):
            raise ValueError(f"labels has {len(given)} entries for {len(x)} rows of x")
        checks.in_range("label", given, len(x), f"{len(x)} rows of x have at most {len(x)} classes")
        index = torch.tensor(given, device=x.device)
        counts = index.bincount()
        if bool((counts == 0).any()):
            empty = int((counts == 0).nonzero()[0])
            raise ValueError(f"class {empty} has no row of x; number the classes 0 ... K - 1")
        groups = [x[index == k] for k in range(len(counts))]
        means = torch.stack([group.mean(0) for group in groups])
        scatters = torch.stack([(g - m).mT @ (g - m) for g, m in zip(groups, means, strict=True)])
        covariances = scatters.sum(0) / len(x) if shared else scatters / counts[:, None, None]
        return cls(means, covariances, (counts / len(x)).to(x))

    def log_conditional(self, x: Tensor) -> Tensor:
        """log p(x | k), shape (N, K)."""
        return torch.stack([component.log_prob(x) for component in self.components], 1)

    def log_joint(self, x: Tensor) -> Tensor:
        """log p(x, k) = log p(x | k) + log π_k, shape (N, K)."""
        return self.log_conditional(x) + self.priors.to(x).log()

    def log_marginal(self, x: Tensor) -> Tensor:
        """log p(x) = log Σ_k p(x, k), shape (N,)."""
        return self.log_joint(x).logsumexp(1)

    def log_posterior(self, x: Tensor) -> Tensor:
        """log p(k | x), shape (N, K); NaN off the support of singular covariances."""
        return self.log_joint(x).log_softmax(1)

    def score(self, x: Tensor, k: int | None = None) -> Tensor:
        """∇ log p(x), or ∇ log p(x | k) for a class k; shape (N, d)."""
        if k is not None:
            return self.components[self.label(k)].score(x)
        scores = torch.stack([component.score(x) for component in self.components], 1)
        return (self.log_posterior(x).exp()[:, :, None] * scores).sum(1)

    def sample(self, n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
        """n draws of (x, k): shapes (n, d) and (n,); the global random state stays as it is."""
        n, seed = checks.count("n", n), checks.count("seed", seed, at_least=0)
        generator = torch.Generator().manual_seed(seed)
        labels = self.priors.double().cpu().multinomial(n, replacement=True, generator=generator)
        rank = self.components[0].covariance.rank
        noise = torch.randn(n, rank, generator=generator, dtype=torch.float64)
        x = torch.empty(n, self.d, dtype=torch.float64)
        for k, component in enumerate(self.components):
            own, part = labels == k, component.covariance
            x[own] = component.mu.double().cpu() + noise[own] * part.values.sqrt() @ part.axes.mT
        return x.to(self.means), labels.to(self.means.device)

    def prototype(self, k: int) -> Tensor:
        """argmax_x p(x | k) = μ_k, shape (d,): the picture most typical of the class."""
        return self.means[self.label(k)].clone()

    def most_certain(self, k: int) -> Tensor:
        """argmax_x p(k | x), shape (d,), where there is one (prop:bayes:most-certain).

        Raises UnboundedProblemError where p(k | x) rises for ever along ``direction``, as it does
        for the two classes of a shared covariance. Exact for two classes; for more, a convex
        problem where the class is the narrowest in every direction, else a search from many starts.
        Of several maximisers that form a plane, the one nearest to the mean.
        """
        return most_certain(self, self.label(k))

    def lda_logits(self) -> tuple[Tensor, Tensor]:
        """(W (K, d), b (K,)): the linear logits Wx + b of classes with a shared covariance.

        They are log p(x, k) less what all classes have in common. Raises ValueError where the
        covariances differ: the logits are quadratic then.
        """
        if not self.shared:
            raise ValueError("the covariances differ: the logits are quadratic, see log_joint")
        means = self.means.double()
        W = means @ self.components[0].covariance.precision.to(means)
        b = -(W * means).sum(1) / 2 + self.priors.double().log()
        return W.to(self.means), b.to(self.means)

    def label(self, k: Any) -> int:
        """``k`` as the number of a class; ValueError out of range."""
        k = checks.count("k", k, at_least=0)
        checks.in_range("k", (k,), self.K, f"there are {self.K} classes")
        return k

    def __repr__(self) -> str:
        return f"GaussianClasses(K={self.K}, d={self.d}, shared={self.shared})"


def _priors(priors: Any, means: Tensor) -> Tensor:
    K = len(means)
    if priors is None:
        return torch.full((K,), 1 / K, dtype=means.dtype, device=means.device)
    priors = checks.real_tensor("priors", priors).to(means)
    if priors.shape != (K,):
        raise ValueError(f"priors has shape {tuple(priors.shape)} for {K} classes")
    if float(priors.min()) <= 0:
        k = int(priors.argmin())
        raise ValueError(f"priors[{k}] is {float(priors[k]):g}; leave out a class that never comes")
    total = float(priors.double().sum())
    if abs(total - 1) > 1e-6:
        raise ValueError(f"priors sum to {total:.6g}, not to 1; give priors / sum(priors)")
    return priors


def _check_common_support(means: Tensor, parts: list[Covariance]) -> None:
    """Densities of different classes compare only where they live on the same plane."""
    first = parts[0]
    for k, part in enumerate(parts):
        away = (means[k] - means[0]).double().cpu()
        apart = float((away @ first.null).norm()) if first.null.shape[1] else 0.0
        tilted = part is not first and (
            part.rank != first.rank or float((part.axes.mT @ first.null).norm()) > 1e-6
        )
        if tilted or apart > 1e-6 * float(away.norm()):
            raise ValueError(
                f"classes 0 and {k} live on different planes (their covariances are singular): no "
                "density is common to them; add a little variance in every direction"
            )
