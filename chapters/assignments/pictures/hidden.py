"""What sheet 5 is judged by. Never handed out.

The judge has networks of its own: those of `classroom.carried`, hidden channels and classes in a
random order, with another normalisation. A unit's value is always computed with them.
"""

import zlib
from itertools import pairwise, product
from math import floor

import numpy as np
import torch
from torch.nn import functional as F

from classroom.carried import network
from classroom.checks import check, close, refuses, unpack

GREY = torch.full((1, 28, 28), 0.5)
STARTS = 271828, 314159, 161803  # of the judge's climbs
CLEAR = {"robust": 0.5, "standard": 1.5}  # below, right climbs can be stuck: gradients are small
_kept = {}


def shuffled(kind, rng, normalisation=True):
    """The same network with channels and classes in another order, and a new normalisation."""
    weights = network(kind)
    before = np.arange(1)
    for name, n in (("conv1", 16), ("conv2", 32), ("conv3", 64), ("classifier", 10)):
        kernel, order = weights[f"{name}.weight"], rng.permutation(n)
        if name == "classifier":
            kernel = kernel.reshape(10, 64, 49)
        kernel = kernel[order][:, before].reshape(weights[f"{name}.weight"].shape)
        weights[f"{name}.weight"] = np.ascontiguousarray(kernel)
        weights[f"{name}.bias"] = weights[f"{name}.bias"][order]
        before = order
    if normalisation:
        weights["mean"], weights["sd"] = rng.uniform(0.35, 0.5), rng.uniform(0.2, 0.3)
    return weights


def values(weights, x, layer, unit):
    """Values (n,) of a unit, or of one unit a picture, for pictures x (n, 28, 28)."""
    held = {k: torch.as_tensor(v) for k, v in weights.items()}
    y = (x[:, None] - held["mean"].float()) / held["sd"].float()
    for name in ("conv1", "conv2", "conv3"):
        y = F.conv2d(y, held[f"{name}.weight"], held[f"{name}.bias"], padding=1)
        if name == layer:
            return y[:, unit].mean((1, 2))
        y = F.softplus(y, beta=10)
        y = F.avg_pool2d(y, 2) if name != "conv3" else y
    return F.linear(y.flatten(1), held["classifier.weight"], held["classifier.bias"])[:, unit]


def variation(x):
    return x.diff(dim=1).abs().sum() + x.diff(dim=2).abs().sum()


def climb(weights, layer, unit, steps, lr, shift=0, lam=0.0, start=STARTS[0]):
    """The judge's own picture (1, 28, 28); kept, since a whole class is asked the same."""
    marks = [zlib.crc32(np.ascontiguousarray(value)) for value in weights.values()]
    key = (*marks, layer, unit, steps, lr, shift, lam, start)
    if key not in _kept:
        _kept[key] = _climb(weights, layer, unit, steps, lr, shift, lam, start)
    return _kept[key]


def _climb(weights, layer, unit, steps, lr, shift, lam, start):
    generator = torch.Generator().manual_seed(start)
    z = (0.1 * torch.randn(1, 28, 28, generator=generator)).requires_grad_()
    optimizer = torch.optim.Adam([z], lr=lr)
    for _ in range(steps):
        x = torch.sigmoid(z)
        delta = torch.randint(-shift, shift + 1, (2,), generator=generator).tolist()
        optimizer.zero_grad()
        value = values(weights, x.roll(delta, (1, 2)), layer, unit).sum()
        (lam * variation(x) - value).backward()
        optimizer.step()
    return torch.sigmoid(z).detach()


def worth(weights, x, layer, unit, shift=0, lam=0.0):
    """J of a picture, over all shifts."""
    steps = range(-shift, shift + 1)
    moved = torch.cat([x.roll((i, j), (1, 2)) for i in steps for j in steps])
    return float(values(weights, moved, layer, unit).mean() - lam * variation(x))


def picture(x):
    """An answer as a tensor (1, 28, 28), if it is a picture."""
    assert np.shape(x) == (28, 28), f"a picture (28, 28) is asked for, not shape {np.shape(x)}"
    x = np.asarray(x)
    assert x.dtype.kind == "f", "the pixels of a picture are floats"
    assert np.isfinite(x).all(), "the picture has pixels that are not numbers"
    inside = x.min() >= -1e-6 and x.max() <= 1 + 1e-6
    assert inside, f"pixels reach from {x.min():.2f} to {x.max():.2f}"
    return torch.as_tensor(x.astype(np.float32))[None]


