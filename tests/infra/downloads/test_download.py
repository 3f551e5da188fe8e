"""Downloads, against a real server on loopback."""

import fcntl
import hashlib
import signal
import ssl
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from infra.downloads.download import DownloadError, DownloadLimits, DownloadResult, download
from infra.downloads.http import is_allowed
from swarm.errors import InputError
from tests.file_server import left_in, serving

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
LIMITS = DownloadLimits(attempts=3, wait=0, timeout=5)
FILE = "/set.json"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "set.json"


def failing(*arguments, **named) -> str:
    with pytest.raises(DownloadError) as error:
        download(*arguments, **{"limits": LIMITS, **named})
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_file_arrives_whole_and_nothing_else_is_left(target):
    told = []
    with serving(files={FILE: CONTENT}) as site:
        done = download(site.url + FILE, target, SHA256, report=lambda *state: told.append(state))
    assert done == DownloadResult(SHA256, len(CONTENT), resumed=0)
    assert target.read_bytes() == CONTENT
    assert left_in(target.parent) == ["set.json"]
    assert told[-1] == (256, 256, "kB")


@pytest.mark.parametrize(("sha256", "etag"), [(SHA256, None), (None, '"one"')])
def test_a_broken_download_is_continued_within_one_call(target, sha256, etag):
    with serving(files={FILE: CONTENT}, breaks=[1000, 5000], etag=etag) as site:
        done = download(site.url + FILE, target, sha256, limits=LIMITS)
    assert site.asked == [(FILE, None), (FILE, "bytes=1000-"), (FILE, "bytes=6000-")]
    assert done == DownloadResult(SHA256, len(CONTENT), resumed=6000)
    assert target.read_bytes() == CONTENT


def test_the_next_call_continues_where_the_last_gave_up(target):
    with serving(files={FILE: CONTENT}, breaks=[1000, 0, 0, 0]) as site:
        assert failing(site.url + FILE, target) == (
            f"{site.url}/set.json: it broke off after 1000 of 256000 bytes; given up after 3 attempts: "
            "run the command again to continue"
        )
        assert not target.exists()
        assert left_in(target.parent) == [".set.json.part", ".set.json.part.json"]
        site.breaks.clear()
        done = download(site.url + FILE, target, limits=LIMITS)
    assert site.asked[-1] == (FILE, "bytes=1000-")
    assert done.resumed == 1000
    assert target.read_bytes() == CONTENT
    assert left_in(target.parent) == ["set.json"]


def test_a_part_of_a_version_that_nothing_names_is_not_continued(target):
    with serving(files={FILE: CONTENT}, breaks=[1000], etag=None) as site:
        assert download(site.url + FILE, target, limits=LIMITS).resumed == 0
    assert site.asked == [(FILE, None), (FILE, None)]
    assert target.read_bytes() == CONTENT


def test_a_file_that_changed_since_is_read_from_its_start(target):
    changed = b"new" * 1000
    with serving(files={FILE: CONTENT}, breaks=[1000, 0, 0]) as site:
        failing(site.url + FILE, target)
        site.files[FILE], site.etag = changed, '"two"'
        assert download(site.url + FILE, target, limits=LIMITS).resumed == 0
    assert target.read_bytes() == changed


def test_a_part_of_another_address_is_not_continued(target):
    other = b"other" * 1000
    with serving(files={FILE: CONTENT, "/other": other}, breaks=[1000, 0, 0]) as site:
        failing(site.url + FILE, target)
        download(site.url + "/other", target, limits=LIMITS)
    assert site.asked[-1] == ("/other", None)
    assert target.read_bytes() == other


def test_a_server_without_ranges_is_asked_for_everything_again(target):
    with serving(files={FILE: CONTENT}, breaks=[1000], ranges=False) as site:
        assert download(site.url + FILE, target, SHA256, limits=LIMITS).resumed == 0
    assert site.asked == [(FILE, None), (FILE, "bytes=1000-")]
    assert target.read_bytes() == CONTENT


