"""An atlas: a picture of every class of a network, kept with what networks say of it.

    python -m actmax_lib.atlas --network efficientnet-lite0 --classes all --size 224 --steps 256 \\
        --out DIR
    torchrun --nproc-per-node 8 -m actmax_lib.atlas ...      the same, on eight GPUs or processes

The same call again goes on where the last one stopped, whatever stopped it, and with any number of
processes; several machines share DIR through a common file system. Chapter *atlas* shows it.

**The format**, version 1. All text is JSON in UTF-8, all files are written whole or not at all.

``plan.json``: ``request``, all that the pictures depend on; ``chunks``, the half-open ranges
[first, stop) of ``request.classes`` that are rendered in one batch, and the ``batch``,
``bytes_per_image`` and ``bytes_free`` they were chosen from; ``command``.

``parts/part-0000.npz``: a chunk of n classes. ``pictures`` uint8 (n, C, H, W), without loss, C = 3
(red, green, blue) or 1; ``value`` float64 (n,), the objective of these very pictures; ``own``
(n, K), the network's probabilities; ``judged`` (n, J), the judge's, J = 0 without one; ``info``,
JSON text: classes, seconds, batches (several where memory ran out), autocast of each, notes,
device, threads, versions. Networks see pictures resized to their own input size, where they
have one. Parts are not needed for reading, but without them nothing can be resumed.

``sheet-000.webp``: pictures with some loss, tile by tile, row by row.

``manifest.json``: ``format`` "actmax-atlas", ``version``, ``command``, ``writer``, ``recipe`` (the
request without its classes: seed, steps and so on, and networks with the hashes of their weights),
``seconds`` of rendering over all processes, ``machines`` (the distinct {device, threads, versions}
that rendered), ``tile`` {width, height, columns, rows}, ``sheets`` [{file, sha256, tiles,
tiles_sha256}], ``parts`` [{file, sha256, and the part's info}], ``classes``, one entry a picture:
``index`` and ``name`` in the network; ``value``; ``p``, the network's probability of this class;
``own``, its likeliest class; ``judge``, the five classes likeliest in the judge, each as [index,
name, probability]; ``judge_p`` and ``judge_rank`` (1 is the likeliest) of this class in a judge
with the same class names; ``sheet``, ``row``, ``column``: the tile's left edge is at column *
width, its top at row * height.
"""

from actmax_lib.atlas.build import build
from actmax_lib.atlas.files import AtlasError, AtlasFileError
from actmax_lib.atlas.read import Atlas, load

__all__ = ["Atlas", "AtlasError", "AtlasFileError", "build", "load"]
