"""Writes the reference pages' tables from the code: `make reference`.

What stands between the marks ``<!-- made from the code: NAME -->`` and ``<!-- end -->`` of a page is what the
function NAME of this module returns. mkdocs fills the pages anew when it builds the site; a test compares the
committed pages with the code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
import yaml

from movielens_recsys import errors
from movielens_recsys.cli.main import app
from movielens_recsys.data.datasets import DATASETS
from movielens_recsys.evaluation.metric_definitions import PROTOCOLS, RANKING_METRICS, RATING_METRICS
from movielens_recsys.experiments.keys import describe_value
from movielens_recsys.experiments.templates import all_templates
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.settings import Settings

PAGES = Path(__file__).resolve().parents[1] / "reference"
MARK = re.compile(r"^<!-- made from the code: (\w+) -->\n.*?^<!-- end -->$", re.MULTILINE | re.DOTALL)


def fill(markdown: str) -> str:
    """Return the page with every marked part made anew."""

    def made(mark: re.Match[str]) -> str:
        return f"<!-- made from the code: {mark[1]} -->\n\n{SECTIONS[mark[1]]()}\n\n<!-- end -->"

    return MARK.sub(made, markdown)


def on_page_markdown(markdown: str, **_: object) -> str:
    """Fill one page; mkdocs calls this."""
    return fill(markdown)


def main() -> None:
    """Write every page of the reference."""
    for path in sorted(PAGES.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        if (filled := fill(text)) != text:
            path.write_text(filled, encoding="utf-8")
            print(f"written: docs/reference/{path.name}")


def commands() -> str:
    """Describe every command, its arguments and its options."""
    return "\n\n".join(_commands_below(typer.main.get_command(app), ("recsys",)))


def configuration() -> str:
    """Describe every key of an experiment's configuration, section by section."""
    schema = ExperimentConfig.model_json_schema()
    parts = {"ExperimentConfig": schema, **schema["$defs"]}
    return "\n\n".join(_configuration_section(name, part) for name, part in parts.items())


def templates() -> str:
    """Show every template with its values."""
    sections = []
    for template in all_templates():
        values = {key: value for key, value in template.values.items() if key not in {"description", "tags"}}
        text = yaml.safe_dump(values, sort_keys=False, default_flow_style=None).rstrip()
        tags = ", ".join(f"`{tag}`" for tag in template.tags)
        sections.append(f"## {template.name}\n\n{template.description} Tags: {tags}.\n\n```yaml\n{text}\n```")
    return "\n\n".join(sections)


def data_sets() -> str:
    """List the data sets of the catalogue."""
    head = ("name", "ratings", "users", "items", "scale", "archive", "sources", "terms")
    rows = []
    for info in DATASETS.values():
        size = f"{info.archive_bytes / 1e6:.1f} MB" if info.archive_bytes else "varies"
        scale = f"{info.scale.minimum:g} to {info.scale.maximum:g} by {info.scale.step:g}"
        counts = (f"{n:,}" for n in (info.n_ratings, info.n_users, info.n_items))
        sources = f"GroupLens; wheel {info.wheel.requirement}" if info.wheel else "GroupLens"
        rows.append((f"`{info.name}`", *counts, scale, size, sources, info.licence))
    citations = "\n".join(f"- {text}" for text in dict.fromkeys(info.citation for info in DATASETS.values()))
    return f"{_table(head, rows)}\n\nPlease cite:\n\n{citations}"


def metrics() -> str:
    """List the metrics with their formulas, and the protocols."""
    head = ("name", "metric", "better", "formula")
    sections = []
    for title, table in (("Ratings", RATING_METRICS), ("Rankings", RANKING_METRICS)):
        rows = [(f"`{name}`", metric.label, metric.better, metric.formula) for name, metric in table.items()]
        sections.append(f"## {title}\n\n{_table(head, rows)}")
    protocols = _table(("protocol", "meaning"), [(f"`{name}`", text) for name, text in PROTOCOLS.items()])
    return "\n\n".join([*sections, f"## Protocols\n\n{protocols}"])


def error_tree() -> str:
    """Show the tree of errors."""
    return f"```text\n{errors.__doc__}```"


def environment() -> str:
    """List the environment variables."""
    rows = [
        (f"`{name}`", meaning)
        for name, _, meaning in (
            str(field.description).partition(": ") for field in Settings.model_fields.values()
        )
    ]
    return _table(("variable", "meaning"), rows)


SECTIONS: Mapping[str, Callable[[], str]] = {
    "commands": commands,
    "configuration": configuration,
    "templates": templates,
    "data_sets": data_sets,
    "metrics": metrics,
    "error_tree": error_tree,
    "environment": environment,
}


def _commands_below(command: Any, words: tuple[str, ...]) -> Iterable[str]:
    children = getattr(command, "commands", {})
    if children:
        for name, child in children.items():
            yield from _commands_below(child, (*words, name))
        return
    rows = [
        (f"`{_spelling(parameter)}`", getattr(parameter, "help", None) or "")
        for parameter in command.params
        if parameter.name != "help"
    ]
    text = " ".join((command.help or "").split())
    yield f"## {' '.join(words)}\n\n{text}\n\n{_table(('argument or option', 'meaning'), rows)}"


def _spelling(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        word = parameter.name.upper()
        return f"{word}..." if parameter.nargs == -1 else word
    return ", ".join(sorted(parameter.opts, key=len))


def _configuration_section(name: str, schema: Mapping[str, Any]) -> str:
    rows = [
        (f"`{key}`", describe_value(value, _link), _default(value, key in schema.get("required", ())))
        for key, value in schema["properties"].items()
    ]
    text = schema.get("description", "").replace("``", "`")
    return f"## {name}\n\n{text}\n\n{_table(('key', 'value', 'default'), rows)}"


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _default(schema: Mapping[str, Any], required: bool) -> str:
    if required:
        return "required"
    value = schema.get("default")
    if isinstance(value, dict):
        return "as its section says"
    return "none" if value in (None, "", []) else f"`{value}`"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    return "\n".join([line(head), line(["---"] * len(head)), *(line(row) for row in rows)])


if __name__ == "__main__":
    main()
