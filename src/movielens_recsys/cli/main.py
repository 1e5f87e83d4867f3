"""`recsys`: the commands, and the form of their errors."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from movielens_recsys import __version__
from movielens_recsys.cli import auto, bench, completion, data, demo, ensemble, experiment, notify, watch
from movielens_recsys.cli.output import echo
from movielens_recsys.cli.recommending import predict, recommend, similar
from movielens_recsys.cli.streams import adapt_streams, escape_unprintable
from movielens_recsys.cli.usage import CommandGroup, wrong_usage
from movielens_recsys.errors import RecsysError, StorageError, shorten

# OpenMP threads wait by spinning, which makes training 10 times slower on a machine with other load. A short
# spin costs nothing on an idle machine (docs/lab-log.md). The value is read when torch is loaded.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

app = typer.Typer(
    name="recsys",
    help="Train, evaluate and compare recommenders on real ratings.",
    cls=CommandGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(data.app, name="data")
app.add_typer(experiment.app, name="experiment")
app.add_typer(ensemble.app, name="ensemble")
app.add_typer(notify.app, name="notify")
app.command("auto")(auto.auto)
app.command("bench")(bench.bench)
app.command("demo")(demo.demo)
app.command("predict")(predict.predict)
app.command("recommend")(recommend.recommend)
app.command("similar")(similar.similar)
app.command("watch")(watch.watch)
app.command("completion")(completion.completion)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options before the command; ``--debug`` may be anywhere."""
    if version:
        echo(f"recsys {__version__}")
        raise typer.Exit


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; docs/reference/errors.md lists them."""
    adapt_streams()
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    arguments = [word for word in arguments if word != "--debug"]
    try:
        code = app(arguments, prog_name="recsys", standalone_mode=False) or 0
        # Not left to the end of the process, where a closed pipe has an exit code of its own.
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return _fail("interrupted", 130, debug)
    except (BrokenPipeError, SystemExit) as exc:
        # The reader of the output has closed it (`recsys ... | head`), which Typer turns into an exit.
        if BrokenPipeError not in (type(exc), type(exc.__context__)):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except RecsysError as exc:
        return _fail(str(exc), exc.exit_code, debug)
    except TyperException as exc:
        return _fail(str(wrong_usage(exc)), exc.exit_code, debug)
    except typer.Abort:
        return _fail("stopped at a prompt", 1, debug)
    except OSError as exc:
        return _fail(str(storage_error(exc)), 1, debug)
    except MemoryError as exc:
        return _fail(str(memory_error(exc)), 1, debug)
    except UnicodeError as exc:
        return _fail(str(encoding_error(exc)), 1, debug)
    except Exception as exc:
        text = " ".join(f"{type(exc).__name__}: {exc}".split())
        return _fail(f"unexpected {shorten(text, 300)}; this is a bug: --debug shows where", 1, debug)


def storage_error(exc: OSError) -> StorageError:
    """Return the error of a failed system call, with advice."""
    advice = {
        errno.ENOSPC: "free some space, or set RECSYS_HOME and RECSYS_DATA to a larger disk",
        errno.EROFS: "set RECSYS_HOME and RECSYS_DATA to a disk that can be written",
        errno.EACCES: "check the permissions of the path",
        errno.EPERM: "check the permissions of the path",
        errno.ENOENT: "check the path",
        errno.ENOTDIR: "check the path, RECSYS_HOME and RECSYS_DATA",
    }
    where = f" at {exc.filename}" if exc.filename else ""
    return StorageError(
        f"{exc.strerror or exc}{where}",
        next_step=advice.get(exc.errno or 0, "check the path and the disk, then try again"),
    )


def memory_error(exc: MemoryError) -> RecsysError:
    """Return the error of a computation for which this machine has no memory, with advice."""
    reason = f" ({shorten(' '.join(str(exc).split()), 120)})" if str(exc) else ""
    return RecsysError(
        f"there is not enough memory{reason}",
        next_step="close other programs, or take fewer ratings, a smaller model or a larger machine",
    )


def encoding_error(exc: UnicodeError) -> RecsysError:
    """Return the error of text that is not UTF-8 where it must be, such as the name of a file."""
    text = exc.object if isinstance(exc, UnicodeEncodeError) else ""
    where = f" in {shorten(escape_unprintable(text), 120)!r}" if text else ""
    return RecsysError(
        f"a character that is not valid in UTF-8{where}",
        expected="names and texts in UTF-8",
        next_step="rename the file, or correct the text",
    )


def _fail(message: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    echo(f"error: {escape_unprintable(message)}", err=True)
    return code
