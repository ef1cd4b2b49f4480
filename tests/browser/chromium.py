"""The Chromium that browser tests drive: found on this machine, or fetched.

``python -m tests.browser.chromium`` makes sure that there is one, before the tests: it prints the
browser's path, or says what to do and fails. A browser counts only when it has really opened a
page here: distributions ship launchers that only tell where to get the browser, and containers lack
what its sandbox needs.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

SETTING = "LAWANG_CHROMIUM"

#: Names under which a browser of the Chromium family is installed.
NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
)

_MAC_APPS = ("Chromium", "Google Chrome", "Microsoft Edge")

#: Where Playwright unpacks a browser, inside one of its `chromium-<build>` folders.
_PLAYWRIGHT_PROGRAMS = ("chrome-linux*/chrome", "chrome-mac*/*.app/Contents/MacOS/*")

_PLAYWRIGHT_LIMIT_S = 300
_SYSTEM_LIMIT_S = 900

#: By the program that installs: its commands, in order. Only root runs them.
_SYSTEM_INSTALLERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "apt-get": (
        ("apt-get", "update", "-qq"),
        (
            *("apt-get", "install", "-y", "-qq", "--no-install-recommends"),
            *("-o", "DPkg::Lock::Timeout=120", "chromium"),
        ),
    ),
    "dnf": (("dnf", "install", "-y", "-q", "chromium"),),
    "apk": (("apk", "add", "--no-cache", "chromium"),),
    "pacman": (("pacman", "-Sy", "--noconfirm", "chromium"),),
}

# Containers give /dev/shm 64 MB, on which larger pages crash. The rest keeps a test's browser from
# asking questions and from calling its maker.
_ARGUMENTS: tuple[str, ...] = (
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class BrowserMissing(RuntimeError):
    """No browser that starts. The message says what a person can do about it."""


def find() -> Path:
    """The first browser on this machine that starts.

    Looked for in this order: the program that `LAWANG_CHROMIUM` names (then no other), installed
    ones, the one that Playwright has downloaded before. Raises BrowserMissing.
    """
    if named := os.environ.get(SETTING):
        if arguments(Path(named)) is None:
            raise BrowserMissing(f"{SETTING}={named} is not a Chromium that starts here.")
        return Path(named)
    for path in _candidates():
        if arguments(path) is not None:
            return path
    raise BrowserMissing(_advice())


def ensure() -> Path:
    """As `find`; where there is none, get one.

    Playwright's own download is tried for at most five minutes, then, as root, the system's package
    manager; their output is shown. Raises BrowserMissing when neither gives a browser that starts.
    """
    try:
        return find()
    except BrowserMissing:
        if os.environ.get(SETTING):
            raise
    for commands, limit_s in _ways_to_install():
        for command in commands:
            print("No Chromium found; running:", " ".join(command), flush=True)
            if not _run(command, limit_s):
                break
        arguments.cache_clear()
        try:
            return find()
        except BrowserMissing:
            continue
    raise BrowserMissing(_advice())


@cache
def arguments(browser: Path) -> tuple[str, ...] | None:
    """The command line with which this browser starts here; None when it does not.

    The sandbox is given up only where it cannot work: for root, and where the kernel refuses it to
    users. These browsers open nothing but pages that the tests serve themselves.
    """
    if not _says_version(browser):
        return None
    sandboxed, bare = _ARGUMENTS, (*_ARGUMENTS, "--no-sandbox")
    choices = [bare] if _is_root() else [sandboxed, bare]
    return next((choice for choice in choices if _opens_page(browser, choice)), None)


def main() -> int:
    """Make sure of a browser and print its path; 1 and the advice on stderr when there is none."""
    try:
        print(ensure())
    except BrowserMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


def _candidates() -> Iterator[Path]:
    for name in NAMES:
        if found := shutil.which(name):
            yield Path(found)
    for app in _MAC_APPS:
        yield Path(f"/Applications/{app}.app/Contents/MacOS/{app}")
    for pattern in _PLAYWRIGHT_PROGRAMS:
        yield from sorted(
            _playwright_folder().glob(f"chromium-*/{pattern}"), key=_build, reverse=True
        )


def _playwright_folder() -> Path:
    """Where Playwright keeps its browsers, by its own documented rules."""
    given = os.environ.get("PLAYWRIGHT_BROWSERS_PATH", "")
    if given == "0":
        import playwright

        return Path(playwright.__file__).parent / "driver/package/.local-browsers"
    if given:
        return Path(given)
    if sys.platform == "darwin":
        return Path("~/Library/Caches/ms-playwright").expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "ms-playwright"


def _build(program: Path) -> int:
    """The number in `chromium-1187`, so that the newest download comes first."""
    found = re.search(r"chromium-(\d+)", str(program))
    return int(found[1]) if found else 0


def _ways_to_install() -> Iterator[tuple[Sequence[Sequence[str]], float]]:
    yield [(sys.executable, "-m", "playwright", "install", "chromium")], _PLAYWRIGHT_LIMIT_S
    if _is_root():
        for program, commands in _SYSTEM_INSTALLERS.items():
            if shutil.which(program):
                yield commands, _SYSTEM_LIMIT_S


def _run(command: Sequence[str], limit_s: float) -> bool:
    """Whether the command succeeded in time. Its whole process group ends with it.

    Playwright's installer downloads in a child of its own, which would outlive it.
    """
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        return process.wait(limit_s) == 0
    except subprocess.TimeoutExpired:
        print(f"{command[0]} did not finish within {limit_s:.0f} s.", flush=True)
        return False
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _says_version(browser: Path) -> bool:
    answer = _output([str(browser), "--version"], limit_s=30)
    return answer is not None and re.search(r"\d+\.\d+", answer) is not None


def _opens_page(browser: Path, choice: Sequence[str]) -> bool:
    with tempfile.TemporaryDirectory(
        prefix="lawang-browser-", ignore_cleanup_errors=True
    ) as profile:
        answer = _output(
            [
                str(browser),
                "--headless",
                "--disable-gpu",
                f"--user-data-dir={profile}",
                *choice,
                "--dump-dom",
                "about:blank",
            ],
            limit_s=60,
        )
    return answer is not None and "<html" in answer


def _output(command: list[str], limit_s: float) -> str | None:
    """What the command prints; None when it cannot run, fails, or takes too long."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit_s, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None


def _is_root() -> bool:
    return os.geteuid() == 0


def _advice() -> str:
    return (
        "No Chromium that starts was found, and the browser tests are not skipped. Do one of:\n"
        "  - install Chromium or Chrome with the system's package manager, for example\n"
        "      sudo apt-get install chromium     (Debian)\n"
        "      sudo dnf install chromium         (Fedora)\n"
        "  - let Playwright fetch its own, which needs the internet:\n"
        f"      {sys.executable} -m playwright install chromium\n"
        f"      sudo {sys.executable} -m playwright install-deps chromium\n"
        f"  - name one that is already there: {SETTING}=/path/to/chrome make test"
    )


if __name__ == "__main__":
    sys.exit(main())
