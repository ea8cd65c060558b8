"""How messages stand in the pipes between a judge and a sandbox: a letter, a length, the content.

From the judge: S settings, N the notebook, C what to call (name and seconds), G with what;
R the answer to a call back, X its refusal.
From the sandbox: P now at this cell, Q its memory is full, Y the cells have run, B a call back;
A an answer, M an argument was changed, E an error, U no data, T out of time.
"""

import struct

HEADER = struct.Struct(">cI")
NUMBER = struct.Struct(">I")  # of a call or a call back, before the content
LIMIT = 16_000_000  # bytes of a message out of the sandbox
NOTEBOOK = 20_000_000  # bytes of a notebook


def framed(kind: bytes, content: bytes) -> bytes:
    """A message as it stands in the pipe."""
    return HEADER.pack(kind, len(content)) + content
