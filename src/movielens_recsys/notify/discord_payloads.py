"""Messages as Discord payloads: embeds within its limits, without pings.

Lengths are counted in UTF-16 units, the largest count that Discord might use. Text is escaped, so that names
of runs and texts of errors are shown unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from movielens_recsys.notify.messages import Kind, Message

CONTENT = 2000
TITLE = 256
DESCRIPTION = 4096
FIELDS = 25
FIELD_NAME = 256
FIELD_VALUE = 1024
EMBEDS = 10
ALL_EMBEDS = 6000
_TEXT = 1500
_FOOTER = 500
_MARKDOWN = re.compile(r"([\\*_~`|<>\[\]#@])")
_BLUE, _GREEN, _YELLOW, _RED, _GREY = 0x3498DB, 0x2ECC71, 0xF1C40F, 0xE74C3C, 0x95A5A6
_COLOURS = {
    Kind.TEST: _GREY,
    Kind.START: _BLUE,
    Kind.BEST: _GREEN,
    Kind.WARNING: _YELLOW,
    Kind.CONTINGENCY: _YELLOW,
    Kind.CAP: _YELLOW,
    Kind.STOP: _GREY,
    Kind.END: _GREEN,
    Kind.FAILURE: _RED,
}


def payload(messages: Sequence[Message]) -> tuple[dict[str, Any], int]:
    """Return the body of one request with as many of the first messages as fit, and their number."""
    embeds: list[dict[str, Any]] = []
    total = 0
    for message in messages[:EMBEDS]:
        embed = _embed(message)
        total += size_of(embed)
        if embeds and total > ALL_EMBEDS:
            break
        embeds.append(embed)
    return {**_frame(messages[: len(embeds)]), "embeds": embeds}, len(embeds)


def plain_payload(message: Message) -> dict[str, Any]:
    """Return a body with the message's title alone, for the case that its embed was refused."""
    return _frame([message])


def _frame(messages: Sequence[Message]) -> dict[str, Any]:
    """Return the common part of every body; ``content`` is the line that a phone shows."""
    titles = "; ".join(message.title for message in messages)
    return {
        "username": "MovieLens RecSys",
        "content": _clip(_escape(f"{messages[-1].run_id}: {titles}"), CONTENT),
        "allowed_mentions": {"parse": []},
    }


def _embed(message: Message) -> dict[str, Any]:
    commands = [f"Next: `{command.replace('`', '')}`" for command in message.commands]
    text = _clip(_escape(message.text), _TEXT) if message.text else ""
    embed: dict[str, Any] = {
        "title": _clip(_escape(message.title), TITLE),
        "description": _clip("\n".join(filter(None, (text, *commands))), DESCRIPTION),
        "color": _COLOURS[message.kind],
        "timestamp": message.time,
        "footer": {"text": _clip(f"{message.run_id}, event {message.sequence}", _FOOTER)},
    }
    return {**embed, "fields": _fields(message.fields, ALL_EMBEDS - size_of(embed))}


def _fields(fields: Iterable[tuple[str, str]], room: int) -> list[dict[str, Any]]:
    """Return as many of the fields as fit into ``room`` units."""
    result: list[dict[str, Any]] = []
    for name, value in fields:
        shown = {"name": _clip(_escape(name), FIELD_NAME), "value": _clip(_escape(value), FIELD_VALUE)}
        room -= sum(_length(text) for text in shown.values())
        if room < 0 or len(result) == FIELDS:
            break
        result.append({**shown, "inline": True})
    return result


def size_of(embed: Mapping[str, Any]) -> int:
    """Return the length of an embed that counts towards the limit of all embeds."""
    texts = [embed["title"], embed["description"], embed["footer"]["text"]]
    texts += [field[part] for field in embed.get("fields", ()) for part in ("name", "value")]
    return sum(_length(text) for text in texts)


def _escape(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def _clip(text: str, limit: int) -> str:
    """Return the text without unprintable characters in at most ``limit`` units; never empty."""
    shown = "".join(char if char.isprintable() or char == "\n" else " " for char in text).strip() or "–"
    if _length(shown) <= limit:
        return shown
    units = shown.encode("utf-16-le")[: 2 * (limit - 1)]
    return units.decode("utf-16-le", errors="ignore") + "…"


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
