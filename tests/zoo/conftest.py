"""A folder for trained networks in the place of the committed one."""

import pytest

from actmax_lib.zoo import trained
from tests.zoo.tiny import ENTRY, network


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder in the place of the committed one."""
    monkeypatch.setattr(trained, "FOLDER", tmp_path)
    return tmp_path


@pytest.fixture
def saved(folder):
    net = trained.rounded(network())
    trained.save(net, "tiny-1", ENTRY)
    return net
