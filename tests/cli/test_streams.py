"""Every command in terminals of several encodings, as processes, and what they print there."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.example_runs import Finish

from movielens_recsys.cli.streams import SIGNS, adapt_streams
from movielens_recsys.settings import Settings

TAG, TITLE = "Amélie★…", "é–…"
PROGRAM = """
import json, sys
from movielens_recsys.cli.main import main
encodings, commands = json.loads(sys.argv[1])
for encoding in encodings:
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding=encoding, errors="strict")
        print(f"# {encoding}", file=stream, flush=True)
    codes = []
    for words in commands:
        print("$", " ".join(words).encode("ascii", "replace").decode(), flush=True)
        codes.append(main(words))
    print("codes", codes, flush=True)
"""
ENCODINGS = {
    "latin-1": "Amélie\\u2605...",
    "cp437": "Amélie\\u2605...",
    "cp1252": "Amélie\\u2605…",
    "ascii": "Am\\xe9lie\\u2605...",
    "utf-8": "Amélie★…",
}
"""The tag as each encoding shows it."""
LOST = "caf\udce9.csv"
"""The name of a file in Latin-1, as Python reads it in a UTF-8 locale."""


def in_terminals(
    encodings: Sequence[str], settings: Settings, *commands: tuple[str, ...]
) -> list[tuple[bytes, bytes, list[int]]]:
    """Return output, errors and exit codes of commands in one process, for one encoding after another."""
    homes = {"RECSYS_HOME": str(settings.home), "RECSYS_DATA": str(settings.data)}
    environment = {**os.environ, **homes, "PYTHONIOENCODING": f"{encodings[0]}:strict", "COLUMNS": "100"}
    arguments = [sys.executable, "-c", PROGRAM, json.dumps([encodings, commands])]
    done = subprocess.run(arguments, capture_output=True, env=environment, check=False, timeout=120)
    outs, errors = (
        [part.partition(b"\n")[2] for part in text.split(b"# ")[1:]] for text in (done.stdout, done.stderr)
    )
    parts = [out.rpartition(b"codes ") for out in outs]
    return [(out, error, json.loads(codes)) for (out, _, codes), error in zip(parts, errors, strict=True)]


def test_every_command_prints_with_the_signs_that_the_terminal_has(
    finish: Finish, settings: Settings
) -> None:
    metrics = {"rmse": 0.9, "ndcg_at_10_full": 0.1}
    first = finish("first", metrics, epochs=9, tags=(TAG,), modifications={"description": TITLE}).id
    second = finish("second", epochs=0, end="failed").id
    shown = in_terminals(
        list(ENCODINGS),
        settings,
        ("experiment", "templates"),
        ("experiment", "list"),
        ("experiment", "show", first),
        ("experiment", "show", first, "--json"),
        ("experiment", "compare", first, second),
        ("experiment", "best", "--metric", "test_rmse"),
        ("experiment", "export", "--format", "csv"),
        ("watch", first, "--once"),
        ("notify", "deliver", first, "--dry-run"),
        ("data", "list"),
        ("data", "describe", "nowhere/★.csv"),
        ("experiment", "show", TITLE),
    )
    for (encoding, tag), (out, errors, codes) in zip(ENCODINGS.items(), shown, strict=True):
        assert codes == [0] * 10 + [1, 2], errors
        assert b"this is a bug" not in errors
        assert b"Traceback" not in errors
        assert tag in out.decode(encoding)
        document = out.partition(b"--json\n")[2].partition(b"$ experiment compare")[0]
        assert TAG in json.loads(document)["tags"]
        if encoding in {"latin-1", "ascii"}:
            assert b"\n#" in out  # the highest bar of a curve


def test_a_file_name_that_is_not_utf8_is_shown_by_its_bytes(settings: Settings) -> None:
    ((out, errors, codes),) = in_terminals(
        ["utf-8"],
        settings,
        ("data", "describe", LOST),
        ("data", "describe", f"missing/{LOST}"),
        ("experiment", "create", "quickstart", "a", "-m", json.dumps({"data": {"path": LOST}})),
        ("experiment", "create", "quickstart", LOST),
        ("experiment", "show", LOST),
        ("data", "describe", "nowhere/\x1b[2J.csv"),
        ("data", "import", LOST, "--name", "cafe"),
    )
    assert 0 not in codes[:2]
    assert b"this is a bug" not in errors
    assert rb"caf\xe9.csv" in errors
    assert rb"nowhere/\x1b[2J.csv" in errors
    out.decode("utf-8")


def test_the_handler_that_a_user_chose_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = {name: io.TextIOWrapper(io.BytesIO(), "ascii", name) for name in ("namereplace", "strict")}
    monkeypatch.setattr("sys.stdout", streams["namereplace"])
    monkeypatch.setattr("sys.stderr", streams["strict"])
    adapt_streams()
    for stream in streams.values():
        stream.write("★…")
        stream.flush()
    contents = {name: stream.buffer.getvalue() for name, stream in streams.items()}  # type: ignore[attr-defined]
    assert contents == {
        "namereplace": rb"\N{BLACK STAR}\N{HORIZONTAL ELLIPSIS}",
        "strict": rb"\u2605...",
    }


def test_signs_are_replaced_by_ascii() -> None:
    assert all(sign.isascii() for sign in SIGNS.values())
    assert not any(sign.isascii() for sign in SIGNS)


def test_every_sign_of_the_package_has_a_replacement() -> None:
    package = Path(__file__).parents[2] / "src" / "movielens_recsys" / "cli"
    texts = [path.read_text(encoding="utf-8") for path in package.rglob("*.py")]
    used = {char for text in texts for char in text if not char.isascii()} - {"é", "★"}
    assert used <= set(SIGNS)
