"""Reports and examples of a recorded run, as `swarm report` and `swarm history --example` make them."""

from pathlib import Path

from data.examples import Split
from experts.files import publish_text
from flows.searches import SEARCHES
from infra.records.store import Records
from infra.report.asked_examples import AskedExample, AskedExamples


def write_report(records: Records, run: str, path: Path) -> None:
    """Write the report of `run` to `path`."""
    publish_text(path, SEARCHES.of(records.run(run)).report(records, run))


def asked_examples(records: Records, run: str, split: Split) -> AskedExamples:
    """Return the examples of `split` that the starting best and the best of `run` were asked."""
    record = records.run(run)
    return AskedExamples(records, record, split, SEARCHES.of(record).finalists(records, record, split))


def first_examples(records: Records, run: str) -> list[AskedExample]:
    """Return the examples that a report of `run` shows."""
    record = records.run(run)
    return SEARCHES.of(record).examples(records, record)
