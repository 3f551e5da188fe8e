"""What other installed packages add to this project by entry points, and what of it can't be used."""

import sys
from contextlib import redirect_stdout

from cli.machine.check import Check
from data.plugins import Entry


def plugin_checks() -> list[Check]:
    """Return a check an entry point, or one that says that there is none; plugins are imported to see if they work."""
    with redirect_stdout(sys.stderr):  # what a plugin prints as it is imported is no part of the result
        groups = plugin_entries()
    checks = [_check(group, entry) for group, entries in groups.items() for entry in entries]
    return checks or [Check("plugins", "ok", "none installed")]


def plugin_entries() -> dict[str, list[Entry]]:
    """Return the entry points of every group."""
    from data.kinds.registry import KIND_PLUGINS, kind_entries
    from flows.searches import SEARCH_PLUGINS, search_entries
    from infra.configs.trackers import TRACKER_PLUGINS
    from infra.engines.config import ENGINE_PLUGINS
    from infra.engines.kinds import engine_entries
    from infra.observing.trackers.registry import tracker_entries

    return {
        SEARCH_PLUGINS.group: search_entries(),
        ENGINE_PLUGINS.group: engine_entries(),
        KIND_PLUGINS.group: kind_entries(),
        TRACKER_PLUGINS.group: tracker_entries(),
    }


def _check(group: str, entry: Entry) -> Check:
    name, found = f"plugin: {entry.name}", f"{group} of {entry.origin}"
    if entry.problem is None:
        return Check(name, "ok", found)
    return Check(name, "optional", f"{found}: {entry.problem}", entry.remedy)