def plain_gain(weights, layer, unit):
    """What the weakest of the judge's plain climbs gains over grey."""
    plain = (climb(weights, layer, unit, 100, 0.05, start=start) for start in STARTS)
    weakest = min(worth(weights, x, layer, unit) for x in plain)
    return weakest - worth(weights, GREY, layer, unit)


def share(weights, x, layer, unit):
    """What a picture gains over grey, as a share of what a plain climb gains."""
    gained = worth(weights, x, layer, unit) - worth(weights, GREY, layer, unit)
    return gained / plain_gain(weights, layer, unit)


def percent(part):
    """Rounded down, so that a limit is never shown to somebody who misses it."""
    return f"{floor(100 * part)} %"


def reaches(weights, x, layer, unit):
    gained = share(weights, x, layer, unit)
    assert gained >= 0.8, (
        f"unit {unit} of {layer} gains {percent(gained)} of what a plain climb gains"
    )


@check("draw", points=2)
def values_of_units(unit_value, rng):
    """The values of units are right, in all layers, on networks with other normalisations."""
    for kind in ("robust", "standard"):
        weights = shuffled(kind, rng)
        x = rng.random((3, 28, 28)).astype(np.float32)
        for layer, n in (("conv1", 16), ("conv2", 32), ("conv3", 64), ("logits", 10)):
            unit = int(rng.integers(n))
            expected = values(weights, torch.as_tensor(x), layer, unit).numpy()
            found = unit_value(weights, x, layer, unit)
            assert close(found, expected, 1e-4), f"wrong values for a unit of {layer}"


@check("draw", points=3, seconds=30)
def channels_are_climbed(draw, rng):
    """Pictures of channels reach 80 % of what a plain climb gains, on other networks."""
    for kind, clear in CLEAR.items():
        weights = shuffled(kind, rng)
        for layer, n in (("conv2", 32), ("conv3", 64)):
            units = rng.permutation(n).tolist()
            unit = next(u for u in units if plain_gain(weights, layer, u) >= clear)
            x, _ = unpack(draw(weights, layer, unit, int(rng.integers(100))), "x, value")
            reaches(weights, picture(x), layer, unit)


@check("draw", points=3, seconds=30)
def logits_are_climbed(draw, rng):
    """Pictures of classes reach 80 % of what a plain climb gains, on other networks."""
    for kind in ("robust", "standard"):
        weights = shuffled(kind, rng)
        for unit in rng.permutation(10)[:2].tolist():
            x, _ = unpack(draw(weights, "logits", unit, int(rng.integers(100))), "x, value")
            reaches(weights, picture(x), "logits", unit)


@check("draw", points=2, seconds=30)
def the_seed_and_nothing_else(draw, rng):
    """Equal seeds give equal pictures, other seeds others."""
    weights, seed, unit = shuffled("robust", rng), int(rng.integers(100)), int(rng.integers(10))
    first, other, again = (draw(weights, "logits", unit, s) for s in (seed, seed + 1, seed))
    first, other, again = (picture(unpack(a, "x, value")[0]) for a in (first, other, again))
    assert share(weights, first, "logits", unit) > 0.3, "the picture is hardly better than grey"
    assert (first - again).abs().max() < 1e-5, "the same seed gives two different pictures"
    assert (first - other).abs().max() > 1e-3, "another seed gives the same picture"


@check("draw", points=1, seconds=30)
def the_value_is_the_pictures(draw, rng):
    """The value returned is that of the picture returned."""
    for layer, n in (("logits", 10), ("conv3", 64)):
        weights, unit = shuffled("standard", rng), int(rng.integers(n))
        x, value = unpack(draw(weights, layer, unit, int(rng.integers(100))), "x, value")
        x = picture(x)
        assert share(weights, x, layer, unit) > 0.3, "the picture is hardly better than grey"
        expected = worth(weights, x, layer, unit)
        assert close(value, expected, 1e-4), "the value is not that of the picture"


def stripes(axis, gain, lam, rng):
    """A network one of whose logits is linear and likes stripes; (weights, unit).

    The stripes are 4 pixels wide, across `axis`. In full contrast they gain `gain` times their
    price over grey. A ReLU far from its kink does nothing.
    """
    weights = {k: np.zeros_like(v) for k, v in network("robust").items() if k not in ("mean", "sd")}
    before, unit = 0, int(rng.integers(10))
    for name, n in (("conv1", 16), ("conv2", 32), ("conv3", 64)):
        channel = int(rng.integers(n))
        weights[f"{name}.weight"][channel, before, 1, 1] = 1
        before = channel
    weights["conv1.bias"][:] = 5
    likes = np.where(np.indices((7, 7))[axis] % 2, 1, -1) * gain * lam * 168 / 98
    weights["classifier.weight"].reshape(10, 64, 7, 7)[unit, before] = likes
    return weights | {"mean": 0.5, "sd": 0.25}, unit


