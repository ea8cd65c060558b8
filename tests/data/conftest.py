"""Tiny data sets in the place of the published ones; nothing of this machine is found."""

import pytest

from actmax_lib.data import loading
from tests.data.fakes import Fake


@pytest.fixture
def fashion(monkeypatch, tmp_path):
    return _install(Fake("fashion-mnist"), monkeypatch, tmp_path)


@pytest.fixture
def cifar(monkeypatch, tmp_path):
    return _install(Fake("cifar-10"), monkeypatch, tmp_path)


def _install(fake, monkeypatch, tmp_path):
    """Make the library take the fake for the published set, and hide what this machine has."""
    monkeypatch.setitem(loading.KNOWN, fake.name, fake.known)
    monkeypatch.setenv("ACTMAX_DATA", str(tmp_path / "cache"))
    monkeypatch.setattr("actmax_lib.data.sources.DEBIAN", tmp_path / "debian")
    return fake
