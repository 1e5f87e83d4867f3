"""A server that behaves like W&B's API, as far as a run without files needs it, and fails on request."""

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
class WandbServer:
    """The requests that the server received and the runs it stores; ``act`` replaces its replies."""

    act: Act | None = None
    url: str = ""
    requests: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    released: threading.Event = field(default_factory=threading.Event)

    def history(self, key: str, metric: str) -> dict[int, float]:
        """Return a metric by epoch; a step that was sent twice is an error of the sender."""
        rows = [json.loads(line) for line in self.runs[key]["history"]]
        steps = [row["_step"] for row in rows]
        assert steps == sorted(set(steps))
        return {row["epoch"]: row[metric] for row in rows if metric in row}


class Handler(http.server.BaseHTTPRequestHandler):
    """Replies to GraphQL and accepts files and streams."""

    protocol_version = "HTTP/1.1"
    state: WandbServer

    def handle_any(self) -> None:
        """Do what the test prescribes, or else reply normally."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.state.requests.append(f"{self.command} {self.path}")
        self.state.bodies.append(body.decode(errors="replace"))
        self._body = body
        if self.state.act:
            self.state.act(self)
        else:
            self.reply_normally()

    def reply_normally(self) -> None:
        """Reply as W&B does."""
        body = self._body
        if self.path == "/graphql":
            self.reply(200, {"data": self._data(json.loads(body))})
        else:
            if self.path.endswith("/file_stream"):
                self._store_stream(self.path.split("/")[-2], json.loads(body))
            self.reply(200, {})

    do_GET = do_POST = do_PUT = handle_any

    def _data(self, query: dict[str, Any]) -> dict[str, Any]:
        values = query["variables"]
        project = {"id": "P", "name": values.get("project"), "entity": {"id": "E", "name": "someone"}}
        match query["operationName"]:
            case "RunResumeStatus":
                return {"model": {**project, "bucket": self._bucket(values["name"])}}
            case "UpsertBucket":
                inserted = values["name"] not in self.state.runs
                run = self.state.runs.setdefault(values["name"], {"history": [], "summary": {}})
                run.update({name: value for name, value in values.items() if value is not None})
                bucket = {**self._bucket(values["name"]), "project": project}
                return {"upsertBucket": {"bucket": bucket, "inserted": inserted}}
            case "CreateRunFiles":
                files = [
                    {"name": name, "uploadUrl": f"{self.state.url}/upload/{name}"} for name in values["files"]
                ]
                return {"createRunFiles": {"runID": "B", "uploadHeaders": [], "files": files}}
        return {}

    def _bucket(self, key: str) -> Any:
        run = self.state.runs.get(key)
        if run is None:
            return None
        return {
            **{"id": "B", "name": key, "displayName": key, "config": run.get("config", "{}")},
            **{"summaryMetrics": json.dumps(run["summary"]), "historyLineCount": len(run["history"])},
            **{"historyTail": json.dumps(run["history"][-1:]), "eventsTail": "[]", "tags": []},
            **{"logLineCount": 0, "eventsLineCount": 0, "wandbConfig": '{"t": {"1": []}}'},
        }

    def _store_stream(self, key: str, stream: dict[str, Any]) -> None:
        run, files = self.state.runs[key], stream.get("files") or {}
        if history := files.get("wandb-history.jsonl"):
            run["history"][history["offset"] :] = history["content"]
        if summary := files.get("wandb-summary.json"):
            run["summary"] = json.loads(summary["content"][-1])
        if "complete" in stream:
            run["exit_code"] = stream.get("exitcode")
        if stream.get("preempting"):
            run["preempting"] = True

    def reply(self, status: int, values: Any = None) -> None:
        """Reply with JSON."""
        content = b"" if values is None else json.dumps(values).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def serving() -> Iterator[WandbServer]:
    """Serve until the block ends."""
    state = WandbServer()
    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("This", (Handler,), {"state": state}))
    listener.handle_error = lambda *_: None  # type: ignore[method-assign]
    state.url = f"http://127.0.0.1:{listener.server_address[1]}"
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield state
    state.released.set()
    listener.shutdown()
    listener.server_close()
    thread.join()


def failing(handler: Handler) -> None:
    """Reply with a server error."""
    handler.reply(500)


def refusing(handler: Handler) -> None:
    """Reply that the key is not valid, and quote it."""
    key = base64.b64decode(handler.headers["Authorization"].removeprefix("Basic ")).decode()
    handler.reply(401, {"errors": [{"message": f"no such key: {key}"}]})


def hanging(handler: Handler) -> None:
    """Never reply."""
    handler.close_connection = True
    handler.state.released.wait(HANG_S)
