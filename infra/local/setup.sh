#!/usr/bin/env bash
# What `make setup` does: Debian packages (installed when root, otherwise named), .venv from the lock file, Kafka's jars.
# With --bench also what only `make bench` needs. Safe to run again at any time, and quick when there is nothing to do.
# Needs only bash, python3 and coreutils.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

wants_bench=no
[ "${1:-}" != --bench ] || wants_bench=yes

libs="${COLDSTREAM_KAFKA_LIBS:-.local/kafka-libs}"
mkdir -p .local
# Two set-ups at once would write the same files: the second waits for the first.
exec 9>.local/setup.lock
flock 9

say() { printf 'setup: %s\n' "$*" >&2; }

has() { command -v "$1" >/dev/null 2>&1; }

# The first Python 3.11 or 3.12 that can make virtual environments.
find_python() {
    local name
    for name in python3.11 python3.12 python3 /usr/bin/python3; do
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] not in {(3, 11), (3, 12)})' \
            >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
}

has_postgres() {
    { has postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; } &&
        { [ "$(id -u)" != 0 ] || id postgres >/dev/null 2>&1; }
}

has_browser() { has chromium || has chromium-browser || has google-chrome; }

pom_stamp() { sha256sum infra/local/kafka-pom.xml | cut -d' ' -f1; }

has_kafka() {
    [ "$(cat "$libs/set-up" 2>/dev/null)" = "$(pom_stamp)" ] && compgen -G "$libs/kafka_2.13-*.jar" >/dev/null
}

missing_packages() {
    [ -n "$(find_python)" ] || echo python3-venv
    has java || echo openjdk-17-jre-headless
    has mvn || has_kafka || echo maven
    has_postgres || echo postgresql
    has redis-server || has valkey-server || echo redis-server
    { has gcc && [ -e /usr/include/stdio.h ]; } || echo gcc libc6-dev
    has_browser || echo chromium
    [ "$wants_bench" = no ] || has wrk || echo wrk
}

install_packages() {
    local missing
    missing="$(missing_packages | tr '\n' ' ')"
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ] || ! has apt-get; then
        say "missing: $missing"
        say "install with: apt-get install -y --no-install-recommends $missing"
        # Only the page's tests need the browser: without it everything else still works.
        [ "$missing" = "chromium " ] || exit 1
        return 0
    fi
    say "installing $missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 - a list of words
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

make_venv() {
    local python stamp
    # The editable install names this folder, so a moved clone is set up again.
    stamp="$(cat requirements.lock pyproject.toml <(pwd) | sha256sum | cut -d' ' -f1)"
    if [ -x .venv/bin/coldstream ] && [ "$(cat .venv/set-up 2>/dev/null)" = "$stamp" ] &&
        .venv/bin/python -c '' 2>/dev/null; then
        return 0
    fi
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        python="$(find_python)"
        [ -n "$python" ] || {
            say "Python 3.11 or 3.12 with the venv module is needed"
            exit 1
        }
        say "making .venv with $("$python" --version)"
        "$python" -m venv --clear .venv
    fi
    say "installing the Python packages of requirements.lock"
    .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
    echo "$stamp" >.venv/set-up
}

fetch_kafka() {
    local draft
    ! has_kafka || return 0
    say "fetching Kafka's jars"
    draft="$libs.draft"
    rm -rf "$draft"
    mkdir -p "$draft"
    # Maven speaks only when it fails; its colour codes would show otherwise.
    if ! mvn -q -B -f infra/local/kafka-pom.xml dependency:copy-dependencies \
        "-DoutputDirectory=$(realpath "$draft")" >.local/setup-kafka.log 2>&1; then
        cat .local/setup-kafka.log >&2
        exit 1
    fi
    pom_stamp >"$draft/set-up"
    rm -rf "$libs"
    mv "$draft" "$libs"
}

install_packages
make_venv
fetch_kafka
