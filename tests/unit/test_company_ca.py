from __future__ import annotations

from pathlib import Path

import certifi
import pytest

from stageproof.catalog import Catalog
from stageproof.engine import bake, ca
from stageproof.errors import UsageError

BODY = "QUJD" * 80


def pem(body: str = BODY) -> str:
    lines = "\n".join(body[start : start + 64] for start in range(0, len(body), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "company.pem"
    path.write_text(Path(certifi.where()).read_text() + pem())
    return path


def test_the_option_comes_before_the_project_s_variable_and_that_before_the_host_s(bundle: Path) -> None:
    host = {"SSL_CERT_FILE": str(bundle)}
    own = host | {ca.VARIABLE: str(bundle)}
    assert ca.find(str(bundle), own) == ca.CompanyCa(bundle, "--ca-file")
    assert ca.find(None, own) == ca.CompanyCa(bundle, ca.VARIABLE)
    assert ca.find(None, host) == ca.CompanyCa(bundle, "SSL_CERT_FILE")
    assert ca.find(None, {}) is None


def test_a_host_variable_that_names_nothing_is_passed_over() -> None:
    assert ca.find(None, {"SSL_CERT_FILE": "/nowhere"}) is None


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_option_that_names_no_bundle_is_an_error(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "x.pem"
    if content:
        path.write_text(content)
    with pytest.raises(UsageError, match="--ca-file names a file"):
        ca.find(str(path), {})


def test_only_the_company_s_own_certificates_are_looked_for(bundle: Path) -> None:
    needles = ca.needles(ca.CompanyCa(bundle, "a test"))
    assert len(needles) == 2
    assert all(needle in BODY.encode() or needle in b"ABC" * 80 for needle in needles)
    assert not any(needle in Path(certifi.where()).read_bytes() for needle in needles)


def test_the_user_s_proxy_reaches_the_builds_as_the_builder_s_own_arguments(
    project: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://somebody:p4ssw0rd@proxy:3128")
    added = bake.additions(project, project.select("go", "plain"), bake.Additions())
    assert added["target"]["go-plain"]["args"]["HTTPS_PROXY"] == "${HTTPS_PROXY}"
    assert "HTTPS_PROXY" in added["variable"]
    assert bake.proxies()["HTTPS_PROXY"] == "http://somebody:p4ssw0rd@proxy:3128"
    assert "p4ssw0rd" not in bake.text(added), "it is written to a file"