def test_a_damaged_part_is_thrown_away_once_the_checksum_shows_it(target):
    target.parent.mkdir()
    part = target.with_name(".set.json.part")
    part.write_bytes(b"x" * 1000)
    with serving(files={FILE: CONTENT}) as site:
        assert download(site.url + FILE, target, SHA256, limits=LIMITS).resumed == 0
        assert site.asked == [(FILE, "bytes=1000-"), (FILE, None)]
        target.unlink()
        part.write_bytes(CONTENT + b"too long")
        download(site.url + FILE, target, SHA256, limits=LIMITS)
    assert target.read_bytes() == CONTENT


def test_a_part_that_is_whole_is_published_without_asking(target):
    target.parent.mkdir()
    target.with_name(".set.json.part").write_bytes(CONTENT)
    with serving() as site:
        assert download(site.url + FILE, target, SHA256, limits=LIMITS).resumed == len(CONTENT)
    assert site.asked == []
    assert left_in(target.parent) == ["set.json"]


def test_a_wrong_checksum_leaves_nothing_and_keeps_what_was_there(target):
    target.parent.mkdir()
    target.write_bytes(b"old")
    with serving(files={FILE: CONTENT}) as site:
        message = failing(site.url + FILE, target, "0" * 64)
    assert message == (
        f"{site.url}/set.json: its SHA-256 is {SHA256} and not {'0' * 64}: "
        "it was changed, there or on the way: don't use it"
    )
    assert len(site.asked) == 1
    assert target.read_bytes() == b"old"
    assert left_in(target.parent) == ["set.json"]


def test_what_a_check_refuses_is_not_published(target):
    with serving(files={FILE: b"<html>log in</html>"}) as site:
        message = failing(site.url + FILE, target, check=lambda path: f"is {path.stat().st_size} bytes of HTML")
    assert message == f"{site.url}/set.json: what came is 19 bytes of HTML: look at the address in a browser"
    assert left_in(target.parent) == []


def test_a_missing_file_is_asked_for_once(target):
    with serving() as site:
        message = failing(site.url + FILE, target)
    assert message == (
        f"{site.url}/set.json: the server answers 404 (Not Found): check the address, and whether it asks for a login"
    )
    assert len(site.asked) == 1
    assert left_in(target.parent) == []


def test_a_killed_download_is_continued_and_never_taken_for_whole(target):
    script = "import sys, pathlib, infra.downloads.download as d; d.download(sys.argv[1], pathlib.Path(sys.argv[2]))"
    part = target.with_name(".set.json.part")
    with serving(files={FILE: CONTENT}, stalls_after=100_000) as site:
        with subprocess.Popen([sys.executable, "-c", script, site.url + FILE, str(target)]) as child:
            while child.poll() is None and not (part.exists() and part.stat().st_size):
                time.sleep(0.01)
            child.kill()
        assert child.returncode == -signal.SIGKILL
        there = part.stat().st_size
        assert 0 < there <= 100_000
        assert not target.exists()
        site.stalls_after = None
        assert download(site.url + FILE, target, limits=LIMITS).resumed == there
    assert target.read_bytes() == CONTENT
    assert left_in(target.parent) == ["set.json"]


def test_a_silent_server_is_given_up(target):
    with serving(files={FILE: CONTENT}, stalls_after=0) as site:
        message = failing(site.url + FILE, target, limits=replace(LIMITS, timeout=0.05))
    assert "the connection failed (timed out); given up after 3 attempts" in message


def test_a_busy_server_is_asked_again_and_then_given_up(target):
    with serving(files={FILE: CONTENT}, statuses=[503, 429]) as site:
        download(site.url + FILE, target, limits=LIMITS)
        assert len(site.asked) == 3
        site.statuses += [500, 502, 503]
        message = failing(site.url + FILE, target)
    assert message.endswith("(Service Unavailable); given up after 3 attempts: run the command again to continue")


def test_a_lost_connection_to_the_server_keeps_the_part(target):
    with serving(files={FILE: CONTENT}, breaks=[1000, 0, 0]) as site:
        failing(site.url + FILE, target)
    assert "the connection failed (Connection refused)" in failing(site.url + FILE, target)
    assert target.with_name(".set.json.part").stat().st_size == 1000


