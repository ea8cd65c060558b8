"""Code that fights the grader: it is held, its other answers count, and no process stays."""

from dataclasses import replace

import pytest

from tests.classroom.engine import (
    CLIMB,
    DOUBLE,
    FULL,
    IMPORTS,
    QUICK,
    judged,
    kinds,
    needs_sandbox,
    no_survivor,
    notebook,
    right,
)

pytestmark = [needs_sandbox, pytest.mark.usefixtures("no_survivor")]
__all__ = ["no_survivor"]
WRONG = "def double(x):\n    return 3 * x"
CHANNELS = """
import os, struct
def channels():
    found = []
    for fd in range(3, 64):
        try:
            if os.readlink(f"/proc/self/fd/{fd}").startswith("pipe:"):
                found.append(fd)
        except OSError:
            pass
    return found
def shout(content):
    for fd in channels():
        try:
            os.write(fd, content)
        except OSError:
            pass
"""
LOOPS = ("took too long", "never ended", "cell 2", "ended", "")  # what the time limit ends
# a cell before right answers, and what the teacher is told of it
CELLS = {
    "an endless loop": ("while True: pass", "took too long"),
    "an endless loop that no error ends": (
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "cell 2",  # the alarm of each second may find it outside of the try
    ),
    "a loop with its alarm switched off": (
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass",
        "never ended",
    ),
    "an end of the program": ("import os\nos._exit(0)", "ended the whole program"),
    "a kill of itself": ("import os\nos.kill(os.getpid(), 9)", "ended the whole program"),
    "a kill of everybody": ("import os\nos.kill(-1, 9)", "No such process"),
    "sys.exit": ("import sys\nsys.exit(0)", "SystemExit"),
    "a crash of Python": ("import ctypes\nctypes.string_at(0)", "ended the whole program"),
    "a fork bomb": ("import os\nwhile True: os.fork()", "started more than 30 processes"),
    "a fork bomb of the shell": (
        "import subprocess\nsubprocess.run(['/bin/sh', '-c', 'f() { f | f & }; f'])\n"
        "import time\ntime.sleep(5)",
        "started more than 30 processes",
    ),
    "a bomb of threads": (
        "import threading, time\nwhile True:\n"
        "    threading.Thread(target=time.sleep, args=(99,), daemon=True).start()",
        "",  # its stacks meet the limit of memory, or it is stopped
    ),
    "an array of 80 GB": ("np.ones(10**10)", "used up its memory"),
    "a list without end": ("x = []\nwhile True: x.append(np.ones(10**6))", "memory"),
    "memory in many processes": (
        "import os, time\nfor _ in range(6):\n    if os.fork() == 0:\n"
        "        x = np.ones(2 * 10**7)\n        time.sleep(60)\ntime.sleep(60)",
        "used more than 0.6 GB of memory",
    ),
    "shared memory": (
        "import mmap\nm = mmap.mmap(-1, 2 * 10**9)\nfor _ in range(199): m.write(bytes(10**7))",
        "used more than 0.6 GB of memory",
    ),
    "memory in files without a name": (
        "import os, time\nfds = [os.memfd_create('x') for _ in range(40)]\n"
        "for fd in fds: os.write(fd, bytes(29 * 10**6))\ntime.sleep(60)",
        "used more than 0.6 GB of memory",
    ),
    "a full /dev/shm": ("open('/dev/shm/x', 'wb').write(bytes(10**8))", "OSError"),
    "a full disk": (
        "for k in range(99): open(f'{k}', 'wb').write(bytes(10**7))",
        "No space left",
    ),
    "a gigabyte of output": (
        "while True: print('x' * 10**6)",
        "printed more than 50 MB",
    ),
    "garbage in all pipes": (f"{CHANNELS}\nshout(b'\\xff' * 100)", "the grader's pipe"),
    "half a message in all pipes": (
        f"{CHANNELS}\nimport time\nshout(struct.pack('>cI', b'Y', 10**6))\ntime.sleep(30)",
        "ended",  # never ended, or what came after it was no message
    ),
    "an endless message": (f"{CHANNELS}\nwhile True: shout(bytes(10**6))", ""),
    "a forged end of the cells": (
        f'{CHANNELS}\nbody = b\'{{"d":{{"names":["double","climb"]}}}}\'\n'
        "shout(struct.pack('>cI', b'Y', len(body)) + body)\nimport time\ntime.sleep(.1)\n"
        "os._exit(0)",
        "",
    ),
    "deep nesting in the pipe": (
        f"{CHANNELS}\nshout(struct.pack('>cI', b'Y', 10**5) + b'[' * 10**5)",
        "the grader's pipe",
    ),
    "all pipes closed": ("import os\nos.closerange(3, 1000)", "ended the whole program"),
    "itself deleted": (
        "import os, shutil\nshutil.rmtree('/grader', True)\n"
        "assert os.path.exists('/grader/classroom/driver.py')",
        None,
    ),
    "threads and children that stay": (
        "import subprocess, threading\n"
        "threading.Thread(target=lambda: [x for x in iter(int, 1)], daemon=True).start()\n"
        "subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "subprocess.Popen(['/bin/sh', '-c', 'sleep 600 & sleep 600 & exit'])",
        None,
    ),
    "an end that never comes": (
        "import atexit\ndef more():\n    while True: pass\natexit.register(more)",
        None,
    ),
    "limits raised": (
        "import resource\nfor k in range(16):\n    try: resource.setrlimit(k, (-1, -1))\n"
        "    except (ValueError, OSError): pass\n"
        "try:\n    x = np.ones(3 * 10**8)\n    raise SystemError('the limit is gone')\n"
        "except MemoryError: pass",
        None,
    ),
    "input": ("input('your marks? ')", "EOFError"),
    "names of Python bent": (
        "import builtins\nbuiltins.isinstance = lambda *a: True\n"
        "builtins.AssertionError = ValueError\nbuiltins.abs = lambda x: 0",
        "",
    ),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_hostile_cell_costs_nothing_but_itself(name, tmp_path):
    cell, told = CELLS[name]
    patient = told not in LOOPS  # what another limit ends has time to reach it on a busy machine
    limits = replace(QUICK, cell=20.0) if patient else QUICK
    result, earned = judged(tmp_path, right(cell), limits)
    flags = "; ".join(result["flags"])
    if told is None:
        assert flags == ""
    else:
        assert told in flags
    forged = name in ("a forged end of the cells", "an endless message", "names of Python bent")
    if not forged:  # who forges the end of the cells may lose what was to come
        assert earned == FULL, (flags, kinds(result))
    assert len(result["log"]) < 300_000


# a double() that does not do what it should, and what its check comes to
CALLS = {
    "an endless loop": ("while True: pass", {"slow"}),
    "an endless loop that no error ends": (
        "while True:\n        try:\n            while True: pass\n"
        "        except BaseException: pass",
        {"slow"},
    ),
    "an end of the program": ("__import__('os')._exit(0)", {"died", "slow"}),
    "sys.exit": ("raise SystemExit(0)", {"raised"}),
    "recursion": ("return double(x)", {"raised"}),
    "recursion without a limit": (
        "import sys\n    sys.setrecursionlimit(10**8)\n    return double([x])",
        {"died", "raised", "slow"},
    ),
    "an answer of a gigabyte": ("return np.zeros(1 << 27)", {"raised", "unreadable"}),
    "an answer of 100 MB": ("return np.zeros(12_000_000)", {"unreadable"}),
    "millions of empty lists": ("return [[]] * 5_000_000", {"wrong"}),
    "a deep answer": (
        "y = []\n    for _ in range(10**5): y = [y]\n    return y",
        {"unreadable"},
    ),
    "not a number": ("return np.nan", {"wrong"}),
    "infinite": ("return np.full(np.shape(x), np.inf)", {"wrong"}),
    "a number of a million digits": ("return 10**(10**6)", {"unreadable"}),
    "text": ("return 'right'", {"wrong"}),
    "a generator": ("return (2 * y for y in x)", {"unreadable"}),
    "an array of objects": ("return np.array([object()])", {"unreadable"}),
    "an object that says yes": (
        "class Yes:\n        __eq__ = __ne__ = lambda a, b: True\n        __hash__ = None\n"
        "        def __array__(self, *a, **k): return 2 * x\n"
        "        def __reduce__(self): return (__import__('os').system, ('id',))\n"
        "    return Yes()",
        {"unreadable"},
    ),
    "an object that says it is torch's": (
        "class Tensor:\n        __module__ = 'torch'\n        detach = cpu = lambda s: s\n"
        "        numpy = lambda s: s\n    return Tensor()",
        {"unreadable", "raised"},
    ),
    "an error that cannot be read": (
        "class Silent(Exception):\n        def __str__(self): raise self\n    raise Silent",
        {"raised"},
    ),
    "an error for everything": ("raise ValueError('no x')", {"raised"}),
    "an assertion of its own": ("raise AssertionError('full marks')", {"raised"}),
    "its argument changed": ("x *= 2\n    return x", {"wrong", "raised"}),
    "a fork that answers twice": ("import os\n    os.fork()\n    return 3 * x", {"wrong"}),
    "two answers": (
        "shout(struct.pack('>cII', b'A', 8, 1) + b'null')\n    return 3 * x",
        {"wrong", "unreadable", "slow"},
    ),
    "forged answers for all calls": (
        "for n in range(1, 99):\n"
        "        shout(struct.pack('>cII', b'A', 8, n) + b'true')\n    return x",
        {"wrong", "unreadable", "slow"},
    ),
    "calls back that nobody asked for": (
        "shout(struct.pack('>cII', b'B', 6, 7) + b'[]')\n    return 3 * x",
        {"wrong"},
    ),
    "endless calls back": (
        "while True: shout(struct.pack('>cII', b'B', 6, 0) + b'[]')",
        {"slow", "died", "unreadable"},
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_hostile_answer_earns_nothing_and_costs_nobody_else(name, tmp_path):
    body, allowed = CALLS[name]
    content = right(CHANNELS, double=f"def double(x):\n    {body}")
    result, earned = judged(tmp_path, content)
    found = kinds(result)
    assert earned == FULL | {"double": 0}, found
    assert {found["twice"], found["twice_a_matrix"]} <= allowed | {"slow"}


# a climb() that is bad to the gradient that it is given
STEPS = {
    "asks for ever": ("while True: gradient(x)", "slow"),
    "asks with text": ("return {'x': gradient('top')}", "raised"),
    "asks with an object": ("return {'x': gradient(object())}", "raised"),
    "asks with 40 MB": ("return {'x': gradient(np.zeros(5_000_000))}", ""),
    "keeps asking after an error": (
        "for _ in range(50):\n        try: gradient(None)\n        except Exception: pass\n"
        "    return {'x': x}",
        "wrong",
    ),
    "asks in threads": (
        "import threading\n    ts = [threading.Thread(target=gradient, args=(x,)) "
        "for _ in range(20)]\n    [t.start() for t in ts]\n    [t.join() for t in ts]\n"
        "    return {'x': x}",
        "wrong",
    ),
    "looks at what it is given": (
        "found = [c.cell_contents for c in gradient.__closure__]\n"
        "    return {'x': [v for v in found if isinstance(v, np.ndarray)][0]}",
        "raised",
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_calls_back_are_no_way_out(name, tmp_path):
    body, kind = STEPS[name]
    result, earned = judged(tmp_path, right(climb=f"def climb(gradient, x):\n    {body}"))
    assert earned == FULL | {"climb": 0}
    assert kind in kinds(result)["reaches_the_top"]


CHEATS = {
    "bends NumPy": (
        "np.allclose = np.array_equal = np.isclose = lambda *a, **k: True\n"
        "for name in ('assert_allclose', 'assert_array_equal'):\n"
        "    setattr(np.testing, name, lambda *a, **k: None)"
    ),
    "bends the helpers": "close = public = lambda *a, **k: True",
    "bends the wire": (
        "import sys\nfor name, module in list(sys.modules.items()):\n"
        "    if 'wire' in name or 'frames' in name or 'reading' in name:\n"
        "        for key in ('changed',): setattr(module, key, lambda *a: '')"
    ),
    "bends the driver": (
        "import sys, gc\nfor held in gc.get_objects():\n"
        "    if isinstance(held, dict) and 'TimeIsUp' in held and 'data' in held:\n"
        "        held['data'] = lambda value, seconds: (b'A', b'true')"
    ),
    "looks for the checks": (
        "import sys\nsys.path += ['/', '/grader']\nfrom classroom.checks import check"
    ),
    "forges the results": (
        "import os\nfor name in ('grades.csv', 'grades.json', 'results.json', '../grades.csv'):\n"
        "    try: open(name, 'w').write('student,total\\nme,100\\n')\n    except OSError: pass"
    ),
    "claims to be done": "print('all 9 points'); __import__('sys').stderr.write('9/9')",
}


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_earns_what_its_answers_are_worth(name, tmp_path):
    content = notebook(IMPORTS, CHEATS[name], WRONG, CLIMB)
    result, earned = judged(tmp_path, content)
    assert earned["double"] == 0
    assert earned["climb"] == (0 if name == "bends the driver" else 5)
    assert kinds(result)["twice"] == "wrong"


def test_calls_that_end_the_program_are_tried_twice_a_question(tmp_path):
    ending = "def double(x):\n    if np.ndim(x) == 2: __import__('os')._exit(0)\n"
    result, earned = judged(tmp_path, right(double=f"{ending}    {DOUBLE.split(':', 1)[1]}"))
    assert kinds(result) == {
        "twice": "passed",
        "twice_a_matrix": "died",
        "no_x": "passed",
        "reaches_the_top": "passed",
    }
    assert earned == FULL | {"double": 3}
    assert "the code ended the whole program" in result["questions"][0]["checks"][1]["message"]
