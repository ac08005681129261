"""A signed Debian archive of a few packages, and a host whose apt is configured for it: the real apt, the real gpg."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

SUITES = ("trixie", "trixie-updates", "trixie-security")
SIGNED = datetime(2026, 11, 20, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Key:
    """A key pair of gpg's, in a folder of its own."""

    folder: Path

    @property
    def public(self) -> Path:
        return self.folder / "public.gpg"

    def sign(self, text: str) -> bytes:
        return self.gpg("--clearsign", text=text)

    def gpg(self, *arguments: str, text: str = "") -> bytes:
        command = ["gpg", "--homedir", str(self.folder), "--batch", "--quiet", "--passphrase", "", *arguments]
        return subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout


@pytest.fixture(scope="session")
def keys() -> Iterator[tuple[Key, Key]]:
    """Give the archive's key, and a stranger's."""
    if shutil.which("apt-get") is None or shutil.which("gpg") is None:
        pytest.skip("apt and gpg are not on this host")
    # Short, and not pytest's own: the agent's socket lies in it.
    made = [Key(Path(tempfile.mkdtemp(prefix="gpg-"))) for _ in range(2)]
    for key in made:
        key.gpg("--quick-generate-key", "archive", "ed25519", "sign", "never")
        key.public.write_bytes(key.gpg("--export"))
        key.folder.chmod(0o755)  # apt's sandbox reads the key
        key.public.chmod(0o644)
    yield made[0], made[1]
    for key in made:
        subprocess.run(["gpgconf", "--homedir", str(key.folder), "--kill", "all"], check=True)
        shutil.rmtree(key.folder)


@dataclass(frozen=True)
class Archive:
    """A Debian archive: the releases, and the security suite beside them."""

    folder: Path
    key: Key
    host: Path
    """The folder of the host's configuration."""

    def publish(
        self,
        *,
        key: Key | None = None,
        codename: str = "",
        until: timedelta | None = None,
        **suites: Mapping[str, str],
    ) -> None:
        """Write all suites; `trixie_security={"openssl": "3"}` are packages and versions of one; `key` signs."""
        for suite in SUITES:
            packages = suites.get(suite.replace("-", "_"), {})
            text = "".join(
                f"Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: x\n"
                f"Filename: {name}.deb\nSize: 1\nSHA256: {'0' * 64}\n\n"
                for name, version in packages.items()
            )
            folder = self.folder / ("debian-security" if suite.endswith("-security") else "debian") / "dists" / suite
            (folder / "main/binary-amd64").mkdir(parents=True, exist_ok=True)
            (folder / "main/binary-amd64/Packages").write_text(text)
            digest = hashlib.sha256(text.encode()).hexdigest()
            valid = f"Valid-Until: {format_datetime(SIGNED + until)}\n" if until is not None else ""
            release = (
                f"Origin: Debian\nLabel: Debian\nSuite: {codename or suite}\nCodename: {codename or suite}\n"
                f"Date: {format_datetime(SIGNED)}\n{valid}Architectures: amd64\nComponents: main\n"
                f"SHA256:\n {digest} {len(text)} main/binary-amd64/Packages\n"
            )
            (folder / "InRelease").write_bytes((key or self.key).sign(release))

    def configure(self, address: str = "", *, security: str = "stable-security", more: str = "") -> None:
        """Configure the host's apt for this archive, by files or at an address; `more` is of its apt.conf."""
        address = address or f"file:{self.folder}"
        (self.host / "sources.d").mkdir(parents=True, exist_ok=True)
        places = (("debian", "stable stable-updates"), ("debian-security", security))
        stanzas = [
            f"Types: deb\nURIs: {address}/{place}\nSuites: {names}\nComponents: main\nSigned-By: {self.key.public}\n"
            for place, names in places
        ]
        (self.host / "sources.d/debian.sources").write_text("# the host's own\n\n" + "\n".join(stanzas))
        (self.host / "apt.conf").write_text(
            f'Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "{self.host}/sources.d";\n{more}\n'
        )


@pytest.fixture
def archive(keys: tuple[Key, Key], monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    """Give an archive with nothing published; this test's apt is configured for it, and its cache is its own."""
    # Not pytest's own folder: apt's sandbox may not enter that.
    with tempfile.TemporaryDirectory(prefix="archive-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        monkeypatch.setenv("APT_CONFIG", str(folder / "host/apt.conf"))
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        for proxy in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.delenv(proxy, raising=False)
            monkeypatch.delenv(proxy.upper(), raising=False)
        made = Archive(folder, keys[0], folder / "host")
        made.configure()
        made.publish()
        yield made


@pytest.fixture
def stranger(keys: tuple[Key, Key]) -> Key:
    """Give a key that the host does not know."""
    return keys[1]
