"""Child processes that never outlive their parent, whatever ends it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
#: The environment variable by which a child learns the process it belongs to.
PARENT = "LAWANG_PARENT_PID"


def die_with_parent(parent_pid: int, number: int = signal.SIGTERM) -> None:
    """Ask the kernel for a signal when the parent dies, and end now if it is dead already.

    Linux only; elsewhere `watch_parent` does it. Call it in the child, before exec or work.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def watch_parent(parent_pid: int, stop: Callable[[], None], grace_s: float = 8.0) -> None:
    """Call `stop` once the parent is gone, and end hard if that takes longer than `grace_s`."""

    def watch() -> None:
        while os.getppid() == parent_pid:
            time.sleep(0.5)
        stop()
        time.sleep(grace_s)
        os._exit(1)

    threading.Thread(target=watch, name="watch-parent", daemon=True).start()


def allow_many_files() -> None:
    """Take the most open files this process may have: each screen holds one for months."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def bind_to_parent() -> None:
    """In a process started by `lawang up`: end when that one ends, even by kill -9."""
    parent = os.environ.get(PARENT)
    if not parent:
        return
    die_with_parent(int(parent))
    watch_parent(int(parent), lambda: os.kill(os.getpid(), signal.SIGTERM))
