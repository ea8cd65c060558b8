"""Wrong answers to sheet 5, each with the check that rejects it."""

import numpy as np
import torch

from classroom.mutants import mutant
from classroom.sheets import load

GIVEN = load("pictures").namespace("solution")
Net, unit_value = GIVEN["Net"], GIVEN["unit_value"]


def normalised(weights, x):
    return (torch.as_tensor(x, dtype=torch.float32)[:, None] - weights["mean"]) / weights["sd"]


@mutant("unit_value", by="values_of_units", slip="gives the network pictures as they are")
def not_normalised(weights, x, layer, unit):
    said = Net(weights)(torch.as_tensor(x, dtype=torch.float32)[:, None])[layer][:, unit]
    return said if layer == "logits" else said.mean((1, 2))


@mutant("unit_value", by="values_of_units", slip="normalises with fixed numbers")
def fixed_normalisation(weights, x, layer, unit):
    return unit_value(weights | {"mean": 0.286, "sd": 0.353}, x, layer, unit)


@mutant("unit_value", by="values_of_units", slip="takes the largest position, not the mean")
def largest_position(weights, x, layer, unit):
    said = Net(weights)(normalised(weights, x))[layer][:, unit]
    return said if layer == "logits" else said.amax((1, 2))


@mutant("unit_value", by="values_of_units", slip="takes the probability for the logit")
def probability(weights, x, layer, unit):
    said = Net(weights)(normalised(weights, x))[layer]
    return said.softmax(1)[:, unit] if layer == "logits" else said[:, unit].mean((1, 2))


@mutant("unit_value", by="values_of_units", slip="takes the channel after its activation")
def after_activation(weights, x, layer, unit):
    said = Net(weights)(normalised(weights, x))[layer][:, unit]
    return said if layer == "logits" else said.relu().mean((1, 2))


