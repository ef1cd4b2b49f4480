"""Becomes the Valkey server, after arranging that it dies with the process that wanted it.

Called as `python -m lawang.store.valkey_child PARENT_PID BINARY CONFIG`. On Linux the kernel
keeps the arrangement over exec; elsewhere this process stays and watches.
"""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import time


def main() -> None:
    """Exec the server (Linux), or run it and end it when the parent is gone."""
    from lawang.process import die_with_parent

    parent, binary, config = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    die_with_parent(parent)
    if platform.system() == "Linux":
        os.execv(binary, [binary, config])  # noqa: S606 (replacing this process is the point)
    server = subprocess.Popen([binary, config])
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    while server.poll() is None:
        if os.getppid() != parent:
            server.terminate()
        time.sleep(0.2)
    sys.exit(server.returncode)


if __name__ == "__main__":
    main()
