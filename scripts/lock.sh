#!/bin/sh
# Writes the two lock files from pyproject.toml, for every platform and every Python from 3.11.
#
#   scripts/lock.sh              keeps the pins that still fit
#   scripts/lock.sh --upgrade    takes the newest versions that fit
#
# The development lock is made first and binds the other, so both name the same versions.
set -eu

CDPATH='' cd -- "$(dirname -- "$0")/.."

uv=$(command -v uv || true)
if [ -z "$uv" ]; then
    own=.setup-uv
    [ -x "$own/bin/uv" ] || .venv/bin/python -m pip install --quiet --target "$own" uv || {
        echo "lock: needs uv. Install it, or run 'make setup' first, whose pip can fetch it." >&2
        exit 1
    }
    uv=$own/bin/uv
fi

compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --custom-compile-command 'make lock' --group build "$@" pyproject.toml
}

compile "$@" --all-extras --output-file requirements-dev.lock
compile "$@" --constraint requirements-dev.lock --output-file requirements.lock
