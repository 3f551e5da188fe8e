"""Task results on another machine's storage: a real S3 protocol, spoken by a server on loopback."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

from swarm.errors import InputError
from tests.flows.searches import Searched, call, finished
from tests.security.planted_results import PAYLOADS

BUCKET = "swarm-results"
PROBE = "team/swarm-may-write-here"
"""Written anew by every run."""


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of an S3 server with an empty bucket, which the environment names as a person's would."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "hunter2canary",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    S3FileSystem.clear_instance_cache()
    yield client
    client.close()
    S3FileSystem.clear_instance_cache()
    server.stop()


def keys(s3: Any) -> set[str]:
    return {entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix="team/").get("Contents", [])}


def test_results_are_kept_in_a_bucket_and_what_is_planted_there_is_replaced(
    searched: Searched, runs: Path, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWARM_RESULTS", f"s3://{BUCKET}/team")
    assert call(searched.config).result()["state_sha256"] == searched.summary["state_sha256"]
    kept = keys(s3)
    assert {"team/evaluate", "team/initialise_swarm", "team/track_best"} <= {key.rsplit("/", 2)[0] for key in kept}
    assert not (runs / ".swarm" / "results").exists()

    planted = {
        next(key for key in sorted(kept) if "/track_best/" in key): b'{"metadata": {',
        next(key for key in sorted(kept) if "/merge/" in key): b"",
        next(key for key in sorted(kept) if "/check_early_stop/" in key): PAYLOADS["cloudpickle"](tmp_path / "marker"),
    }
    for key, content in planted.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    before = {key: s3.head_object(Bucket=BUCKET, Key=key)["LastModified"] for key in kept - planted.keys() - {PROBE}}
    assert call(searched.again()).result()["state_sha256"] == searched.summary["state_sha256"]
    assert {key: s3.head_object(Bucket=BUCKET, Key=key)["LastModified"] for key in before} == before
    assert not (tmp_path / "marker").exists()
    for key, content in planted.items():
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() != content
    log = (runs / "again" / "run.log").read_text().splitlines()
    assert sum(line.endswith("it was not used, and is replaced") for line in log) == len(planted)
    assert finished(runs) == finished(searched.runs)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://no-such-bucket/team", "check the URL and the storage's own environment variables"),
        ("nowhere://team", "check the URL and the storage's own environment variables"),
    ],
)
def test_where_nothing_can_be_written_is_said_before_the_search(
    searched: Searched, runs: Path, s3: Any, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    monkeypatch.setenv("SWARM_RESULTS", url)
    with pytest.raises(InputError) as refused:
        call(searched.config).result()
    message = str(refused.value)
    assert message.startswith(f"SWARM_RESULTS: {url}: results can't be written there (")
    assert message.endswith(said)
    assert "\n" not in message
    assert "hunter2canary" not in message
    assert not runs.exists()
