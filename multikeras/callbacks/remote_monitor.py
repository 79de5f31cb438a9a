"""`RemoteMonitor`: sends the logs of every epoch to a server."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
import warnings
from typing import Any

import numpy as np

from multikeras.callbacks.callback import Callback

_TIMEOUT_SECONDS = 10.0


class RemoteMonitor(Callback):
    """Sends `{"epoch": ..., <logs>}` to a server by HTTP POST after each epoch.

    A server that can't be reached makes a warning, and training goes on.

    Args:
        root: address of the server. Defaults to "http://localhost:9000".
        path: path on the server. Defaults to "/publish/epoch/end/".
        field: name of the form field that holds the JSON. Defaults to "data".
        headers: further HTTP headers.
        send_as_json: whether the JSON is the body itself. Defaults to False.

    Example:
        >>> monitor = RemoteMonitor(root="http://localhost:9000")
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        send: dict[str, Any] = {"epoch": epoch}
        for name, value in (logs or {}).items():
            send[name] = np.asarray(value).tolist() if hasattr(value, "dtype") else value
        text = json.dumps(send)
        if self.send_as_json:
            body, kind = text.encode(), "application/json"
        else:
            body = urllib.parse.urlencode({self.field: text}).encode()
            kind = "application/x-www-form-urlencoded"
        request = urllib.request.Request(
            self.root + self.path, body, {"Content-Type": kind, **(self.headers or {})}
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS):
                pass
        except (urllib.error.URLError, OSError) as error:
            warnings.warn(f"RemoteMonitor: could not reach {self.root}: {error}.", stacklevel=2)
