"""`python -m tests.chaos`: the checker on the command line; exit code 1 when anything is lost."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import sys


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    # The settings are read when the run is imported.
    from tests.chaos.run import Lost, Plan, run

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--faults", type=int, default=24)
    parser.add_argument("--seed", type=int, default=secrets.randbits(31))
    options = parser.parse_args()
    plan = Plan(events=options.events, faults=options.faults, seed=options.seed)
    say(f"seed {plan.seed}: {plan.events} events, {plan.faults} faults")
    try:
        numbers = asyncio.run(run(plan, say))
    except Lost as lost:
        say(f"LOST with seed {plan.seed}: {lost}")
        return 1
    say(json.dumps(numbers, indent=1))
    say("Nothing is lost and nothing is doubled.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
