"""The bytes of a text file: what kind of file it is, unpacked, decoded, and with its lines counted.

The lines are counted here, from the bytes and apart from any parser, so that what a parser returns can be
compared with them. A line ends with LF, CRLF or a lone CR.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from movielens_recsys.data.readers.compressed import COMPRESSIONS, unpack
from movielens_recsys.errors import ReadError

_ENCODINGS = {
    codecs.BOM_UTF32_LE: "UTF-32",  # before UTF-16, whose mark is a part of this one
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_FOREIGN_KINDS = {
    b"SQLite format 3\0": ("an SQLite database", "export its table of ratings as CSV"),
    b"\x89HDF\r\n\x1a\n": ("an HDF5 file", "write its table as CSV or Parquet"),
    b"\x93NUMPY": ("a NumPy array", "write it as CSV or Parquet"),
    b"\xd0\xcf\x11\xe0": ("an Excel workbook", "save its sheet as CSV"),
    b"ARROW1": ("a Feather or Arrow file", "write its table as CSV or Parquet"),
    b"FEA1": ("a Feather file", "write its table as CSV or Parquet"),
    b"Obj\x01": ("an Avro file", "write its table as CSV or Parquet"),
    b"\x28\xb5\x2f\xfd": ("compressed with Zstandard", "unpack it: zstd -d FILE"),
    b"7z\xbc\xaf\x27\x1c": ("a 7-Zip archive", "unpack it"),
    b"Rar!": ("a RAR archive", "unpack it"),
    b"%PDF": ("a PDF document", "name a table of ratings"),
    b"\x80\x02": ("a pickle", "write it as CSV or Parquet; pickles are never opened, for they can run code"),
    b"\x80\x03": ("a pickle", "write it as CSV or Parquet; pickles are never opened, for they can run code"),
    b"\x80\x04": ("a pickle", "write it as CSV or Parquet; pickles are never opened, for they can run code"),
    b"\x80\x05": ("a pickle", "write it as CSV or Parquet; pickles are never opened, for they can run code"),
    b"{": ("JSON", "write it as CSV or Parquet"),
    b"[": ("JSON", "write it as CSV or Parquet"),
    b"<": ("a page of HTML or XML", "name a table of ratings; was a page saved instead of the file?"),
}
_UNUSED = (b"\x1f", b"\x1e", b"\x1d", b"\x1c", b"\x01", b"\x02", b"\x03", b"\x04")
_CHUNK, _START = 2**22, 4096


@dataclass(frozen=True, eq=False)
class TextSource:
    """A text file as UTF-8 whose lines end with LF or CRLF.

    Attributes
    ----------
    path
        The file, for messages.
    name
        Its name, without the ending of a compression.
    content
        Its text in UTF-8: the path where the file can be read as it is, else bytes.
    lines
        Number of physical lines.
    quotes
        Whether it holds a quotation mark.
    undecodable_line
        The first line that is not UTF-8, or None.
    unused
        A character that is nowhere in the file.
    changes
        What was done to the bytes, in words.
    """

    path: Path
    name: str
    content: Path | bytes
    lines: int = 0
    quotes: bool = False
    undecodable_line: int | None = None
    unused: str = "\x1f"
    changes: tuple[str, ...] = field(default=())

    def head(self, size: int) -> bytes:
        """Return the first ``size`` bytes of the text."""
        return next(_chunks(self.content, size), b"")


def open_source(path: Path) -> TextSource:
    """Open a text file, unpacking and decoding it where its first bytes say so.

    Raises
    ------
    ReadError
        It is no text, by what its bytes say; or it is empty.
    """
    source = TextSource(path, path.name, path)
    start = source.head(_START)
    compression = next((kind for magic, kind in COMPRESSIONS.items() if start.startswith(magic)), None)
    if compression is not None:
        name, content = unpack(path, compression)
        source = replace(source, name=name, content=content, changes=(f"unpacked from {compression}",))
        start = source.head(_START)
        if any(start.startswith(magic) for magic in COMPRESSIONS):
            raise ReadError(
                f"{path} is compressed twice, with {compression} last", next_step="unpack it once"
            )
    encoding = next((name for bom, name in _ENCODINGS.items() if start.startswith(bom)), None)
    if encoding is not None:
        text = b"".join(_chunks(source.content, _CHUNK)).decode(encoding)
        source = replace(source, content=text.encode(), changes=(*source.changes, f"decoded from {encoding}"))
        start = source.head(_START)
    _refuse_foreign(source, start)
    return _surveyed(source)


def _refuse_foreign(source: TextSource, start: bytes) -> None:
    """Refuse a file that is no text, by its first bytes."""
    text = start.removeprefix(codecs.BOM_UTF8).lstrip()
    if not text and len(start) < _START:
        raise empty_file(source.path)
    kinds = _FOREIGN_KINDS.items()
    found = next((kind for magic, kind in kinds if start.startswith(magic) or text.startswith(magic)), None)
    if start[257:262] == b"ustar":
        found = ("a tar archive", "unpack it, and name the rating file")
    if found is None and start[:64].count(b"\0") > 8:
        found = ("no text in UTF-8; it may be UTF-16 or UTF-32 without its mark", "write it as UTF-8")
    if found is not None:
        kind, advice = found
        how = "".join(f" ({change})" for change in source.changes)
        raise ReadError(f"{source.path} is {kind}{how}", expected="CSV or TSV, or Parquet", next_step=advice)


def empty_file(path: Path) -> ReadError:
    """The error for a file without a single row."""
    return ReadError(f"{path} holds no rows", expected="at least one rating", next_step="check the file")


def _surveyed(source: TextSource) -> TextSource:
    """Count the lines of the text, and note what is in it; lone CRs become line ends that parsers know."""
    unused = list(_UNUSED)
    line_feeds = carriage_returns = pairs = 0
    quotes, last = False, b""
    utf8 = _Utf8Check()
    for chunk in _chunks(source.content, _CHUNK):
        utf8.feed(chunk, line_feeds)
        if b"\0" in chunk:
            line = 1 + line_feeds + chunk[: chunk.index(b"\0")].count(b"\n")
            raise ReadError(
                f"{source.path} line {line} holds a zero byte",
                expected="text",
                next_step="correct the line; is the file whole?",
            )
        line_feeds += chunk.count(b"\n")
        carriage_returns += chunk.count(b"\r")
        pairs += chunk.count(b"\r\n") + (last == b"\r" and chunk[:1] == b"\n")
        quotes = quotes or b'"' in chunk
        unused = [byte for byte in unused if byte not in chunk]
        last = chunk[-1:]
    utf8.finish(line_feeds)
    lone = carriage_returns - pairs
    if lone and line_feeds and not quotes:
        raise ReadError(
            f"{source.path} has {line_feeds} lines that end with LF, and {lone} lone CRs",
            expected="one kind of line end",
            next_step="remove the CRs, or make them LF",
        )
    if lone:
        content = b"".join(_chunks(source.content, _CHUNK)).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return _surveyed(
            replace(source, content=content, changes=(*source.changes, "carriage returns end its lines"))
        )
    if not unused:
        raise ReadError(f"{source.path} holds control characters", next_step="check that it is text")
    return replace(
        source,
        lines=line_feeds + (last != b"\n"),
        quotes=quotes,
        undecodable_line=utf8.bad_line,
        unused=unused[0].decode(),
    )


class _Utf8Check:
    """Finds the first line that is not UTF-8, chunk by chunk."""

    def __init__(self) -> None:
        self.bad_line: int | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def feed(self, chunk: bytes, lines_before: int, *, final: bool = False) -> None:
        if self.bad_line is not None:
            return
        try:
            self._decoder.decode(chunk, final=final)
        except UnicodeDecodeError as exc:
            self.bad_line = lines_before + 1 + exc.object[: exc.start].count(b"\n")

    def finish(self, lines_before: int) -> None:
        self.feed(b"", lines_before, final=True)


def _chunks(content: Path | bytes, size: int) -> Iterator[bytes]:
    with content.open("rb") if isinstance(content, Path) else io.BytesIO(content) as file:
        while chunk := file.read(size):
            yield chunk
