"""A server that behaves as W&B's API does, on good days and bad: as much as a run without files needs."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

HANG_S = 20.0

Act = Callable[["Handler"], None]


@dataclass
class Cloud:
    """What the server was asked and holds; ``act`` replaces its answers."""

    act: Act | None = None
    url: str = ""
    asked: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    released: threading.Event = field(default_factory=threading.Event)

    def history(self, key: str, figure: str) -> dict[int, float]:
        """Return a figure by epoch; a step that was sent twice is a fault of the sender."""
        rows = [json.loads(line) for line in self.runs[key]["history"]]
        steps = [row["_step"] for row in rows]
        assert steps == sorted(set(steps))
        return {row["epoch"]: row[figure] for row in rows if figure in row}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GraphQL and takes files and streams."""

    protocol_version = "HTTP/1.1"
    cloud: Cloud

    def answer_any(self) -> None:
        """Do what the test wants, or else answer well."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.cloud.asked.append(f"{self.command} {self.path}")
        self.cloud.bodies.append(body.decode(errors="replace"))
        self._body = body
        if self.cloud.act:
            self.cloud.act(self)
        else:
            self.answer_well()

    def answer_well(self) -> None:
        """Do what W&B does."""
        body = self._body
        if self.path == "/graphql":
            self.answer(200, {"data": self._data(json.loads(body))})
        else:
            if self.path.endswith("/file_stream"):
                self._take(self.path.split("/")[-2], json.loads(body))
            self.answer(200, {})

    do_GET = do_POST = do_PUT = answer_any

    def _data(self, query: dict[str, Any]) -> dict[str, Any]:
        values = query["variables"]
        project = {"id": "P", "name": values.get("project"), "entity": {"id": "E", "name": "someone"}}
        match query["operationName"]:
            case "RunResumeStatus":
                return {"model": {**project, "bucket": self._bucket(values["name"])}}
            case "UpsertBucket":
                inserted = values["name"] not in self.cloud.runs
                run = self.cloud.runs.setdefault(values["name"], {"history": [], "summary": {}})
                run.update({name: value for name, value in values.items() if value is not None})
                bucket = {**self._bucket(values["name"]), "project": project}
                return {"upsertBucket": {"bucket": bucket, "inserted": inserted}}
            case "CreateRunFiles":
                files = [
                    {"name": name, "uploadUrl": f"{self.cloud.url}/upload/{name}"} for name in values["files"]
                ]
                return {"createRunFiles": {"runID": "B", "uploadHeaders": [], "files": files}}
        return {}

    def _bucket(self, key: str) -> Any:
        run = self.cloud.runs.get(key)
        if run is None:
            return None
        return {
            **{"id": "B", "name": key, "displayName": key, "config": run.get("config", "{}")},
            **{"summaryMetrics": json.dumps(run["summary"]), "historyLineCount": len(run["history"])},
            **{"historyTail": json.dumps(run["history"][-1:]), "eventsTail": "[]", "tags": []},
            **{"logLineCount": 0, "eventsLineCount": 0, "wandbConfig": '{"t": {"1": []}}'},
        }

    def _take(self, key: str, stream: dict[str, Any]) -> None:
        run, files = self.cloud.runs[key], stream.get("files") or {}
        if history := files.get("wandb-history.jsonl"):
            run["history"][history["offset"] :] = history["content"]
        if summary := files.get("wandb-summary.json"):
            run["summary"] = json.loads(summary["content"][-1])
        if "complete" in stream:
            run["exit_code"] = stream.get("exitcode")
        if stream.get("preempting"):
            run["preempting"] = True

    def answer(self, status: int, values: Any = None) -> None:
        """Answer with JSON."""
        content = b"" if values is None else json.dumps(values).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def serving() -> Iterator[Cloud]:
    """Serve until the block ends."""
    cloud = Cloud()
    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("This", (Handler,), {"cloud": cloud}))
    listener.handle_error = lambda *_: None  # type: ignore[method-assign]
    cloud.url = f"http://127.0.0.1:{listener.server_address[1]}"
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield cloud
    cloud.released.set()
    listener.shutdown()
    listener.server_close()
    thread.join()


def failing(handler: Handler) -> None:
    """Answer that the server is broken."""
    handler.answer(500)


def refusing(handler: Handler) -> None:
    """Answer that the key is not right, and quote it."""
    key = base64.b64decode(handler.headers["Authorization"].removeprefix("Basic ")).decode()
    handler.answer(401, {"errors": [{"message": f"no such key: {key}"}]})


def hanging(handler: Handler) -> None:
    """Say nothing at all."""
    handler.close_connection = True
    handler.cloud.released.wait(HANG_S)
