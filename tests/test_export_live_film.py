"""The film of the live network is made by the steps it tells, and its sheet is looked at."""

import json
import shutil

import pytest
import torch

from actmax_lib._ascent import ascent
from scripts import export_live
from tests.test_export_live import KNOWN, MANIFEST, WEIGHTS, tiny

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_film_goes_on_from_frame_to_frame_within_the_box(monkeypatch):
    steps, step, net = (0, 1, 3, 4), 9.0, tiny(0)  # so long that it meets the faces
    monkeypatch.setattr(export_live, "STEPS", steps)
    monkeypatch.setattr(export_live, "STEP", step)
    frames = export_live.film(net)
    for k in (2, 7):
        x, seen = export_live.start(export_live.SEED), []
        for done in range(5):
            if done in steps:
                seen.append(x[0])
            x = x.detach().requires_grad_()
            (g,) = torch.autograd.grad(net(x)[0, k], x)
            x = (x.detach() + step * g / g.norm()).clamp(0, 1)
        torch.testing.assert_close(frames[k], torch.stack(seen), rtol=0, atol=1e-3)
        assert (seen[-1] == 0).any()


def test_another_film_is_refused(tmp_path):
    (tmp_path / "ascent").mkdir()
    (tmp_path / "ascent.json").write_text(json.dumps(KNOWN))
    shutil.copy(WEIGHTS, tmp_path / "ascent")
    sheet = (MANIFEST.parent / KNOWN["sheet"]).read_bytes()
    (tmp_path / KNOWN["sheet"]).write_bytes(sheet)
    assert ascent(tmp_path / "ascent.json", ".")["film"]["sheet"]["columns"] == KNOWN["columns"]
    (tmp_path / KNOWN["sheet"]).write_bytes(sheet[:-1] + bytes([sheet[-1] ^ 1]))
    with pytest.raises(ValueError, match=r"ascent\.webp is not the file that the manifest"):
        ascent(tmp_path / "ascent.json", ".")
