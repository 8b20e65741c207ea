"""`python -m tests.faults.checker --journal FILE --events FILE --database-url URL`: one JSON line; exit 1 on any finding."""

import argparse
import sys
import time
from pathlib import Path

import msgspec

from tests.faults.checker.check import check, gather


def main() -> None:
    """Check, say, and exit."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.checker", description="Lost, doubled, phantom, wrong, late?")
    parser.add_argument("--journal", type=Path, action="append", required=True, help="of a sender; may be given several times")
    parser.add_argument("--events", type=Path, default=None, help="the tape of a subscriber; without it nothing is said of events")
    parser.add_argument("--faults", type=Path, default=None, help="what was broken when; without it every delay counts")
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--until", type=int, default=None, help="ms UTC; default now")
    parser.add_argument("--repeats", type=int, default=0, help="requests that reached the API beyond the senders' own tries")
    wanted = parser.parse_args()
    evidence = gather(
        wanted.database_url,
        wanted.journal,
        wanted.until or time.time_ns() // 1_000_000,
        events=wanted.events,
        faults=wanted.faults,
        repeats=wanted.repeats,
    )
    findings = check(evidence, with_events=wanted.events is not None)
    print(msgspec.json.encode(findings).decode())
    sys.exit(1 if findings.findings else 0)


if __name__ == "__main__":
    main()
