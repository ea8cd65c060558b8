"""More of the help for dead ReLUs: images that woke up, objectives without networks, torch.func."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from actmax_lib import function, logit, maximize, point
from actmax_lib.revive import Gates
from actmax_lib.terms import Objective, Term

PLAIN = {"optimizer": "gradient", "schedule": "constant", "lr": 0.1}


class Sum(nn.Module):
    """relu(w₁x + b₁) + relu(w₂x + b₂) as the one logit."""

    def __init__(self, bias, relu=F.relu):
        super().__init__()
        self.linear, self.relu = nn.Linear(2, 2), relu
        self.linear.weight.data = torch.eye(2)
        self.linear.bias.data = torch.tensor(bias)

    def forward(self, x):
        return self.relu(self.linear(x)).sum(1, keepdim=True)


def test_an_image_that_woke_up_follows_the_network_again():
    # the first step opens the first unit, the second one stays far from opening
    f = logit(Sum([-0.05, -9.0]), 0)
    run = maximize(f, point(torch.zeros(1, 2)), steps=6, frames=6, revive=6, **PLAIN)
    torch.testing.assert_close(run.frames[1, 0], torch.tensor([0.1, 0.1]))
    torch.testing.assert_close(run.images[0], torch.tensor([0.6, 0.1]))


def test_an_objective_without_a_network_is_left_alone():
    f = function(lambda x: F.relu(x).sum(1), "relu")
    run = maximize(f, point(torch.tensor([[1.0, -1.0]])), steps=3, revive=3, **PLAIN)
    torch.testing.assert_close(run.images, torch.tensor([[1.3, -1.0]]))


@pytest.mark.parametrize("relu", [lambda x: torch.relu(input=x), lambda x: torch.relu_(input=x)])
def test_a_relu_with_a_named_input_opens(relu):
    run = maximize(
        logit(Sum([-9.0, -9.0], relu), 0), point(torch.zeros(1, 2)), steps=1, revive=1, **PLAIN
    )
    torch.testing.assert_close(run.images, torch.full((1, 2), 0.1))


def test_relus_under_torch_func_are_left_to_it():
    slope = torch.func.vmap(torch.func.grad(lambda y: F.relu(y).square().sum() / 2))
    f = logit(Sum([1.0, 1.0]), 0) + function(lambda x: slope(x).sum(1), "slope")
    run = maximize(f, point(torch.tensor([[1.0, -0.5]])), steps=1, revive=1, **PLAIN)
    torch.testing.assert_close(run.images, torch.tensor([[1.2, -0.4]]))


def test_a_regularizer_alone_with_a_relu_is_left_alone():
    f = Objective([(1.0, Term("ramp", lambda x: F.relu(x).sum(1), sees_image=True))])
    run = maximize(f, point(torch.tensor([[1.0, -1.0]])), steps=3, revive=3, **PLAIN)
    torch.testing.assert_close(run.images, torch.tensor([[1.3, -1.0]]))


def test_relus_without_gradients_are_not_met():
    x, gates = torch.ones(2, requires_grad=True), Gates()
    with gates, torch.no_grad():
        F.relu(x)
    assert not gates.met
    with gates:
        F.relu(x)
    assert gates.met
