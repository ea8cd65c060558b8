"""A picture drawn by a trained decoder: x = G(z), climbed in z."""

from collections.abc import Sequence

from torch import Tensor, nn

from actmax_lib import checks
from actmax_lib.images import Image
from actmax_lib.streams import Streams


class _Decoded(Image):
    lr = 0.1

    def __init__(self, decoder: nn.Module, latent: tuple[int, ...], lam, batch) -> None:
        self.decoder, self.latent, self.lam = decoder, latent, lam
        self.nets, self.batch = (decoder,), batch

    def start(self, streams: Streams) -> Tensor:
        return streams.normal(*self.latent)

    def render(self, z: Tensor) -> Tensor:
        weight = next((p for p in self.decoder.parameters() if p.is_floating_point()), z)
        x = self.decoder(z.to(weight.dtype))
        if not isinstance(x, Tensor) or x.ndim < 2 or len(x) != len(z):
            got = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
            raise ValueError(
                f"decoder must map z of {tuple(z.shape)} to pictures ({len(z)}, ...), got {got}"
            )
        return x.to(z.dtype)

    def prior(self, z: Tensor) -> Tensor | None:
        return None if self.lam is None else -self.lam * z.square().flatten(1).sum(1)


def learned_prior(
    decoder: nn.Module, latent: int | Sequence[int], *, lam: float | None = 0.5,
    batch: int | None = None,
) -> Image:  # fmt: skip
    """x = decoder(z): only pictures that a trained generator can draw (Nguyen et al. 2016).

    decoder: maps z (N, latent) to pictures (N, C, H, W), in [0, 1] where it ends in a sigmoid. It
    runs in evaluation mode, gets no gradients, and is left as it was.
    latent: the shape of one image's z, a number or a tuple; z starts as a draw from N(0, I).
    lam: λ > 0 adds -λ ‖z‖² to what is climbed, the term "prior" of the run; ½ makes it the log
    density of N(0, I), for which decoders are usually trained; None leaves it out.
    Raises TypeError when decoder is no module, ValueError when it does not keep the batch.
    """
    if not isinstance(decoder, nn.Module):
        raise TypeError(f"decoder must be a torch.nn.Module, got {decoder!r}")
    shape = latent if isinstance(latent, Sequence) else (latent,)
    shape = tuple(checks.count("latent", n) for n in shape)
    if not shape:
        raise ValueError("latent is an empty shape; give the number of latent coordinates")
    lam = None if lam is None else checks.weight("lam", lam)
    return _Decoded(decoder, shape, lam, None if batch is None else checks.count("batch", batch))
