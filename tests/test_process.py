"""Child processes end with their parent, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from lawang.process import PARENT
from lawang.settings import ROOT

_WAITS = "print('ready', flush=True); time.sleep(600)"
#: What the child does; the parent's number is its first argument.
CHILDREN = {
    "asks the kernel": f"""
import sys, time
from lawang.process import die_with_parent
die_with_parent(int(sys.argv[1]))
{_WAITS}
""",
    "watches": f"""
import os, sys, time
from lawang.process import watch_parent
watch_parent(int(sys.argv[1]), lambda: os._exit(0))
{_WAITS}
""",
    "is stuck while it stops": f"""
import sys, time
from lawang.process import watch_parent
watch_parent(int(sys.argv[1]), lambda: None, grace_s=0.1)
{_WAITS}
""",
    "belongs to lawang up": f"""
import sys, time
from lawang.process import bind_to_parent
bind_to_parent()
{_WAITS}
""",
}
_PARENT = f"""
import os, subprocess, sys, time
env = dict(os.environ, {PARENT}=str(os.getpid()))
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], str(os.getpid())], env=env,
                         stdout=subprocess.PIPE, text=True)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""


@contextmanager
def family(child: str) -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """A parent that sleeps and its child that is ready."""
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, CHILDREN[child]],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert parent.stdout is not None
        started = psutil.Process(int(parent.stdout.readline()))
        try:
            yield parent, started
        finally:
            if started.is_running():
                started.kill()
    finally:
        parent.kill()
        parent.communicate(timeout=30)


def is_gone(process: psutil.Process) -> bool:
    """Ended, even where nobody collects the dead."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    "child",
    [
        pytest.param(
            "asks the kernel",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux offers it"),
        ),
        "watches",
        "is stuck while it stops",
        "belongs to lawang up",
    ],
)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_ends_soon_after_its_parent(child: str, number: signal.Signals) -> None:
    with family(child) as (parent, started):
        assert not is_gone(started)
        parent.send_signal(number)
        parent.wait(30)
        deadline = time.monotonic() + 20
        while not is_gone(started):
            assert time.monotonic() < deadline, "an orphan"
            time.sleep(0.02)


def test_a_child_whose_parent_is_gone_already_ends_at_once() -> None:
    someone_else = os.getppid()
    code = (
        f"from lawang.process import die_with_parent; die_with_parent({someone_else}); print('!')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, b"")


def test_a_process_that_nobody_bound_goes_on() -> None:
    environment = {name: value for name, value in os.environ.items() if name != PARENT}
    ended = subprocess.run(
        [sys.executable, "-c", "from lawang.process import *; bind_to_parent(); print('on')"],
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout == b"on\n"
