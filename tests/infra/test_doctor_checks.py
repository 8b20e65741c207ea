"""How `coldstream doctor` words what it found."""

from infra.local.checks import Check, Finding, python_check
from infra.local.server_checks import without_password


def test_a_fitting_python_is_fine() -> None:
    assert python_check((3, 12), "3.12.1").finding is Finding.OK


def test_another_python_is_missing_the_right_one() -> None:
    check = python_check((3, 13), "3.13.0")

    assert check.finding is Finding.MISSING
    assert "make setup" in check.advice


def test_a_line_says_what_was_found_and_below_it_what_to_do() -> None:
    line = Check("redis", Finding.MISSING, "redis-server is missing.", "Install it.").line()

    assert line == f"missing  redis          redis-server is missing.\n{'':<24}Install it."


def test_a_password_in_an_address_is_not_shown() -> None:
    assert without_password("postgresql://app:s3cret@db:5432/x") == "postgresql://app:***@db:5432/x"
    assert without_password("127.0.0.1:9092") == "127.0.0.1:9092"
