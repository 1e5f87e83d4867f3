"""Environments of peers: created once, shared by equal requirements, and failing with pip's reason."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

from movielens_recsys.bench.environments import interpreter_for


def requiring(peer, text):
    (peer.folder / "needs.txt").write_text(text)
    return dataclasses.replace(peer, config=peer.config.model_copy(update={"requirements": "needs.txt"}))


def test_an_environment_is_created_once_and_separate_from_ours(peers, settings):
    peer = requiring(peers["mean"], "# nothing\n")
    interpreter = interpreter_for(peer, settings)
    assert interpreter.is_relative_to(settings.bench)
    found = subprocess.run([interpreter, "-I", "-c", "import numpy"], capture_output=True, check=False)
    assert found.returncode != 0, "the packages of this environment are not there"
    ready = interpreter.parent.parent / "ready.json"
    before = ready.stat().st_mtime_ns
    other = requiring(peers["nan"], "# nothing\n")
    assert interpreter_for(other, settings) == interpreter
    assert ready.stat().st_mtime_ns == before


def test_a_failed_installation_names_the_reason(peers, bench):
    peer = requiring(peers["mean"], "nothing @ file:///nowhere/nothing-1-py3-none-any.whl\n")
    failed, good = bench("item_mean", own=[peer])
    assert re.search(r"fake cannot be installed here: ERROR: .*nowhere", failed.failure)
    assert good.failure is None


def test_a_peer_without_requirements_uses_this_interpreter(peers, settings):
    assert interpreter_for(peers["mean"], settings) == Path(sys.executable)