def stripes_that_pay(draw_steady, rng, shift, gain, lam=0.02):
    """Assert that stripes are drawn where they pay, and not where they do not; 0.9 is usual."""
    for axis in (0, 1):
        drawn = torch.as_tensor(np.indices((28, 28))[axis] // 4 % 2).float()[None]
        for shift_now, gain_now in ((shift, gain), (0, 4.0)):
            weights, unit = stripes(axis, gain_now, lam, rng)
            asked = weights, "logits", unit, int(rng.integers(100)), shift_now, lam
            x = picture(draw_steady(*asked))
            J, striped, grey = (
                worth(weights, i, "logits", unit, shift_now, lam) for i in (x, drawn, GREY)
            )
            worse, better = min(striped, grey), max(striped, grey)
            assert J - worse >= 0.75 * (better - worse), (
                "on a made-up network J is too small: stripes gain more than they cost, "
                "and are not drawn in full"
                if striped > grey
                else "on a made-up network J is too small: stripes cost more than they gain, "
                "and the picture is not plain grey"
            )


def bars(axis, rng, lam=0.02):
    """A network with a logit that likes bars 3.1 pixels apart; (weights, unit, the bars).

    Over shifts by -1, 0 and 1 pixel what it likes averages out, and not over any two of them. Means
    of 4 x 4 pixels may start at any pixel: kernels look at themselves or at the next position.
    """
    weights = {k: np.zeros_like(v) for k, v in network("robust").items() if k not in ("mean", "sd")}
    unit, wave = int(rng.integers(10)), np.cos(2 * np.pi * 9 * np.arange(28) / 28)
    weights["conv1.bias"][:] = 5
    likes = weights["classifier.weight"].reshape(10, 64, 7, 7)
    for start in range(4):
        low, high = start % 2, start // 2
        first, then = (1, 1 + low), (1, 1 + high)
        weights["conv1.weight"][low, 0, *(first if axis else first[::-1])] = 1
        weights["conv2.weight"][start, low, *(then if axis else then[::-1])] = 1
        weights["conv3.weight"][start, start, 1, 1] = 1
        row = np.broadcast_to(wave[start::4], (7, 7))
        likes[unit, start] = row if axis else row.T
    drawn = np.broadcast_to(np.cos(2 * np.pi * 9 * (np.arange(28) + 1.5) / 28) < 0, (28, 28))
    drawn = torch.as_tensor((drawn if axis else drawn.T).astype(np.float32))[None]
    weights |= {"mean": 0.5, "sd": 0.25}
    gained = worth(weights, drawn, "logits", unit) - worth(weights, GREY, "logits", unit)
    likes *= 3 * lam * float(variation(drawn)) / gained
    return weights, unit, drawn


def diagonals(rng, lam=0.02):
    """The same with bars along the diagonal, which stay if both axes shift alike."""
    weights, unit = stripes(0, 1.0, lam, rng)
    likes = weights["classifier.weight"].reshape(10, 64, 7, 7)[unit]
    channel = int(np.abs(likes).sum((1, 2)).argmax())
    i, j = np.indices((28, 28))
    drawn = torch.as_tensor((np.cos(2 * np.pi * 3 * (i - j) / 28) > 0).astype(np.float32))[None]
    wave = np.cos(2 * np.pi * 3 * np.subtract(*np.indices((7, 7))) / 7)
    likes[channel] = 3 * wave * lam * float(variation(drawn)) / (2 * np.abs(wave).sum())
    return weights, unit, drawn


def plain_grey(draw_steady, rng, weights, unit, drawn, shift, lam=0.02):
    """Assert that a picture is nearly as good as grey, where the pattern drawn is worse."""
    x = picture(draw_steady(weights, "logits", unit, int(rng.integers(100)), shift, lam))
    J, worse, grey = (worth(weights, i, "logits", unit, shift, lam) for i in (x, drawn, GREY))
    assert J - worse >= 0.75 * (grey - worse), (
        f"on a made-up network J is too small for shift = {shift}: a pattern is drawn that loses "
        "what it gains when all shifts come, along both axes and independently"
    )


def edges_come_back(draw_steady, rng):
    """Assert that what leaves on one side comes back, by a unit that likes one edge bright.

    It likes the opposite edge dark, three times as much. Rolled, a pixel near either edge meets
    both, and has to be dark; without a roll those near the first edge meet it alone. Differences of
    neighbours add up to an edge.
    """
    weights, unit = stripes(0, 1.0, 0.02, rng)
    for name in ("conv1", "conv2", "conv3", "classifier"):
        weights[f"{name}.weight"][:] = 0
    likes = weights["classifier.weight"].reshape(10, 64, 7, 7)[unit]
    turns, sign = int(rng.integers(4)), int(rng.choice([-1, 1]))
    for channel, (other, liking) in enumerate(((2, 1), (0, -3))):
        kernel = np.zeros((3, 3))
        kernel[1, 1], kernel[other, 1] = 1, -1
        weights["conv1.weight"][channel, 0] = np.rot90(kernel, turns)
        for name in ("conv2", "conv3"):
            weights[f"{name}.weight"][channel, channel, 1, 1] = 1
        likes[channel] = 0.1 * liking * sign
    x = picture(draw_steady(weights, "logits", unit, int(rng.integers(100)), 4, 0.0))
    plain = torch.full((1, 28, 28), float(sign < 0))
    J, best, grey = (worth(weights, i, "logits", unit, 4) for i in (x, plain, GREY))
    assert J - grey >= 0.75 * (best - grey), (
        "on a made-up network J is too small: is the picture rolled, and by all shifts?"
    )


def gains(draw_steady, rng, shift, lam):
    """Assert half of what the judge's own climb gains over one that ignores shifts and price.

    A right climb of 150 steps or more gains 65 % to 125 % for each class of the standard network.
    """
    weights, gained = shuffled("standard", rng, normalisation=False), []
    for unit in rng.permutation(10)[:2].tolist():
        x = picture(draw_steady(weights, "logits", unit, int(rng.integers(100)), shift, lam))
        ignorant = climb(weights, "logits", unit, 200, 0.1)
        ours = climb(weights, "logits", unit, 200, 0.1, shift, lam)
        J, base, best = (worth(weights, i, "logits", unit, shift, lam) for i in (x, ignorant, ours))
        gained.append((J - base) / (best - base))
    gained = np.mean(gained)
    assert gained >= 0.5, (
        f"your J gains {percent(gained)} of what our climb gains over one without shifts and price"
    )


@check("steady", points=3, seconds=30)
def shifts_are_survived(draw_steady, rng):
    """The mean over all shifts is well above that of a picture drawn without shifts."""
    gains(draw_steady, rng, 4, 0.0)
    edges_come_back(draw_steady, rng)


@check("steady", points=2, seconds=30)
def variation_is_paid(draw_steady, rng):
    """With a price and no shifts, value minus price is well above that of a plain picture."""
    gains(draw_steady, rng, 0, float(rng.uniform(0.08, 0.12)))


@check("steady", points=1, seconds=30)
def every_neighbour_counts(draw_steady, rng):
    """Stripes are drawn if they gain more than they cost, in either direction."""
    stripes_that_pay(draw_steady, rng, 0, 0.5)


@check("steady", points=2, seconds=30)
def both_directions_are_shifted(draw_steady, rng):
    """Patterns are not drawn if they do not pay because they move, in either direction."""
    stripes_that_pay(draw_steady, rng, 4, 2.0)
    plain_grey(draw_steady, rng, *diagonals(rng), 4)
    plain_grey(draw_steady, rng, *bars(int(rng.integers(2)), rng), 1)


@check("steady", points=1, seconds=30)
def nothing_asked(draw_steady, rng):
    """Without shifts and price it is a plain climb; with them it depends on the seed alone."""
    weights, unit, seed = shuffled("robust", rng), int(rng.integers(10)), int(rng.integers(100))
    reaches(weights, picture(draw_steady(weights, "logits", unit, seed, 0, 0.0)), "logits", unit)
    first, other, again = (
        picture(draw_steady(weights, "logits", unit, s, 2, 0.01)) for s in (seed, seed + 1, seed)
    )
    assert (first - again).abs().max() < 1e-5, "the same seed gives two different pictures"
    assert (first - other).abs().max() > 1e-3, "another seed gives the same picture"


def usable(x, like):
    """Whether an answer has the shape of an array, and finite entries."""
    return np.shape(x) == like.shape and bool(np.isfinite(x).all())


def changed(lie, w):
    return usable(lie, w) and np.abs(lie - w).max() > 1e-3


def opposite(a):
    """The array at the waves -omega."""
    return np.roll(a[::-1, ::-1], (1, 1), (0, 1))


def mask_and_pictures(rng):
    shape = tuple(rng.integers(4, 10, 2).tolist())
    w, x0 = rng.standard_normal((2, *shape))
    free = rng.random(shape) < 0.5
    free[0, 1] = True  # there is always something to gain
    return w + rng.standard_normal(), x0 - rng.standard_normal(), free | opposite(free)


@check("phases", points=2)
def the_largest_gain(turn_phases, rng):
    """The gain is the largest possible, and the picture has it."""
    for _ in range(20):
        w, x0, free = mask_and_pictures(rng)
        hat_w, hat_x0 = np.fft.fft2(w), np.fft.fft2(x0)
        room = np.abs(hat_w * hat_x0) - (hat_w.conj() * hat_x0).real
        x, gain = unpack(turn_phases(w, x0, free), "x, gain")
        assert close(gain, room[free].sum() / w.size), "the gain is not the largest possible"
        assert np.shape(x) == w.shape, "the picture does not have the shape of w"
        assert close((w * (x - x0)).sum(), gain), "the picture does not have this gain"


@check("phases", points=2)
def magnitudes_stay(turn_phases, rng):
    """The picture is real, keeps all magnitudes and the waves that are not free, and gains."""
    for _ in range(20):
        w, x0, free = mask_and_pictures(rng)
        x, _ = unpack(turn_phases(w, x0, free), "x, gain")
        real = np.shape(x) == w.shape and np.isrealobj(x)
        assert real, "a real picture of the shape of w, please"
        hat, given = np.fft.fft2(x), np.fft.fft2(x0)
        assert close(np.abs(hat), np.abs(given)), "the magnitudes are not those of x0"
        assert close(hat[~free], given[~free]), "a wave that is not free has changed"
        assert (w * (x - x0)).sum() > 0, "nothing is gained"


@check("phases", points=1)
def lopsided_masks_are_refused(turn_phases, rng):
    """A mask that differs at a wave and its opposite is refused, and no other."""
    for _ in range(10):
        w, x0, free = mask_and_pictures(rng)
        x, gain = unpack(turn_phases(w, x0, free), "x, gain")
        answered = close((w * (x - x0)).sum(), gain) and gain > 0
        assert answered, "a symmetric mask has an answer"
        for at in ((rng.integers(1, 3), 1), (0, 1), (1, 0)):  # inside, first row, first column
            lopsided = free.copy()
            lopsided[at] = not lopsided[at]
            refuses(ValueError, turn_phases, w, x0, lopsided)


def blur_kernel(rng, shape, floor=0.0):
    """A symmetric kernel of sum 1 whose transfer is from floor to below 1 away from 0."""
    transfer = floor + (0.95 - floor) * rng.random(shape)
    transfer = (transfer + opposite(transfer)) / 2
    transfer[0, 0] = 1.0
    return np.fft.ifft2(transfer).real


def rolled(x, kernel):
    """Sum over all rolls of x, each with its weight."""
    rows, columns = x.shape
    return sum(kernel[at] * np.roll(x, at, (0, 1)) for at in product(range(rows), range(columns)))


@check("blur", points=2)
def the_blurred_climb_stands_still(blur_fixed_point, rng):
    """One more step of the climb changes nothing."""
    for _ in range(10):
        shape = tuple(rng.integers(3, 8, 2).tolist())
        w, kernel, eta = (
            rng.standard_normal(shape),
            blur_kernel(rng, shape, 0.2),
            rng.uniform(0.1, 1),
        )
        lam = rng.uniform(0.05, 0.9) / (2 * eta)
        x = blur_fixed_point(w, kernel, eta, lam)
        assert np.shape(x) == shape, f"the answer should have shape {shape}, not {np.shape(x)}"
        after = rolled(x + eta * (w - 2 * lam * x), kernel)
        assert close(after, x), "one more step of the climb changes your picture"


@check("blur", points=1)
def waves_that_the_blur_kills(blur_fixed_point, rng):
    """A blur that takes some waves away altogether gives a finite picture without them."""
    for n in (4, 6, 8):
        along = np.zeros(n)
        along[[0, 1, -1]] = 0.5, 0.25, 0.25  # transfer 0 at the fastest wave
        kernel, w, eta = np.outer(along, along), rng.standard_normal((n, n)), rng.uniform(0.1, 1)
        x = blur_fixed_point(w, kernel, eta, 0.2)
        assert usable(x, w), "the picture is not finite"
        assert close(rolled(x + eta * (w - 0.4 * x), kernel), x), "one more step changes it"


@check("blur", points=2)
def without_a_penalty(blur_fixed_point, rng):
    """lam = 0: the mean stays at 0 if w adds up to 0, and runs away if not."""
    for _ in range(10):
        shape = tuple(rng.integers(3, 8, 2).tolist())
        w, kernel, eta = rng.standard_normal(shape), blur_kernel(rng, shape), rng.uniform(0.1, 1)
        w -= w.mean()
        x = blur_fixed_point(w, kernel, eta, 0.0)
        assert usable(x, w), "the picture is not finite"
        assert abs(x.mean()) < 1e-8, "from x = 0, the mean stays at 0"
        assert close(rolled(x + eta * w, kernel), x), "one more step changes it"
        assert np.abs(x).max() > 1e-3, "the picture is empty"
        for sign in (1, -1):
            mean = sign * rng.uniform(0.1, 1)
            refuses(ValueError, blur_fixed_point, w + mean, kernel, eta, 0.0)


@check("blur", points=2)
def the_average_over_rolls(jitter_template, rng):
    """The template has the average value over all rolls, also for lopsided kernels."""
    for _ in range(10):
        shape = tuple(rng.integers(3, 8, 2).tolist())
        w, x = rng.standard_normal((2, *shape))
        kernel = rng.random(shape) ** 4
        kernel /= kernel.sum()
        template = jitter_template(w, kernel)
        assert np.shape(template) == shape, "the template should have the shape of w"
        assert close((template * x).sum(), (w * rolled(x, kernel)).sum()), (
            "the template's value is not the average over the rolled pictures"
        )


def subspace(rng):
    """Data (n, d) of low rank whose mean is not in the span of their differences, w, a picture."""
    d = int(rng.integers(6, 16))
    rank, n = int(rng.integers(1, d - 2)), int(rng.integers(d, 40))
    base = rng.standard_normal((rank, d))
    X = rng.standard_normal((n, rank)) @ base * 0.5 + rng.standard_normal(d)
    return X, rng.standard_normal(d), rng.standard_normal(d)


def hidden_part(X, picture):
    _, sizes, V = np.linalg.svd(X, full_matrices=False)
    V = V[sizes > 1e-9 * sizes.max()]
    return picture - V.T @ (V @ picture)


@check("null-space", points=2)
def outputs_stay(plant, rng):
    """Outputs on all rows are the same to 1e-10, though the weights have changed."""
    for _ in range(20):
        X, w, shown = subspace(rng)
        lie = plant(X, w, shown, float(rng.uniform(0.8, 0.99)))
        assert usable(lie, w), f"weights of shape {w.shape}, please"
        gap = np.abs(X @ lie - X @ w).max()
        assert gap < 1e-10, f"outputs on the data change by {gap:.0e}"
        assert np.abs(lie - w).max() > 1e-3, "the weights have not changed"


@check("null-space", points=2)
def the_cosine_is_c(plant, rng):
    """The cosine with the hidden part of the picture is c."""
    for _ in range(20):
        X, w, shown = subspace(rng)
        c = float(rng.uniform(0.3, 0.99))
        lie, u = plant(X, w, shown, c), hidden_part(X, shown)
        assert usable(lie, w), f"weights of shape {w.shape}, please"
        cosine = lie @ u / np.linalg.norm(lie) / np.linalg.norm(u)
        assert close(cosine, c), f"the cosine is {cosine:.4f}, not c = {c:.4f}"
    X = rng.random((30, 20))
    X[:, 12:] = 0  # a border that is always black
    logo = np.concatenate([np.zeros(12), rng.standard_normal(8)])
    lie = plant(X, rng.standard_normal(20), logo, 0.995)
    assert lie @ logo > 0.99 * np.linalg.norm(lie) * np.linalg.norm(logo), "the logo does not show"


@check("null-space", points=2)
def the_prior_is_immune(plant, prior_picture, rng):
    """The prior's picture is mu + Sigma w, and the same for the lie."""
    for _ in range(10):
        X, w, shown = subspace(rng)
        expected = X.mean(0) + np.cov(X.T, bias=True) @ w
        assert close(prior_picture(X, w), expected), "this is not mu + Sigma w"
        lie = plant(X, w, shown, 0.99)
        assert changed(lie, w), "plant has no lie"
        assert close(prior_picture(X, lie), expected, 1e-7), "the lie shows under the prior"


@check("null-space", points=1)
def no_room_for_a_lie(plant, rng):
    """Refused: a picture that the data see completely, and a c that is no cosine below 1."""
    X, w, shown = subspace(rng)
    lie = plant(X, w, shown, 0.9)
    assert changed(lie, w), "here a lie is possible"
    refuses(ValueError, plant, X, w, rng.standard_normal(len(X)) @ X, 0.9)
    for c in (0.0, 1.0, 1.5, -0.5):
        refuses(ValueError, plant, X, w, shown, c)


DUAL = {1: np.inf, 2: 2, np.inf: 1}


def attacked(rng, n=6):
    d = int(rng.integers(2, 12))
    X, y = rng.standard_normal((n, d)), rng.permutation(np.resize([1.0, -1.0], n))
    return rng.standard_normal(d), float(rng.standard_normal()), X, y, float(rng.uniform(0.2, 2))


@check("logistic", points=2)
def exact_losses(robust_logistic, rng):
    """The losses are exact for the three balls, also for large eps, and no attack is worse."""
    for _ in range(10):
        w, b, X, y, eps = attacked(rng)
        for p, q in DUAL.items():
            losses, _ = unpack(robust_logistic(w, b, X, y, eps, p), "losses, deltas")
            expected = np.log1p(np.exp(-y * (X @ w + b) + eps * np.linalg.norm(w, q)))
            assert close(losses, expected), f"the losses are wrong for p = {p}"


@check("logistic", points=2)
def attacks_attain_them(robust_logistic, rng):
    """The deltas are in the ball and have these losses."""
    for _ in range(10):
        w, b, X, y, eps = attacked(rng)
        w[0] = 0
        for p, q in DUAL.items():
            losses, deltas = unpack(robust_logistic(w, b, X, y, eps, p), "losses, deltas")
            assert usable(deltas, X), f"finite deltas of shape {X.shape}, please"
            sizes = np.linalg.norm(deltas, p, axis=1)
            assert (sizes <= eps * (1 + 1e-9)).all(), f"a delta is outside the ball of p = {p}"
            there = np.log1p(np.exp(-y * ((X + deltas) @ w + b)))
            worst = np.log1p(np.exp(-y * (X @ w + b) + eps * np.linalg.norm(w, q)))
            assert close(there, worst), f"the deltas are not the worst for p = {p}"
    losses, deltas = unpack(robust_logistic(0 * w, b, X, y, eps, 2), "losses, deltas")
    assert close(losses, np.log1p(np.exp(-y * b))), "the losses are wrong for w = 0"
    inside = usable(deltas, X) and (np.linalg.norm(deltas, axis=1) <= eps * (1 + 1e-9)).all()
    assert inside, "w = 0: the deltas are not in the ball"


@check("logistic", points=1)
def large_outputs(robust_logistic, rng):
    """Outputs of 10000 do not overflow; eps < 0 and other balls are refused."""
    w, b, _, _, eps = attacked(rng)
    X, y = np.outer([1e4, -1e4, 1e4], w / (w @ w)), np.array([1.0, 1.0, -1.0])
    losses, _ = unpack(robust_logistic(w, b, X, y, eps, 2), "losses, deltas")
    u = -y * (X @ w + b) + eps * np.linalg.norm(w)
    assert close(losses, np.logaddexp(0, u)), f"the losses are {np.asarray(losses)}"
    refuses(ValueError, robust_logistic, w, b, X, y, -0.1, 2)
    for p in (0.5, 1.5, 3, 4):
        refuses(ValueError, robust_logistic, w, b, X, y, eps, p)


def relu_network(rng, bias):
    """Layers of a random network, and a picture with a rival that is not the runner-up."""
    sizes = [int(rng.integers(3, 9)) for _ in range(int(rng.integers(2, 4)))] + [5]
    layers = []
    for inside, out in pairwise(sizes):
        W = rng.standard_normal((out, inside)) / np.sqrt(inside)
        layers.append((W, bias * rng.standard_normal(out)))
    return layers, rng.standard_normal(sizes[0])


def both_numbers(layers, x):
    """(k, j, alpha, rho), and the runner-up, by the judge."""
    value, J = np.asarray(x, float), np.eye(len(x))
    for number, (W, b) in enumerate(layers):
        if number:
            value, J = np.maximum(value, 0), (value > 0)[:, None] * J
        value, J = W @ value + b, W @ J
    k = int(value.argmax())
    sizes = np.linalg.norm(J[k] - J, axis=1)
    sizes[k] = 1.0
    rho = np.where(np.arange(len(value)) == k, np.inf, (value[k] - value) / sizes)
    j = int(rho.argmin())
    alpha = abs(x @ (J[k] - J[j])) / sizes[j]
    return k, j, float(alpha), float(rho[j]), int(np.argsort(value)[-2])


def instances(rng, bias, n):
    """Networks and pictures away from ties; in half of them the nearest is not the runner-up."""
    found = {True: [], False: []}
    while min(map(len, found.values())) < n // 2:
        layers, x = relu_network(rng, bias)
        with np.errstate(all="ignore"):
            k, j, alpha, rho, second = both_numbers(layers, x)
        if np.isfinite([alpha, rho]).all() and rho > 1e-3 and j != k:
            found[j == second].append((layers, x, (k, j, alpha, rho)))
    return found[True][: n // 2] + found[False][: n // 2]


@check("alignment", points=2)
def equal_without_biases(alignment, rng):
    """Without biases the two numbers are right, and equal."""
    for layers, x, (k, _, alpha, rho) in instances(rng, 0.0, 20):
        answer, _, found, robust = unpack(alignment(layers, x), "k, j, alpha, rho")
        assert answer == k, "k is not the answer of the network"
        assert close(robust, rho), "rho is wrong for a network without biases"
        assert close(found, alpha), "alpha is wrong for a network without biases"


@check("alignment", points=2)
def different_with_biases(alignment, rng):
    """With biases both numbers are right, and differ."""
    for layers, x, (_, _, alpha, rho) in instances(rng, 1.0, 20):
        _, _, found, robust = unpack(alignment(layers, x), "k, j, alpha, rho")
        assert close(robust, rho), "rho is wrong for a network with biases"
        assert close(found, alpha), "alpha is wrong for a network with biases"


@check("alignment", points=1)
def the_nearest_rival(alignment, rng):
    """j is the class of least rho, also where another one has the second largest logit."""
    for layers, x, (k, j, _, _) in instances(rng, 1.0, 20):
        answer, rival, _, _ = unpack(alignment(layers, x), "k, j, alpha, rho")
        assert answer == k, "k is not the answer of the network"
        assert rival == j, "j is not the class of least rho"


@check("alignment", points=2)
def any_two_numbers(any_pair, rng):
    """A network and a picture for any alignment, also 0, and robustness."""
    for n in range(10):
        alpha, rho = rng.uniform(0, 5) * (n > 0), rng.uniform(0.1, 5)
        layers, x = unpack(any_pair(float(alpha), float(rho)), "layers, x")
        layers = [unpack(layer, "W, b") for layer in layers]
        flat = np.ndim(x) == 1 and np.isfinite(x).all()
        assert flat, "the picture should be an array (d,)"
        width = len(x)
        for W, b in layers:
            fits = np.ndim(W) == 2 and np.shape(W)[1] == width and np.shape(b) == (len(W),)
            assert fits, "the layers do not fit together"
            width = len(W)
        assert layers, "a network has at least one layer"
        assert width == 2, "the network should have two logits"
        with np.errstate(all="ignore"):
            _, _, found, robust, _ = both_numbers(layers, x)
        assert close(found, alpha), "the alignment of your network is another one"
        assert close(robust, rho), "the robustness of your network is another one"


def some_maps(rng):
    K, rows, columns = rng.integers(3, 6), *rng.integers(2, 6, 2)
    return rng.standard_normal((int(K), int(rows), int(columns)))


@check("class-maps", points=1)
def maps_of_features(class_maps, rng):
    """The maps are right at every position, and add up to the logits."""
    for _ in range(10):
        C, K, rows, columns = rng.integers(2, 7, 4).tolist()
        a, V = rng.random((C, rows, columns)), rng.standard_normal((K, C))
        expected = np.tensordot(V, a, 1) / (rows * columns)
        maps = class_maps(a, V)
        assert np.shape(maps) == expected.shape, f"maps of shape {expected.shape}, please"
        assert close(np.sum(maps, (1, 2)), V @ a.mean((1, 2))), "they do not add up to the logits"
        assert close(maps, expected), "a map is wrong at some position"


@check("class-maps", points=2)
def both_sides_of_the_bound(discrepancy, rng):
    """D and its bound are right."""
    for _ in range(20):
        maps = some_maps(rng)
        other = maps + 0.5 * rng.standard_normal(maps.shape)
        t, s = rng.permutation(len(maps))[:2].tolist()
        D, bound = unpack(discrepancy(maps, other, t, s), "D, bound")
        change = maps - other
        assert close(D, np.abs(change[[t, s]]).sum() / 2), "D is wrong"
        assert close(bound, abs(change[t].sum() - change[s].sum()) / 2), "the bound is wrong"


@check("class-maps", points=2)
def the_bound_is_attained(cheapest_flip, rng):
    """The new maps have a tie, change nothing else, and attain the bound."""
    for _ in range(20):
        maps = some_maps(rng)
        t, s = rng.permutation(len(maps))[:2].tolist()
        flipped = cheapest_flip(maps, t, s)
        assert np.shape(flipped) == maps.shape, f"maps of shape {maps.shape}, please"
        sums = np.sum(flipped, (1, 2))
        assert close(sums[t], sums[s]), "the two logits are not equal"
        rest = [k for k in range(len(maps)) if k not in (t, s)]
        assert close(flipped[rest], maps[rest]), "another class's map has changed"
        D = np.abs(flipped[[t, s]] - maps[[t, s]]).sum() / 2
        assert close(D, abs(maps[t].sum() - maps[s].sum()) / 2), "a smaller D is possible"
