#!/bin/sh
# Makes .venv hold exactly what a lock file names, plus the project itself, editable.
#
#   scripts/setup.sh runtime    what `make demo` needs: requirements.lock
#   scripts/setup.sh dev        everything, tests and linters too: requirements-dev.lock
#
# Needs a Python >= 3.11 (PYTHON=... chooses one) and a package index; uv is used when it is there.
# Nothing is done when nothing changed. Why it is built this way: docs/decisions/0002.
set -eu

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

flavour=${1:-runtime}
case $flavour in
    runtime) lock=requirements.lock ;;
    dev) lock=requirements-dev.lock ;;
    *) die "unknown set-up '$flavour': runtime or dev" ;;
esac

CDPATH='' cd -- "$(dirname -- "$0")/.."
root=$(pwd -P)
venv=.venv
stamp=$venv/setup-stamp

# Settings of the caller's shell that would send packages elsewhere, or let other ones in.
unset PYTHONHOME PYTHONPATH PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV VIRTUAL_ENV
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

is_python() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_python "$PYTHON" || die "PYTHON=$PYTHON is not a Python 3.11 or newer that runs."
        printf '%s\n' "$PYTHON"
        return
    fi
    for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if command -v "$name" >/dev/null 2>&1 && is_python "$name"; then
            printf '%s\n' "$name"
            return
        fi
    done
    die "no Python 3.11 or newer was found. Install one (Debian 12, Ubuntu 24.04 or newer:" \
        "'apt-get install python3 python3-venv'; Fedora: 'dnf install python3'; macOS:" \
        "'brew install python'), or name one: make demo PYTHON=/path/to/python3.12"
}

# The interpreter behind a launcher (pyenv, asdf) or an active environment, which may be the very
# one that is about to be replaced.
base_interpreter() {
    "$1" -c 'import sys; print(getattr(sys, "_base_executable", None) or sys.executable)'
}

# What is installed depends on this and on nothing else. The folder is in it because the scripts
# in .venv name it.
environment_key() {
    version=$("$1" -c 'import sys; print(sys.version)' | tr '\n' ' ')
    sum=$(cat requirements.lock requirements-dev.lock | cksum)
    printf 'environment %s | %s | %s\n' "$root" "$version" "$sum"
}

# The project's own installation: its name, version and entry points.
project_key() {
    printf 'project %s\n' "$(cksum <pyproject.toml)"
}

stamped() {
    [ -f "$stamp" ] && grep -qxF -- "$1" "$stamp"
}

install_with_uv() {
    command -v uv >/dev/null 2>&1 || return 1
    if [ ! -x "$venv/bin/python" ]; then
        uv venv --quiet --python "$base" "$venv" || return 1
    fi
    uv pip install --quiet --python "$venv/bin/python" --require-hashes -r "$lock" || return 1
    uv pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation \
        --reinstall -e .
}

install_with_pip() {
    if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        make_venv_with_pip
    fi
    "$venv/bin/python" -m pip install --quiet --require-hashes -r "$lock" &&
        "$venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation \
            --force-reinstall -e . ||
        die "packages could not be installed (see above). The first set-up needs a package" \
            "index; behind a proxy, or with an index of your own, set it in pip's configuration."
}

# Debian and its descendants ship Python without ensurepip, and some without pip.
make_venv_with_pip() {
    if "$base" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        "$base" -m venv --clear "$venv"
    elif "$base" -c 'import pip, venv' >/dev/null 2>&1; then
        "$base" -m venv --clear --without-pip "$venv"
        site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
        "$base" -m pip install --quiet --target "$site" pip
    elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        install_venv_with_apt
        "$base" -m venv --clear "$venv"
    else
        die "$base can make no virtual environment: it has neither ensurepip nor pip. Ask an" \
            "administrator for 'apt-get install python3-venv' (or your system's package of that" \
            "name), or install uv, and start again."
    fi
}

install_venv_with_apt() {
    minor=$("$base" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    say "installing python$minor-venv with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq || say "apt-get update failed; trying with the lists that are there"
    apt-get install -y -qq -o DPkg::Lock::Timeout=120 --no-install-recommends "python$minor-venv" >&2 ||
        apt-get install -y -qq -o DPkg::Lock::Timeout=120 --no-install-recommends python3-venv >&2 ||
        die "apt-get could not install python3-venv (see above)."
    "$base" -c 'import ensurepip, venv' ||
        die "$base still makes no virtual environment: it is not the system's Python. Choose" \
            "that one: PYTHON=/usr/bin/python3"
}

if [ -z "${PYTHON:-}" ] && is_python "$venv/bin/python"; then
    python=$venv/bin/python
else
    python=$(find_python)
fi
base=$(base_interpreter "$python")
environment=$(environment_key "$python")
project=$(project_key)

if stamped "$environment" && stamped "$project"; then
    # The development lock holds all of the other one, at the same versions.
    if stamped "installed dev" || stamped "installed $flavour"; then
        exit 0
    fi
fi

if stamped "$environment"; then
    if stamped "installed dev"; then
        lock=requirements-dev.lock flavour=dev
    fi
else
    # Another lock, another Python, another folder, or a set-up that broke off: begin again, so
    # that what is installed is what the lock says and nothing that an older one said.
    python=$(find_python)
    environment=$(environment_key "$python")
    base=$(base_interpreter "$python")
    rm -rf "$venv"
fi

say "installing $lock into $venv"
if ! install_with_uv; then
    if command -v uv >/dev/null 2>&1; then
        say "uv could not do it (see above); trying pip, which may know another package index"
    fi
    install_with_pip
fi
printf '%s\n%s\ninstalled %s\n' "$environment" "$project" "$flavour" >"$stamp"
say "$venv is ready"
