"""The file by which commands find a running stack."""

from pathlib import Path

from infra.local.environment import load_environment, read_environment, resolve, write_environment
from infra.local.folders import Folders
from infra.local.ports import Ports


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    settings = {"DATABASE_URL": "postgresql://a@127.0.0.1:1/b?options=-c%20x%3D1", "API_URL": "http://127.0.0.1:2"}

    write_environment(Folders.at(tmp_path), settings)

    assert read_environment(tmp_path) == settings


def test_settings_hold_a_secret_and_are_their_owners_alone(tmp_path: Path) -> None:
    folders = Folders.at(tmp_path)

    write_environment(folders, resolve(folders, Ports(30_000), {}))

    assert folders.environment.stat().st_mode & 0o077 == 0


def test_what_the_environment_names_goes_before_the_stack(tmp_path: Path) -> None:
    write_environment(Folders.at(tmp_path), {"REDIS_URL": "redis://ours", "API_URL": "http://ours"})
    environment = {"REDIS_URL": "redis://theirs"}

    load_environment(tmp_path, environment)

    assert environment == {"REDIS_URL": "redis://theirs", "API_URL": "http://ours"}


def test_a_setting_named_by_its_secret_file_is_left_to_it(tmp_path: Path) -> None:
    write_environment(Folders.at(tmp_path), {"DATABASE_URL": "postgresql://ours"})
    environment = {"DATABASE_URL_FILE": "/run/secrets/database-url"}

    load_environment(tmp_path, environment)

    assert "DATABASE_URL" not in environment


def test_without_a_stack_nothing_is_filled_in(tmp_path: Path) -> None:
    assert load_environment(tmp_path / "absent", {}) == {}


def test_an_existing_server_keeps_its_address(tmp_path: Path) -> None:
    given = {"KAFKA_BOOTSTRAP_SERVERS": "broker:9092", "REDIS_URL": ""}

    settings = resolve(Folders.at(tmp_path), Ports(30_000), given)

    assert settings["KAFKA_BOOTSTRAP_SERVERS"] == "broker:9092"
    assert settings["REDIS_URL"] == "redis://127.0.0.1:30004/0"


def test_the_secret_of_a_stack_stays_the_same(tmp_path: Path) -> None:
    folders = Folders.at(tmp_path)
    first = resolve(folders, Ports(30_000), {})
    write_environment(folders, first)

    second = resolve(folders, Ports(31_000), {})

    assert second["STACK_AUTH_SECRET_SERVER_KEY"] == first["STACK_AUTH_SECRET_SERVER_KEY"]
    assert second["API_URL"] != first["API_URL"]
