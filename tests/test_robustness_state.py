"""State of the figures of *robustness*: what the manifests and the measurements become."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from actmax_lib._robustness import epsilon, robust_pictures

METHODS = ["noise", "fgsm", "standard", "pgd-l2"]  # as in a manifest: not by robustness
ROBUST = {"noise": 0.3, "fgsm": 0.0, "pgd-l2": 0.6}  # standard was not measured


def network(method):
    return {"method": method, "label": method.upper(), "name": f"toy-{method}-0", "accuracy": 0.9}


def manifest(folder, name, **told):
    """A manifest with a sheet of its own."""
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(folder / f"{name}.webp", lossless=True)
    digest = hashlib.sha256((folder / f"{name}.webp").read_bytes()).hexdigest()
    told |= {"sheet": f"{name}.webp", "sha256": digest, "command": "make it", "columns": 5}
    file = folder / f"{name}.json"
    file.write_text(json.dumps(told | {"size": 28, "title": name}))
    return file


@pytest.fixture
def pictures(tmp_path):
    return manifest(
        tmp_path, "toy", classes=["a", "b", "c"], steps=[0, 8, 20], length=0.2,
        recipes=[{"label": "one", "lambda": 0}, {"label": "two", "lambda": 1}],
        networks=[network(m) for m in METHODS],
    )  # fmt: skip


def measured(folder, name="measured.json", **more):
    rows = {
        f"toy-{m}-0": {"accuracy": 0.8, "robust_l2": r, "plain_cosine_to_mean": 0.1,
                       "cosine_to_mean": 0.2}
        for m, r in ROBUST.items()
    }  # fmt: skip
    # another seed and another network must not count
    rows |= {"toy-fgsm-1": {"robust_l2": 1.0}, "other-fgsm-0": {"robust_l2": 1.0}}
    (folder / name).write_text(json.dumps({"networks": rows} | more))
    return folder / name


def test_methods_are_ordered_by_what_was_measured_and_keep_their_tiles(pictures, tmp_path):
    (found,) = robust_pictures([pictures], [measured(tmp_path, eps={"l2": 1.5})])["sets"]
    assert [m["key"] for m in found["methods"]] == ["fgsm", "noise", "pgd-l2", "standard"]
    # the noise, then 2 recipes x 3 classes x 2 steps a network, in the manifest's order
    assert {m["key"]: m["first"] for m in found["methods"]} == {
        "noise": 1, "fgsm": 13, "standard": 25, "pgd-l2": 37,
    }  # fmt: skip
    best, last = found["methods"][2:]
    assert (best["accuracy"], best["robust"], best["cosine"]) == (0.8, 0.6, [0.1, 0.2])
    assert (last["accuracy"], last["robust"], last["cosine"]) == (0.9, None, [None, None])
    assert (found["eps"], found["recipes"]) == (1.5, ["one", "two"])


def test_a_robust_accuracy_of_zero_is_a_measured_one(pictures, tmp_path):
    (found,) = robust_pictures([pictures], [measured(tmp_path)])["sets"]
    assert found["methods"][0]["robust"] == 0.0
    assert found["eps"] is None


def test_without_measurements_the_order_is_the_manifests(pictures, tmp_path):
    (found,) = robust_pictures([pictures], [tmp_path / "not-there.json"])["sets"]
    assert [m["key"] for m in found["methods"]] == METHODS
    assert found["methods"][0]["accuracy"] == 0.9


def test_radii_of_two_files_stay_with_their_networks(pictures, tmp_path):
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"eps": {"l2": 9}, "networks": {"cifar-x-0": {"robust_l2": 1}}}))
    ours = measured(tmp_path, eps={"l2": 1.5})
    for order in ([ours, other], [other, ours]):
        assert robust_pictures([pictures], order)["sets"][0]["eps"] == 1.5


def test_epsilon_keeps_the_order_of_the_numbers(tmp_path):
    numbers = {key: [k + 10 * n for k in range(4)] for n, key in enumerate(("p", "norm", "most"))}
    file = manifest(
        tmp_path, "attack", classes=["a", "b"], own=0, targets=[1], eps=[0, None], own_p=[7] * 4,
        networks=[network("standard"), network("pgd-l2")], **numbers,
    )  # fmt: skip
    (found,) = epsilon([file])["sets"]
    assert {key: found[key] for key in numbers} == numbers
    assert (found["kept"], found["networks"]) == ([7] * 4, ["STANDARD", "PGD-L2"])
    assert found["sheet"]["src"].startswith("data:image/webp;base64,")


@pytest.mark.parametrize("make", [robust_pictures, epsilon])
def test_a_sheet_that_is_another_is_refused(pictures, make):
    Image.fromarray(np.ones((4, 4), np.uint8)).save(pictures.with_suffix(".webp"), lossless=True)
    with pytest.raises(ValueError, match=r"toy\.webp is not the picture .* again with make it"):
        make([pictures])