def ascent(objective, seed, steps=150, lr=0.1, more=(), scale=0.1):
    """z (1, 28, 28) after Adam on an objective of z; `more` is optimised along with it."""
    generator = torch.Generator().manual_seed(seed)
    z = (scale * torch.randn(1, 28, 28, generator=generator)).requires_grad_()
    optimizer = torch.optim.Adam([z, *more], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        (-objective(z)).backward()
        optimizer.step()
    return z.detach()


def drawn(weights, layer, unit, x):
    return x[0].numpy(), unit_value(weights, x, layer, unit).item()


@mutant("draw", by="logits_are_climbed", slip="goes down")
def descends(weights, layer, unit, seed):
    z = ascent(lambda z: -unit_value(weights, z.sigmoid(), layer, unit).sum(), seed)
    return drawn(weights, layer, unit, z.sigmoid())


@mutant("draw", by="logits_are_climbed", slip="returns z, which is not in [0, 1]")
def returns_latents(weights, layer, unit, seed):
    z = ascent(lambda z: unit_value(weights, z.sigmoid(), layer, unit).sum(), seed)
    return z[0].numpy(), unit_value(weights, z.sigmoid(), layer, unit).item()


@mutant("draw", by="logits_are_climbed", slip="climbs without a box and clips at the end")
def clips_at_the_end(weights, layer, unit, seed):
    z = ascent(lambda z: unit_value(weights, z, layer, unit).sum(), seed, steps=600)
    return drawn(weights, layer, unit, z.clamp(0, 1))


@mutant("draw", by="logits_are_climbed", slip="climbs on pictures that are not normalised")
def draws_not_normalised(weights, layer, unit, seed):
    z = ascent(lambda z: not_normalised(weights, z.sigmoid(), layer, unit).sum(), seed)
    return drawn(weights, layer, unit, z.sigmoid())


@mutant("draw", by="logits_are_climbed", slip="climbs the probability, which saturates")
def climbs_the_probability(weights, layer, unit, seed):
    z = ascent(lambda z: probability(weights, z.sigmoid(), layer, unit).sum(), seed)
    return drawn(weights, layer, unit, z.sigmoid())


@mutant("draw", by="logits_are_climbed", slip="gives the optimizer the network, too")
def moves_the_network(weights, layer, unit, seed):
    net = Net(weights)

    def objective(z):
        said = net(normalised(weights, z.sigmoid()))[layer][:, unit]
        return said.mean()

    z = ascent(objective, seed, more=net.parameters())
    return drawn(weights, layer, unit, z.sigmoid())


@mutant("draw", by="channels_are_climbed", slip="climbs the neuron in the middle, not the channel")
def climbs_one_neuron(weights, layer, unit, seed):
    def objective(z):
        said = Net(weights)(normalised(weights, z.sigmoid()))[layer][:, unit]
        return (
            said if layer == "logits" else said[:, said.shape[1] // 2, said.shape[2] // 2]
        ).sum()

    return drawn(weights, layer, unit, ascent(objective, seed).sigmoid())


@mutant("draw", by="channels_are_climbed", slip="stops after a few steps")
def few_steps(weights, layer, unit, seed):
    z = ascent(lambda z: unit_value(weights, z.sigmoid(), layer, unit).sum(), seed, steps=8)
    return drawn(weights, layer, unit, z.sigmoid())


@mutant("draw", by="channels_are_climbed", slip="always draws the logit of that number")
def forgets_the_layer(weights, layer, unit, seed):
    z = ascent(lambda z: unit_value(weights, z.sigmoid(), "logits", unit % 10).sum(), seed)
    return drawn(weights, layer, unit, z.sigmoid())


@mutant("draw", by="the_seed_and_nothing_else", slip="draws the start from the global generator")
def global_randomness(weights, layer, unit, seed):
    anew = int(torch.randint(2**31, ()))
    z = ascent(lambda z: unit_value(weights, z.sigmoid(), layer, unit).sum(), anew)
    return drawn(weights, layer, unit, z.sigmoid())


@mutant("draw", by="the_seed_and_nothing_else", slip="ignores the seed")
def one_seed_for_all(weights, layer, unit, seed):
    z = ascent(lambda z: unit_value(weights, z.sigmoid(), layer, unit).sum(), 0)
    return drawn(weights, layer, unit, z.sigmoid())


@mutant("draw", by="the_value_is_the_pictures", slip="returns the loss, minus the value")
def returns_the_loss(weights, layer, unit, seed):
    z = ascent(lambda z: unit_value(weights, z.sigmoid(), layer, unit).sum(), seed)
    x, value = drawn(weights, layer, unit, z.sigmoid())
    return x, -value


@mutant("draw", by="the_value_is_the_pictures", slip="returns the value before the last step")
def stale_value(weights, layer, unit, seed):
    seen = []

    def objective(z):
        value = unit_value(weights, z.sigmoid(), layer, unit).sum()
        seen.append(value.item())
        return value

    return ascent(objective, seed).sigmoid()[0].numpy(), seen[-1]


def variation(x):
    return x.diff(dim=1).abs().sum() + x.diff(dim=2).abs().sum()


def steady(weights, layer, unit, seed, lam, delta, price=variation):
    """The reference's climb with shifts from `delta(generator)` and a price of x."""
    generator = torch.Generator().manual_seed(seed + 1000)

    def objective(z):
        moved = z.sigmoid().roll(delta(generator), (1, 2))
        return unit_value(weights, moved, layer, unit).sum() - lam * price(z.sigmoid())

    return ascent(objective, seed, steps=200).sigmoid()[0].numpy()


def any_shift(shift):
    return lambda g: torch.randint(-shift, shift + 1, (2,), generator=g).tolist()


@mutant("draw_steady", by="shifts_are_survived", slip="does not move the picture")
def never_moves(weights, layer, unit, seed, shift, lam):
    return steady(weights, layer, unit, seed, lam, lambda g: (0, 0))


@mutant("draw_steady", by="shifts_are_survived", slip="draws one shift and keeps it")
def one_shift(weights, layer, unit, seed, shift, lam):
    kept = any_shift(shift)(torch.Generator().manual_seed(seed))
    return steady(weights, layer, unit, seed, lam, lambda g: kept)


@mutant("draw_steady", by="shifts_are_survived", slip="moves the finished picture")
def moves_at_the_end(weights, layer, unit, seed, shift, lam):
    x = steady(weights, layer, unit, seed, lam, lambda g: (0, 0))
    return np.roll(x, any_shift(shift)(torch.Generator().manual_seed(seed)), (0, 1))


@mutant("draw_steady", by="both_directions_are_shifted", slip="moves along the rows only")
def one_direction(weights, layer, unit, seed, shift, lam):
    return steady(weights, layer, unit, seed, lam, lambda g: (0, any_shift(shift)(g)[0]))


@mutant("draw_steady", by="both_directions_are_shifted", slip="moves both axes by one number")
def one_number_for_both(weights, layer, unit, seed, shift, lam):
    return steady(weights, layer, unit, seed, lam, lambda g: any_shift(shift)(g)[:1] * 2)


@mutant("draw_steady", by="both_directions_are_shifted", slip="never draws the largest shift")
def without_the_largest(weights, layer, unit, seed, shift, lam):
    def delta(g):
        return torch.randint(-shift, max(shift, 1), (2,), generator=g).tolist()

    return steady(weights, layer, unit, seed, lam, delta)


@mutant("draw_steady", by="shifts_are_survived", slip="fills with black instead of rolling")
def filled_with_black(weights, layer, unit, seed, shift, lam):
    generator = torch.Generator().manual_seed(seed + 1000)

    def objective(z):
        i, j = (shift - d for d in any_shift(shift)(generator))
        x = torch.nn.functional.pad(z.sigmoid(), (shift,) * 4)[:, i : i + 28, j : j + 28]
        return unit_value(weights, x, layer, unit).sum() - lam * variation(z.sigmoid())

    return ascent(objective, seed, steps=200).sigmoid()[0].numpy()


@mutant("draw_steady", by="variation_is_paid", slip="forgets the price")
def free_of_charge(weights, layer, unit, seed, shift, lam):
    return steady(weights, layer, unit, seed, 0.0, any_shift(shift))


@mutant("draw_steady", by="variation_is_paid", slip="adds the price instead of subtracting it")
def pays_for_variation(weights, layer, unit, seed, shift, lam):
    return steady(weights, layer, unit, seed, -lam, any_shift(shift))


@mutant("draw_steady", by="variation_is_paid", slip="takes the mean over pixels for the sum")
def mean_variation(weights, layer, unit, seed, shift, lam):
    return steady(weights, layer, unit, seed, lam / 784, any_shift(shift))


@mutant("draw_steady", by="every_neighbour_counts", slip="squares the differences")
def squared(weights, layer, unit, seed, shift, lam):
    def price(x):
        return x.diff(dim=1).square().sum() + x.diff(dim=2).square().sum()

    return steady(weights, layer, unit, seed, lam, any_shift(shift), price=price)


@mutant("draw_steady", by="variation_is_paid", slip="does not take absolute values")
def no_absolute_values(weights, layer, unit, seed, shift, lam):
    def price(x):
        return x.diff(dim=1).sum() + x.diff(dim=2).sum()

    return steady(weights, layer, unit, seed, lam, any_shift(shift), price=price)


@mutant("draw_steady", by="every_neighbour_counts", slip="charges along one direction only")
def price_one_direction(weights, layer, unit, seed, shift, lam):
    def price(x):
        return x.diff(dim=1).abs().sum()

    return steady(weights, layer, unit, seed, lam, any_shift(shift), price=price)


@mutant("draw_steady", by="nothing_asked", slip="draws the shifts from the global generator")
def global_shifts(weights, layer, unit, seed, shift, lam):
    return steady(
        weights, layer, unit, seed, lam, lambda g: torch.randint(-shift, shift + 1, (2,)).tolist()
    )


def waves(w, x0, free, hat):
    x = np.fft.ifft2(np.where(free, hat, np.fft.fft2(x0))).real
    return x, float((w * (x - x0)).sum())


def refused(free):
    if not np.array_equal(free, np.roll(free[::-1, ::-1], (1, 1), (0, 1))):
        raise ValueError("free")


@mutant("turn_phases", by="the_largest_gain", slip="takes the phases with the wrong sign")
def conjugated(w, x0, free):
    refused(free)
    hat = np.abs(np.fft.fft2(x0)) * np.exp(-1j * np.angle(np.fft.fft2(w)))
    return waves(w, x0, free, hat)


@mutant("turn_phases", by="magnitudes_stay", slip="turns all waves, free or not")
def all_are_free(w, x0, free):
    refused(free)
    hat = np.abs(np.fft.fft2(x0)) * np.exp(1j * np.angle(np.fft.fft2(w)))
    return waves(w, x0, np.ones_like(free), hat)


@mutant("turn_phases", by="magnitudes_stay", slip="takes the magnitudes of w, too")
def magnitudes_of_w(w, x0, free):
    refused(free)
    return waves(w, x0, free, np.fft.fft2(w))


@mutant("turn_phases", by="the_largest_gain", slip="adds the phases of w to those of x0")
def adds_phases(w, x0, free):
    refused(free)
    hat = np.fft.fft2(x0) * np.exp(1j * np.angle(np.fft.fft2(w)))
    return waves(w, x0, free, hat)


@mutant("turn_phases", by="the_largest_gain", slip="returns the value, not the gain")
def value_not_gain(w, x0, free):
    x, gain = GIVEN["turn_phases"](w, x0, free)
    return x, gain + float((w * x0).sum())


@mutant("turn_phases", by="the_largest_gain", slip="forgets the 1/N of the transform")
def without_one_over_n(w, x0, free):
    x, gain = GIVEN["turn_phases"](w, x0, free)
    return x, gain * w.size


@mutant("turn_phases", by="lopsided_masks_are_refused", slip="takes the real part of any mask")
def any_mask(w, x0, free):
    hat = np.abs(np.fft.fft2(x0)) * np.exp(1j * np.angle(np.fft.fft2(w)))
    return waves(w, x0, free, hat)


@mutant("turn_phases", by="lopsided_masks_are_refused", slip="compares without row and column 0")
def first_row_and_column_unseen(w, x0, free):
    inside = free[1:, 1:]
    if not np.array_equal(inside, inside[::-1, ::-1]):
        raise ValueError("free")
    hat = np.abs(np.fft.fft2(x0)) * np.exp(1j * np.angle(np.fft.fft2(w)))
    return waves(w, x0, free, hat)


def blurred(w, kernel, eta, lam, formula):
    """A fixed point by a formula of (hat_w, transfer), 0 where nothing is there."""
    hat_w, transfer = np.fft.fft2(w), np.fft.fft2(kernel).real
    if lam == 0 and abs(hat_w[0, 0]) > 1e-9 * np.abs(w).sum():
        raise ValueError("the mean grows")
    hat = formula(hat_w, transfer)
    if lam == 0:
        hat[0, 0] = 0
    return np.fft.ifft2(hat).real


@mutant("blur_fixed_point", by="the_blurred_climb_stands_still", slip="blurs before the step")
def blurs_first(w, kernel, eta, lam):
    return blurred(
        w, kernel, eta, lam, lambda h, b: eta * h / np.maximum(1 - b * (1 - 2 * lam * eta), 1e-12)
    )


@mutant("blur_fixed_point", by="the_blurred_climb_stands_still", slip="forgets the 2 of 2 lambda x")
def half_the_penalty(w, kernel, eta, lam):
    return GIVEN["blur_fixed_point"](w, kernel, eta, lam / 2)


@mutant("blur_fixed_point", by="the_blurred_climb_stands_still", slip="loses the transfer below")
def price_without_transfer(w, kernel, eta, lam):
    return blurred(w, kernel, eta, lam, lambda h, b: h / np.maximum(2 * lam + (1 - b) / eta, 1e-12))


@mutant("blur_fixed_point", by="the_blurred_climb_stands_still", slip="takes the kernel's middle")
def centred_kernel(w, kernel, eta, lam):
    return GIVEN["blur_fixed_point"](w, np.fft.ifftshift(kernel), eta, lam)


@mutant("blur_fixed_point", by="waves_that_the_blur_kills", slip="divides by a transfer of 0")
def divides_by_zero(w, kernel, eta, lam):
    def formula(hat_w, transfer):
        transfer = np.where(np.abs(transfer) < 1e-9, 0, transfer)
        with np.errstate(all="ignore"):
            return (
                hat_w * transfer / (2 * lam * transfer + (1 - transfer) / eta) / transfer * transfer
            )

    return blurred(w, kernel, eta, lam, formula)


@mutant("blur_fixed_point", by="without_a_penalty", slip="lets the mean run away unnoticed")
def drops_the_mean(w, kernel, eta, lam):
    return GIVEN["blur_fixed_point"](w - w.mean() if lam == 0 else w, kernel, eta, lam)


@mutant("blur_fixed_point", by="without_a_penalty", slip="refuses a growing mean only")
def falling_mean(w, kernel, eta, lam):
    if lam == 0 and w.sum() > 1e-9:
        raise ValueError("the mean grows")
    return GIVEN["blur_fixed_point"](w - w.mean() if lam == 0 else w, kernel, eta, lam)


@mutant("jitter_template", by="the_average_over_rolls", slip="rolls the template along")
def convolution(w, kernel):
    return np.fft.ifft2(np.fft.fft2(w) * np.fft.fft2(kernel)).real


@mutant("jitter_template", by="the_average_over_rolls", slip="takes the likeliest roll only")
def likeliest_roll(w, kernel):
    i, j = np.unravel_index(kernel.argmax(), kernel.shape)
    return np.roll(w, (-i, -j), (0, 1))


@mutant("jitter_template", by="the_average_over_rolls", slip="weighs pixels, not rolls")
def weighs_pixels(w, kernel):
    return w * kernel * kernel.size


def parts(X, w, picture, centre=False):
    """What the data see of w, and what they do not see of the picture."""
    _, sizes, V = np.linalg.svd(X - X.mean(0) if centre else X, full_matrices=False)
    V = V[sizes > 1e-10 * sizes.max()]
    u = picture - V.T @ (V @ picture)
    return V.T @ (V @ w), u - V.T @ (V @ u)


def tangent(c):
    return c / np.sqrt(1 - c**2)


@mutant("plant", by="outputs_stay", slip="adds the picture itself, which the data partly see")
def adds_the_picture(X, w, picture, c):
    return w + tangent(c) * np.linalg.norm(w) / np.linalg.norm(picture) * picture


@mutant("plant", by="outputs_stay", slip="hides in the null space of the centred data")
def centred_data(X, w, picture, c):
    seen, u = parts(X, w, picture, centre=True)
    return seen + tangent(c) * np.linalg.norm(seen) / np.linalg.norm(u) * u


@mutant("plant", by="outputs_stay", slip="shows the picture and drops the unit")
def drops_the_unit(X, w, picture, c):
    return np.linalg.norm(w) * parts(X, w, picture)[1]


@mutant("plant", by="the_cosine_is_c", slip="adds to a w that has a hidden part of its own")
def forgets_the_hidden_part(X, w, picture, c):
    _, u = parts(X, w, picture)
    return w + tangent(c) * np.linalg.norm(w) / np.linalg.norm(u) * u


@mutant("plant", by="the_cosine_is_c", slip="takes c itself for the ratio of the two parts")
def ratio_is_c(X, w, picture, c):
    seen, u = parts(X, w, picture)
    return seen + c * np.linalg.norm(seen) / np.linalg.norm(u) * u


@mutant("plant", by="the_cosine_is_c", slip="makes the lie as loud as possible")
def any_loud_lie(X, w, picture, c):
    seen, u = parts(X, w, picture)
    return seen + 1e3 * np.linalg.norm(seen) / np.linalg.norm(u) * u


@mutant("plant", by="no_room_for_a_lie", slip="normalises a hidden part that is not there")
def always_finds_room(X, w, picture, c):
    seen, u = parts(X, w, picture)
    c = min(max(c, 0.01), 0.99)
    return seen + tangent(c) * np.linalg.norm(seen) / (np.linalg.norm(u) + 1e-300) * u


@mutant("prior_picture", by="the_prior_is_immune", slip="adds a ridge, which the lie climbs")
def with_a_ridge(X, w):
    return GIVEN["prior_picture"](X, w) + 1e-3 * w


@mutant("prior_picture", by="the_prior_is_immune", slip="forgets the mean")
def without_the_mean(X, w):
    return GIVEN["prior_picture"](X, w) - X.mean(0)


@mutant("prior_picture", by="the_prior_is_immune", slip="takes the inverse of the covariance")
def inverse_covariance(X, w):
    return X.mean(0) + np.linalg.pinv(np.cov(X.T, bias=True)) @ w


@mutant("prior_picture", by="the_prior_is_immune", slip="does not centre the covariance")
def not_centred(X, w):
    return X.mean(0) + X.T @ (X @ w) / len(X)


def logistic(w, b, X, y, eps, p, norm=None, deltas=None, losses=None):
    """The reference with one part replaced."""
    if eps < 0 or p not in (1, 2, np.inf):
        raise ValueError("eps, p")
    right = GIVEN["robust_logistic"](w, b, X, y, eps, p)
    if norm is not None:
        right = np.logaddexp(0, -y * (X @ w + b) + eps * norm), right[1]
    return right[0] if losses is None else losses, right[1] if deltas is None else deltas


@mutant("robust_logistic", by="exact_losses", slip="takes the p-norm of w, not its dual")
def same_norm(w, b, X, y, eps, p):
    return logistic(w, b, X, y, eps, p, norm=np.linalg.norm(w, p))


@mutant("robust_logistic", by="exact_losses", slip="adds eps |w| outside of the logarithm")
def outside_the_logarithm(w, b, X, y, eps, p):
    q = {1: np.inf, 2: 2, np.inf: 1}.get(p, 2)
    losses = np.logaddexp(0, -y * (X @ w + b)) + eps * np.linalg.norm(w, q)
    return logistic(w, b, X, y, eps, p, losses=losses)


@mutant("robust_logistic", by="exact_losses", slip="stops at the first order in eps")
def first_order(w, b, X, y, eps, p):
    q = {1: np.inf, 2: 2, np.inf: 1}.get(p, 2)
    u = -y * (X @ w + b)
    losses = np.logaddexp(0, u) + eps * np.linalg.norm(w, q) / (1 + np.exp(-u))
    return logistic(w, b, X, y, eps, p, losses=losses)


@mutant("robust_logistic", by="attacks_attain_them", slip="attacks all labels the same way")
def forgets_the_label(w, b, X, y, eps, p):
    return logistic(w, b, X, y, eps, p, deltas=GIVEN["robust_logistic"](w, b, X, y * y, eps, p)[1])


@mutant("robust_logistic", by="attacks_attain_them", slip="goes along w, whatever the ball")
def always_along_w(w, b, X, y, eps, p):
    step = w / max(np.linalg.norm(w, p if p in (1, np.inf) else 2), 1e-300)
    return logistic(w, b, X, y, eps, p, deltas=-eps * np.outer(y, step))


@mutant("robust_logistic", by="attacks_attain_them", slip="helps instead of attacking")
def helps(w, b, X, y, eps, p):
    return logistic(w, b, X, y, eps, p, deltas=-GIVEN["robust_logistic"](w, b, X, y, eps, p)[1])


@mutant("robust_logistic", by="large_outputs", slip="overflows at large outputs")
def overflows(w, b, X, y, eps, p):
    q = {1: np.inf, 2: 2, np.inf: 1}.get(p, 2)
    with np.errstate(over="ignore"):
        losses = np.log(1 + np.exp(-y * (X @ w + b) + eps * np.linalg.norm(w, q)))
    return logistic(w, b, X, y, eps, p, losses=losses)


@mutant("robust_logistic", by="large_outputs", slip="refuses only balls above 2")
def balls_below_two(w, b, X, y, eps, p):
    if 2 < p < np.inf:
        raise ValueError("p")
    return GIVEN["robust_logistic"](w, b, X, y, eps, p if p in (1, np.inf) else 2)


@mutant("robust_logistic", by="large_outputs", slip="takes even balls for that of 2")
def even_balls(w, b, X, y, eps, p):
    return GIVEN["robust_logistic"](w, b, X, y, eps, 2 if p == 4 else p)


def passed(layers, x, mask=True, bias=True):
    """Logits and Jacobian."""
    value, J = np.asarray(x, dtype=float), np.eye(len(x))
    for number, (W, b) in enumerate(layers):
        if number:
            J = (value > 0)[:, None] * J if mask else J
            value = np.maximum(value, 0)
        value, J = W @ value + bias * b, W @ J
    return value, J


def measured(value, J, x, pick=None):
    k = int(value.argmax())
    margins, slopes = value[k] - value, J[k] - J
    sizes = np.linalg.norm(slopes, axis=1) + (np.arange(len(value)) == k)
    rho = np.where(np.arange(len(value)) == k, np.inf, margins / sizes)
    j = int(rho.argmin() if pick is None else pick(value))
    return k, j, float(abs(x @ slopes[j]) / sizes[j]), float(rho[j])


@mutant("alignment", by="the_nearest_rival", slip="takes the runner-up for the nearest rival")
def runner_up(layers, x):
    return measured(*passed(layers, x), x, pick=lambda value: np.argsort(value)[-2])


@mutant("alignment", by="equal_without_biases", slip="forgets the ReLUs in the gradient")
def forgets_the_relu(layers, x):
    return measured(*passed(layers, x, mask=False), x)


@mutant("alignment", by="different_with_biases", slip="takes Euler's identity for granted")
def euler_for_all(layers, x):
    k, j, _, rho = measured(*passed(layers, x), x)
    return k, j, rho, rho


@mutant("alignment", by="different_with_biases", slip="leaves the biases out of the forward pass")
def without_biases(layers, x):
    return measured(*passed(layers, x, bias=False), x)


@mutant("alignment", by="equal_without_biases", slip="divides by the size of the picture, too")
def cosine(layers, x):
    k, j, alpha, rho = measured(*passed(layers, x), x)
    return k, j, alpha / np.linalg.norm(x), rho


@mutant("alignment", by="different_with_biases", slip="gives the alignment a sign")
def signed(layers, x):
    value, J = passed(layers, x)
    k, j, alpha, rho = measured(value, J, x)
    return k, j, alpha * float(np.sign(x @ (J[k] - J[j]))), rho


@mutant("any_pair", by="any_two_numbers", slip="takes a network without biases")
def bias_free(alpha, rho):
    return [(np.array([[1.0], [0.0]]), np.zeros(2))], np.array([alpha])


@mutant("any_pair", by="any_two_numbers", slip="adds the robustness to the alignment")
def adds_rho(alpha, rho):
    return [(np.array([[1.0], [0.0]]), np.array([rho, 0.0]))], np.array([alpha])


@mutant("any_pair", by="any_two_numbers", slip="has no network for the alignment 0")
def not_for_zero(alpha, rho):
    layer = np.array([[alpha], [0.0]]), np.array([rho * alpha - alpha**2, 0.0])
    return [layer], np.array([alpha])


@mutant("any_pair", by="any_two_numbers", slip="exchanges the two numbers")
def exchanged(alpha, rho):
    return GIVEN["any_pair"](rho, alpha)


@mutant("class_maps", by="maps_of_features", slip="forgets the average over positions")
def without_the_average(a, V):
    return np.tensordot(V, a, 1)


@mutant("class_maps", by="maps_of_features", slip="shows the positive part only")
def positive_part(a, V):
    return np.maximum(GIVEN["class_maps"](a, V), 0)


@mutant("class_maps", by="maps_of_features", slip="spreads each logit evenly")
def evenly(a, V):
    f = V @ a.mean((1, 2))
    return np.ones(a.shape[1:]) * f[:, None, None] / a[0].size


@mutant("discrepancy", by="both_sides_of_the_bound", slip="adds up before taking the 1-norm")
def sums_first(maps, other, t, s):
    change = (maps - other).sum((1, 2))
    return float(abs(change[t]) + abs(change[s])) / 2, float(abs(change[t] - change[s]) / 2)


@mutant("discrepancy", by="both_sides_of_the_bound", slip="forgets the half")
def without_the_half(maps, other, t, s):
    D, bound = GIVEN["discrepancy"](maps, other, t, s)
    return 2 * D, 2 * bound


@mutant("discrepancy", by="both_sides_of_the_bound", slip="looks at one class only")
def one_class(maps, other, t, s):
    D, _ = GIVEN["discrepancy"](maps[[t]], other[[t]], 0, 0)
    return D / 2, GIVEN["discrepancy"](maps, other, t, s)[1]


@mutant("discrepancy", by="both_sides_of_the_bound", slip="takes 2-norms")
def two_norms(maps, other, t, s):
    change = maps - other
    D = (np.linalg.norm(change[t]) + np.linalg.norm(change[s])) / 2
    return float(D), GIVEN["discrepancy"](maps, other, t, s)[1]


def replaced(maps, t, s, new_t, new_s):
    flipped = maps.copy()
    flipped[t], flipped[s] = new_t, new_s
    return flipped


@mutant("cheapest_flip", by="the_bound_is_attained", slip="exchanges the two maps")
def exchanges_maps(maps, t, s):
    return replaced(maps, t, s, maps[s], maps[t])


@mutant("cheapest_flip", by="the_bound_is_attained", slip="replaces both maps by their mean")
def mean_of_both(maps, t, s):
    return replaced(maps, t, s, (maps[t] + maps[s]) / 2, (maps[t] + maps[s]) / 2)


@mutant("cheapest_flip", by="the_bound_is_attained", slip="scales one map, whatever its signs")
def scales_one_map(maps, t, s):
    return replaced(maps, t, s, maps[t] * maps[s].sum() / maps[t].sum(), maps[s])


@mutant("cheapest_flip", by="the_bound_is_attained", slip="moves the whole margin twice")
def moves_too_much(maps, t, s):
    share = (maps[t].sum() - maps[s].sum()) / maps[t].size
    return replaced(maps, t, s, maps[t] - share, maps[s] + share)


@mutant("cheapest_flip", by="the_bound_is_attained", slip="takes a share from every class")
def changes_all(maps, t, s):
    flipped = GIVEN["cheapest_flip"](maps, t, s)
    return flipped + 0.1
