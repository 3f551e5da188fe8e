"""A folder of pulled data sets, against a real server on loopback."""

import hashlib
import json
from pathlib import Path

import pytest

from data.catalogue import DataSet
from infra.downloads.download import DownloadError, DownloadLimits
from infra.downloads.pulled_data import DataFolder
from swarm.errors import InputError
from tests.file_server import left_in, serving

CONTENT = json.dumps({"dev": [{"question": "1 + 1?", "answer": "2"}], "test": []}).encode()
SHA256 = hashlib.sha256(CONTENT).hexdigest()
LIMITS = DownloadLimits(attempts=2, wait=0, timeout=5)


@pytest.fixture
def site():
    with serving(files={"/sums.json": CONTENT}) as site:
        yield site


@pytest.fixture
def place(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path)


def sums(site, **changes: object) -> DataSet:
    return DataSet.model_validate({"name": "sums", "kind": "exact_match", "url": f"{site.url}/sums.json", **changes})


def test_a_data_set_is_pulled_once(site, place):
    pulled = place.pull(sums(site, sha256=SHA256), limits=LIMITS)
    assert (pulled.path, pulled.sha256, pulled.size) == (place.folder / "sums.json", SHA256, len(CONTENT))
    assert (pulled.new, pulled.first_seen) == (True, False)
    again = place.pull(sums(site, sha256=SHA256), limits=LIMITS)
    assert (again.sha256, again.size, again.new) == (SHA256, len(CONTENT), False)
    assert len(site.asked) == 1


def test_bytes_that_no_catalogue_knows_are_remembered_and_checked_from_then_on(site, place):
    assert place.pull(sums(site), limits=LIMITS).first_seen
    locked = {"url": f"{site.url}/sums.json", "sha256": SHA256, "size": len(CONTENT)}
    assert json.loads((place.folder / "data.lock").read_text()) == {"sums": locked}
    (place.folder / "sums.json").unlink()
    site.files["/sums.json"] = b'[{"question": "1 + 1?", "answer": "3"}]'
    with pytest.raises(DownloadError, match=f"and not {SHA256}: it was changed, there or on the way"):
        place.pull(sums(site), limits=LIMITS)
    assert "sums.json" not in left_in(place.folder)
    site.files["/sums.json"] = CONTENT
    assert not place.pull(sums(site), limits=LIMITS).first_seen


def test_a_pull_killed_before_its_file_appeared_is_finished_by_the_next(site, place, monkeypatch):
    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("infra.downloads.download.publish_file", killed)
        with pytest.raises(KeyboardInterrupt):
            place.pull(sums(site), limits=LIMITS)
    assert place.status(sums(site)) is None
    assert place.pull(sums(site), limits=LIMITS).sha256 == SHA256
    assert place.status(sums(site)) == "pulled"
    assert len(site.asked) == 1


def test_the_status_says_what_is_there(site, place):
    path = place.folder / "sums.json"
    assert place.status(sums(site)) is None
    path.write_bytes(CONTENT)
    assert place.status(sums(site)) == "unknown"
    assert place.status(sums(site, sha256=SHA256)) == "pulled"
    assert place.status(sums(site, sha256="0" * 64)) == "changed"


@pytest.mark.parametrize(
    ("sha256", "reason"),
    [
        (None, "is there, and nothing says whether it is this data set"),
        ("0" * 64, "is there and holds something else than this data set"),
    ],
)
def test_a_file_that_is_there_is_never_replaced(site, place, sha256, reason):
    path = place.folder / "sums.json"
    path.write_bytes(CONTENT)
    with pytest.raises(InputError) as error:
        place.pull(sums(site, sha256=sha256), limits=LIMITS)
    assert str(error.value) == f"{path}: {reason}: move it away, or choose another --to"
    assert (path.read_bytes(), site.asked) == (CONTENT, [])


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"<html>Log in</html>", "is no JSON"), (b"[" * 100_000, "is no JSON"), (b"{}", "holds no examples")],
)
def test_a_page_that_is_no_data_set_is_not_kept(site, place, content, problem):
    site.files["/sums.json"] = content
    with pytest.raises(DownloadError) as error:
        place.pull(sums(site), limits=LIMITS)
    assert str(error.value) == f"{site.url}/sums.json: what came {problem}: look at the address in a browser"
    assert left_in(place.folder) == []


def test_a_data_set_without_a_file_says_why(place):
    with pytest.raises(InputError) as error:
        place.pull(DataSet(name="sums", kind="exact_match", note="it lives in a book"))
    assert str(error.value) == "data set 'sums' has no file to download (it lives in a book): make one of your own"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "file: Invalid JSON: EOF while parsing an object at line 1 column 1"),
        (
            '{"sums": {"url": "u", "sha256": "z", "size": 1}}',
            "sums.sha256: String should match pattern '^[0-9a-f]{64}$'",
        ),
        ('{"sums": {}}', "sums.url: Field required"),
    ],
)
def test_a_damaged_lock_file_is_named(site, place, text, reason):
    lock = place.folder / "data.lock"
    lock.write_text(text)
    with pytest.raises(InputError) as error:
        place.pull(sums(site), limits=LIMITS)
    assert str(error.value) == f"{lock}: can't be read as a lock file ({reason}): restore or remove it"
    assert site.asked == []


def test_entries_of_other_data_sets_stay_in_the_lock_file(site, place):
    site.files["/other.json"] = CONTENT
    place.pull(sums(site), limits=LIMITS)
    place.pull(sums(site, name="other", url=f"{site.url}/other.json"), limits=LIMITS)
    assert list(json.loads((place.folder / "data.lock").read_text())) == ["other", "sums"]
