#!/usr/bin/env bash
# Installs what is missing for `make run` (first argument: run) or `make test` (test): Debian packages, a virtual
# environment in .venv and the pinned Python packages. Quick when nothing is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:-run}

packages=(python3 python3-venv libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-cjk fonts-morisawa-bizud-gothic)
requirements=requirements.txt
if [ "$purpose" = test ]; then
    packages+=(chromium poppler-utils qpdf gettext)
    requirements=requirements-dev.txt
fi

missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "Installing system packages: ${missing[*]}"
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            echo "These packages are missing and there is no sudo to install them: ${missing[*]}" >&2
            echo "Ask an administrator to run: apt-get install ${missing[*]}" >&2
            exit 1
        fi
        as_root=(sudo)
    fi
    if ! { "${as_root[@]}" apt-get update -qq && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null; }; then
        echo "These system packages could not be installed: ${missing[*]}" >&2
        echo "Check the network, the package sources and whether you may use sudo, then run this again; or ask an" >&2
        echo "administrator to run: apt-get install ${missing[*]}" >&2
        exit 1
    fi
fi

stamp=".venv/.installed-$(cat requirements.txt "$requirements" | sha256sum | cut -c1-16)"
[ -e "$stamp" ] && exit 0
python=""
for candidate in python3.11 python3.12 python3.13 python3 /usr/bin/python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "Python 3.11, 3.12 or 3.13 with its venv module is needed and was not found." >&2
    exit 1
fi
[ -x .venv/bin/python ] || "$python" -m venv .venv
echo "Installing Python packages into .venv (a minute or two the first time) ..."
if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$requirements"; then
    echo "The Python packages could not be installed. Check the network, then run this again." >&2
    exit 1
fi
rm -f .venv/.installed-*
touch "$stamp"
# What the tests need contains what running needs.
[ "$purpose" = test ] && touch ".venv/.installed-$(cat requirements.txt requirements.txt | sha256sum | cut -c1-16)"
exit 0
