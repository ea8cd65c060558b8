"""Sheets for the tests of figures: tile k is grey of the level k, so a painting tells its tile."""

import hashlib
import io
import json

import numpy as np
from PIL import Image

SIZE = 8


def manifest(folder, name, count, columns, first=0, **told):
    """NAME.json and NAME.webp in ``folder``; tiles of the levels first ... first + count - 1."""
    rows = -(-count // columns)
    sheet = np.zeros((rows * SIZE, columns * SIZE), np.uint8)
    for k in range(count):
        top, left = SIZE * (k // columns), SIZE * (k % columns)
        sheet[top : top + SIZE, left : left + SIZE] = first + k
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "webp", lossless=True)
    (folder / f"{name}.webp").write_bytes(buffer.getvalue())
    told |= {"sheet": f"{name}.webp", "sha256": hashlib.sha256(buffer.getvalue()).hexdigest()}
    told |= {"title": name, "command": "none", "columns": columns, "size": SIZE}
    (folder / f"{name}.json").write_text(json.dumps(told))
    return folder / f"{name}.json"


def grey(canvas, x, y):
    """The level a canvas shows at a place, in shares of its width and height."""
    return canvas.evaluate(
        """(c, [x, y]) => { const copy = document.createElement("canvas").getContext("2d");
          copy.drawImage(c, Math.floor(x * c.width), Math.floor(y * c.height), 1, 1, 0, 0, 1, 1);
          return copy.getImageData(0, 0, 1, 1).data[0]; }""",
        [x, y],
    )


def settled(page, canvas, x, y, level):
    """Wait until a canvas shows a level; fails with what it shows."""
    for _ in range(40):
        if grey(canvas, x, y) == level:
            return
        page.wait_for_timeout(50)
    assert grey(canvas, x, y) == level