@pytest.mark.parametrize(
    "away", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://192.0.2.1/x", "data:,x", "https://[/x", "//user@a/x"]
)
def test_a_redirection_away_from_https_is_refused(target, away):
    with serving(redirects={FILE: away}) as site:
        message = failing(site.url + FILE, target)
    assert message.startswith(f"{site.url}/set.json: it is redirected to '")
    assert message.endswith("', which is not https")
    assert left_in(target.parent) == []


def test_a_redirection_on_this_machine_is_followed_and_a_circle_is_not(target):
    with serving(files={"/there": CONTENT}, redirects={FILE: "/there", "/circle": "/circle"}) as site:
        download(site.url + FILE, target, SHA256, limits=LIMITS)
        assert target.read_bytes() == CONTENT
        assert failing(site.url + "/circle", target).endswith(
            "/circle: it is redirected in a circle, or to nowhere: check the address"
        )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A certificate of 127.0.0.1 that nobody signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
    host = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = builder.add_extension(host, critical=False).sign(key, hashes.SHA256())
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(signed.public_bytes(Encoding.PEM) + secret)
    return path


@pytest.fixture
def tls(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_server_that_cannot_prove_who_it_is_is_refused_at_once(target, tls):
    with serving(tls, files={FILE: CONTENT}) as site:
        message = failing(site.url + FILE, target, SHA256)
    assert message == (
        f"{site.url}/set.json: the server's certificate is not valid (self-signed certificate): "
        "don't trust what it sends"
    )
    assert site.asked == []


def test_https_is_never_left_for_http_even_on_this_machine(target, tls, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(files={FILE: CONTENT}) as plain, serving(tls, files={FILE: CONTENT}) as site:
        site.redirects = {"/away": plain.url + FILE, "/here": FILE}
        assert failing(site.url + "/away", target).endswith("', which is not https")
        download(site.url + "/here", target, SHA256, limits=LIMITS)
    assert plain.asked == []
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("length", [True, False])
def test_a_file_larger_than_allowed_is_refused(target, length):
    with serving(files={FILE: CONTENT}, length=length) as site:
        message = failing(site.url + FILE, target, SHA256, limits=replace(LIMITS, most_bytes=1000))
    assert message == f"{site.url}/set.json: it has more than the 1000 bytes that are allowed"
    assert left_in(target.parent) == []


def test_a_file_of_unknown_length_counts_only_with_its_checksum(target):
    with serving(files={FILE: CONTENT}, length=False) as site:
        assert "does not say how long it is" in failing(site.url + FILE, target)
        assert download(site.url + FILE, target, SHA256, limits=LIMITS).size == len(CONTENT)


@pytest.mark.parametrize("end", [5000, -5])
def test_a_file_in_chunks_is_whole_with_its_last_chunk_only(target, end):
    with serving(files={FILE: CONTENT}, chunked=True, ranges=False, breaks=[end] * 3) as site:
        assert "the connection failed" in failing(site.url + FILE, target)
        assert not target.exists()
        assert download(site.url + FILE, target, limits=LIMITS).sha256 == SHA256


def test_two_processes_do_not_download_one_file(target):
    target.parent.mkdir()
    with serving(files={FILE: CONTENT}) as site, target.with_name(".set.json.part").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another process is downloading it: wait for it to end"):
            download(site.url + FILE, target, limits=LIMITS)
    assert site.asked == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=f"^cannot write {tmp_path}/file/set.json: "):
        download("https://127.0.0.1/x", tmp_path / "file" / "set.json")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://example.org/x", True),
        ("http://127.0.0.1:80/x", True),
        ("http://[::1]/x", True),
        ("http://localhost/x", True),
        ("http://example.org/x", False),
        ("http://localhost.example.org/x", False),
        ("http://127.0.0.1@example.org/x", False),
        ("https://user:word@example.org/x", False),
        ("file:///etc/passwd", False),
        ("ftp://example.org/x", False),
        ("https:///x", False),
        ("https://[/x", False),
        ("owner/name", False),
    ],
)
def test_only_https_and_this_machine_are_asked(url, allowed, tmp_path):
    assert is_allowed(url) == allowed
    if not allowed:
        with pytest.raises(InputError) as error:
            download(url, tmp_path / "x")
        assert str(error.value) == f"{url}: is not an https address: give one that begins with https://"
