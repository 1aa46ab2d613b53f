""".env.example names every setting that the service reads, once, with its default."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from funnel.settings import read_pubkeys

ROOT = Path(settings.BASE_DIR)
EXAMPLE = (ROOT / ".env.example").read_text()
NAME = re.compile(r"[A-Z][A-Z0-9_]+")


def settings_read() -> set[str]:
    """The first word in capitals that each call of a reader in funnel/settings.py is given."""
    tree = ast.parse((ROOT / "funnel" / "settings.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = set()
    for call in calls:
        if isinstance(call.func, ast.Name) and call.func.id.startswith("read"):
            words = [str(word.value) for word in call.args if isinstance(word, ast.Constant)]
            names |= {word for word in words[:1] if NAME.fullmatch(word)}
    return names


def values_with(env_file: Path) -> dict[str, str]:
    """The service's settings as a process of its own reads them, with nothing else around it."""
    script = (
        "import json, os; from pathlib import Path; import environ;"
        f"environ.Env.read_env({str(env_file)!r});"
        "from funnel import settings;"
        "print(json.dumps({name: repr(getattr(settings, name)) for name in dir(settings)"
        " if name.isupper()}))"
    )
    environment = {"PATH": os.environ["PATH"], "SECRET_KEY": "tests"}
    answer = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    values: dict[str, str] = json.loads(answer.stdout)
    return values


def test_every_setting_is_in_the_example_once():
    named = re.findall(r"^#?([A-Z][A-Z0-9_]+)=", EXAMPLE, flags=re.MULTILINE)

    assert sorted(settings_read()) == sorted(named)


def test_the_example_shows_the_defaults(tmp_path):
    every_line = tmp_path / "every-line"
    every_line.write_text(re.sub(r"^#([A-Z])", r"\1", EXAMPLE, flags=re.MULTILINE))
    no_line = tmp_path / "no-line"
    no_line.write_text("")

    shown = values_with(every_line)
    defaults = values_with(no_line)

    # The example can't know where the service is installed; the default is the same file there.
    del shown["DATABASES"], defaults["DATABASES"]
    assert defaults == shown


@pytest.mark.parametrize(
    "malformed", ["npub1abc", "ab" * 31, "AB" * 32, f"{'ab' * 32};{'cd' * 32}"]
)
def test_what_is_no_pubkey_stops_the_start_and_is_not_repeated(malformed, monkeypatch):
    monkeypatch.setenv("TRUST_SEEDS", f"{'ef' * 32}, {malformed}")

    with pytest.raises(ImproperlyConfigured, match="TRUST_SEEDS is malformed") as error:
        read_pubkeys("TRUST_SEEDS")

    assert malformed not in str(error.value)


def test_pubkeys_are_read_with_spaces_between(monkeypatch):
    monkeypatch.setenv("TRUST_SEEDS", f" {'ef' * 32}, {'cd' * 32},")

    assert ["ef" * 32, "cd" * 32] == read_pubkeys("TRUST_SEEDS")
