"""Hashes of what a benchmark result depends on, so that nothing is run again unless something has changed.

Code counts by its syntax tree: comments, docstrings and formatting may change.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import movielens_recsys
from movielens_recsys.bench.config import Peer
from movielens_recsys.bench.environments import read_requirements
from movielens_recsys.bench.peers import runner
from movielens_recsys.config import Config
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.errors import BenchError
from movielens_recsys.models import table
from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.table import entry_of

_PACKAGE = Path(movielens_recsys.__file__).parent
_COUNTED = ("movielens_recsys.models", "movielens_recsys.training", "movielens_recsys.seeds")
_TRAINER = "movielens_recsys.training.gradient_trainer"
_EPOCHS = "movielens_recsys.training.fit"


def digest(value: Any) -> str:
    """Return the SHA-256 of a JSON value, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def code_of_peer(peer: Peer) -> str:
    """Return the hash of the peer's script, of its runner and of its requirements.

    Raises
    ------
    BenchError
        A file is missing or is not Python.
    """
    code = [_meaning(Path(runner.__file__)), _meaning(peer.script)]
    return digest([*code, read_requirements(peer)])


def code_of_model(config: ModelConfig) -> str:
    """Return the hash of the modules that fit the model of this configuration and predict with it.

    They are the module of its class, the trainer of a model that is trained by gradient descent, and all
    modules of `models`, `training` and `seeds` that these import. Two modules serve every model, so their
    imports are not followed: `training.fit`, which counts for its loop over epochs, and the table of models,
    whose lines count as the modules that they name.
    """
    modules = _modules()
    parts = list(_models_within(config))
    waiting = [entry_of(part.name).model_module for part in parts]
    waiting += [_TRAINER for part in parts if part.fit_method == "gradient"]
    reached = {_EPOCHS for part in parts if part.fit_method == "gradient"}
    while waiting:
        name = waiting.pop()
        if name not in reached and name != table.__name__:
            reached.add(name)
            waiting += [other for other in _imported(modules[name]) if other in modules]
    return digest({name: _meaning(modules[name]) for name in sorted(reached)})


def _models_within(value: Any) -> Iterator[ModelConfig]:
    """Yield every model's configuration in ``value``: itself, and the parts of a composite or blend."""
    if isinstance(value, ModelConfig):
        yield value
    if isinstance(value, Config):
        value = tuple(dict(value).values())
    if isinstance(value, tuple):
        for inner in value:
            yield from _models_within(inner)


def data_of(ratings: Ratings) -> str:
    """Return the hash of the ratings and of the user and item tables."""
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


def _imported(path: Path) -> set[str]:
    """Return the modules that a module imports from, and the names it imports from packages."""
    found = set()
    for node in _executed(_tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of ``tree`` without what only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        yield from _executed(node)


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
