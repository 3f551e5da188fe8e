"""Files that run code, or import modules by name, when Prefect reads them as the result of a task."""

import base64
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

MODULE = "planted_module"
"""A module that is found while a test runs; whoever imports it leaves the marker."""

Payload = Callable[[Path], bytes]
"""Makes a file that leaves a marker when it is obeyed."""


def write_module(folder: Path, marker: Path) -> None:
    """Write `MODULE` into `folder`."""
    lines = ["import pathlib", f"pathlib.Path({str(marker)!r}).touch()", "class Planted(Exception): pass", ""]
    (folder / f"{MODULE}.py").write_text("\n".join([*lines, "def decode(value): return value", ""]))


def _pickled(marker: Path) -> bytes:
    """A pickle by hand: `os.system("touch MARKER")`."""
    return f"cos\nsystem\n(S'touch {marker}'\ntR.".encode()


def _record(serializer: dict[str, Any], result: str) -> bytes:
    return json.dumps({"metadata": {"serializer": serializer}, "result": result}).encode()


def _base64(content: bytes) -> str:
    return base64.encodebytes(content).decode()


OBEYED: dict[str, Payload] = {
    "cloudpickle": lambda marker: _record({"type": "pickle"}, _base64(_pickled(marker))),
    "pickle": lambda marker: _record({"type": "pickle", "picklelib": "pickle"}, _base64(_pickled(marker))),
    "compressed pickle": lambda marker: _record(
        {"type": "compressed/pickle", "compressionlib": "zlib"},
        _base64(zlib.compress(_base64(_pickled(marker)).encode())),
    ),
    "compressed, of a pickle": lambda marker: _record(
        {"type": "compressed", "compressionlib": "zlib", "serializer": {"type": "pickle"}},
        _base64(zlib.compress(_base64(_pickled(marker)).encode())),
    ),
    "earlier form of a pickle": lambda marker: json.dumps(
        {"serializer": {"type": "pickle"}, "data": _base64(_pickled(marker)), "prefect_version": "2.20"}
    ).encode(),
    "class by its name": lambda marker: _record(
        {"type": "json"}, json.dumps({"__class__": f"{MODULE}.Planted", "data": {}})
    ),
    "exception by its name": lambda marker: _record(
        {"type": "json"}, json.dumps({"__exc_type__": f"{MODULE}.Planted", "message": ""})
    ),
    "decoder by its name": lambda marker: _record(
        {"type": "json", "object_decoder": f"{MODULE}.decode"}, json.dumps({"a": 1})
    ),
    "library by its name": lambda marker: _record({"type": "json", "jsonlib": MODULE}, "{}"),
}
"""What Prefect's own storage obeys."""

PAYLOADS: dict[str, Payload] = {
    **OBEYED,
    "bare pickle": _pickled,
    "unknown serializer": lambda marker: _record({"type": "exotic"}, "{}"),
    "our own, with a class by its name": lambda marker: _record(
        {"type": "model-swarms"}, json.dumps({"__class__": f"{MODULE}.Planted", "data": {}})
    ),
    "nothing": lambda marker: b"",
    "half a file": lambda marker: b'{"metadata": {"serial',
    "no text": lambda marker: b"\x00\xff\xfe",
    "deep": lambda marker: b"[" * 100_000,
}
"""Those, and what is no result at all."""
