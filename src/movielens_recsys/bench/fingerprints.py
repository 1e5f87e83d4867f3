"""What a finished cell depends on, so that nothing is run again unless something has changed.

Code counts by its meaning: comments, docstrings and formatting may change.
"""

from __future__ import annotations

import ast
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import movielens_recsys
from movielens_recsys.bench.config import Peer
from movielens_recsys.bench.environments import read_requirements
from movielens_recsys.bench.peers import runner
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.errors import BenchError
from movielens_recsys.models.config import AnyModelConfig

_PACKAGE = Path(movielens_recsys.__file__).parent
_NAMES = frozenset({"movielens_recsys.models.config", "movielens_recsys.models.factory"})
"""Modules that list all models: what a model takes from them is its configuration, which counts by itself."""
_SAMPLING = "movielens_recsys.training.mcmc_loop"
"""Judges, saves and resumes chains of draws; no figure of any model depends on it."""
_COUNTED = ("movielens_recsys.models", "movielens_recsys.training", "movielens_recsys.seeds")
_NEURAL = "movielens_recsys.models.networks.recommender"


def digest(value: Any) -> str:
    """Return the SHA-256 of a JSON value, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def code_of_peer(peer: Peer) -> str:
    """Return the hash of the peer's script, of what runs it and of what it requires.

    Raises
    ------
    BenchError
        A file is missing, or is no Python.
    """
    code = [_meaning(Path(runner.__file__)), _meaning(peer.script)]
    return digest([*code, read_requirements(peer)])


def code_of_model(config: AnyModelConfig) -> str:
    """Return the hash of the modules that fit the model of this configuration and predict with it.

    They are those in `models` that import the configuration's class, and what they import there, in
    `training` (for what is trained by epochs) and in `seeds`. `models.neural`, which every network rests
    on, takes part where it is imported.
    """
    modules = _modules()
    reached: set[str] = set()
    waiting = [name for name in modules if type(config).__name__ in _imported(modules[name])]
    waiting = [name for name in waiting if name.startswith(_COUNTED[0]) and name not in {*_NAMES, _NEURAL}]
    while waiting:
        name = waiting.pop()
        if name in reached or name in {*_NAMES, _SAMPLING}:
            continue
        reached.add(name)
        waiting += [other for other in _sources(modules[name]) if other in modules]
        if name == _NEURAL:
            waiting.append("movielens_recsys.training.fit")
    return digest({name: _meaning(modules[name]) for name in sorted(reached)})


def data_of(ratings: Ratings) -> str:
    """Return the hash of the ratings and of their tables of users and items."""
    tables = [
        None if table is None else table.write_json() for table in (ratings.user_table, ratings.item_table)
    ]
    return digest([ratings.content_hash, *tables])


@cache
def _modules() -> dict[str, Path]:
    names = {}
    for path in _PACKAGE.rglob("*.py"):
        parts = path.relative_to(_PACKAGE).with_suffix("").parts
        names[".".join(["movielens_recsys", *(part for part in parts if part != "__init__")])] = path
    return {name: path for name, path in names.items() if name.startswith(_COUNTED)}


def _tree(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError) as exc:
        raise BenchError(
            f"cannot read {path}: {exc}", expected="a Python script", next_step="correct it"
        ) from exc


def _imports(path: Path) -> list[ast.ImportFrom]:
    return [node for node in ast.walk(_tree(path)) if isinstance(node, ast.ImportFrom)]


def _imported(path: Path) -> set[str]:
    return {alias.name for node in _imports(path) for alias in node.names}


def _sources(path: Path) -> set[str]:
    """Return the modules that a module imports from, and those it imports as names of a package."""
    found = {node.module for node in _imports(path) if node.module}
    return found | {f"{node.module}.{alias.name}" for node in _imports(path) for alias in node.names}


def _meaning(path: Path) -> str:
    """Return a module's syntax tree without docstrings."""
    tree = _tree(path)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and body and _is_docstring(body[0]):
            body.pop(0)
    return ast.dump(tree)


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
