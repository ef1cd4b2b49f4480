"""Finding a browser: which is taken, and what is said when there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser import chromium

WORKING = """#!/bin/sh
case "$*" in
    --version) echo "Chromium 1.2.3" ;;
    *) echo "<html><head></head><body></body></html>" ;;
esac
"""
# As Ubuntu's chromium-browser: present, and only telling where to get the real one.
SIGNPOST = "#!/bin/sh\necho 'install the snap' >&2\nexit 1\n"
# As a browser whose libraries are missing: it knows its version and opens nothing.
VERSION_ONLY = '#!/bin/sh\n[ "$*" = --version ] && echo "Chromium 1.2.3"\n'
# As a browser whose sandbox the kernel refuses.
NEEDS_NO_SANDBOX = WORKING.replace("    *) echo", "    *--no-sandbox*) echo")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no browser at all; programs put into this folder are on its path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "playwright"))
    monkeypatch.delenv(chromium.SETTING, raising=False)
    monkeypatch.setattr(chromium, "_MAC_APPS", ())
    return folder


def put(path: Path, text: str) -> Path:
    """Write a program that can be run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_named_browser_goes_before_an_installed_one(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(programs / "chromium", WORKING)
    named = put(tmp_path / "own", WORKING)
    monkeypatch.setenv(chromium.SETTING, str(named))
    assert chromium.find() == named


def test_a_named_browser_that_does_not_start_is_an_error_and_not_passed_over(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(programs / "chromium", WORKING)
    monkeypatch.setenv(chromium.SETTING, "/nowhere/chrome")
    with pytest.raises(chromium.BrowserMissing, match="LAWANG_CHROMIUM=/nowhere/chrome"):
        chromium.ensure()


@pytest.mark.parametrize("broken", [SIGNPOST, VERSION_ONLY], ids=["signpost", "version only"])
def test_a_browser_that_opens_no_page_is_passed_over(programs: Path, broken: str) -> None:
    put(programs / "chromium", broken)
    other = put(programs / "google-chrome", WORKING)
    assert chromium.find() == other


def test_the_newest_of_playwrights_downloads_is_found(programs: Path, tmp_path: Path) -> None:
    put(tmp_path / "playwright/chromium-999/chrome-linux/chrome", WORKING)
    newest = put(tmp_path / "playwright/chromium-1187/chrome-linux64/chrome", WORKING)
    assert chromium.find() == newest


def test_the_sandbox_is_given_up_where_only_that_helps(programs: Path) -> None:
    browser = put(programs / "chromium", NEEDS_NO_SANDBOX)
    assert "--no-sandbox" in (chromium.arguments(browser) or ())


def test_the_sandbox_is_kept_where_it_works(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromium, "_is_root", lambda: False)
    browser = put(programs / "chromium", WORKING)
    chosen = chromium.arguments(browser)
    assert chosen is not None
    assert "--no-sandbox" not in chosen


def test_a_missing_browser_is_installed_by_the_systems_package_manager_when_root(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromium, "_is_root", lambda: True)
    monkeypatch.setattr(sys, "executable", str(put(programs / "python", SIGNPOST)))
    browser = programs / "chromium"
    prepared = put(programs / "prepared", WORKING)
    put(programs / "apk", f'#!/bin/sh\n/bin/cp -p "{prepared}" "{browser}"\n')
    assert chromium.ensure() == browser


def test_nothing_is_installed_into_the_system_by_an_ordinary_user(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromium, "_is_root", lambda: False)
    monkeypatch.setattr(sys, "executable", str(put(programs / "python", SIGNPOST)))
    called = tmp_path / "called"
    put(programs / "apt-get", f'#!/bin/sh\n: > "{called}"\n')
    with pytest.raises(chromium.BrowserMissing):
        chromium.ensure()
    assert not called.exists()


def test_an_installer_that_hangs_is_ended_with_its_children(programs: Path, tmp_path: Path) -> None:
    hanging = put(
        programs / "hang", f'#!/bin/sh\n/bin/sleep 600 &\necho $! > "{tmp_path}/child"\nwait\n'
    )
    assert chromium._run([str(hanging)], limit_s=1) is False
    child = int((tmp_path / "child").read_text(encoding="utf-8"))
    state = subprocess.run(
        ["/bin/ps", "-o", "stat=", "-p", str(child)], capture_output=True, text=True, check=False
    )
    assert state.stdout.strip()[:1] in ("", "Z")


def test_the_command_fails_and_says_what_to_do_when_there_is_no_browser(
    programs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(chromium, "_is_root", lambda: False)
    monkeypatch.setattr(sys, "executable", str(put(programs / "python", SIGNPOST)))
    assert chromium.main() == 1
    assert "apt-get install chromium" in capsys.readouterr().err


@pytest.mark.browser
def test_this_machine_has_a_browser_that_starts() -> None:
    assert chromium.arguments(chromium.find()) is not None
