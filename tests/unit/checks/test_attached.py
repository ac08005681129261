"""SBOM, provenance and signatures beside an image: right ones pass, and every wrong one is told."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stageproof import order
from stageproof.checks import load
from stageproof.checks.subject import Subject
from stageproof.contract import Contract
from stageproof.errors import CatalogError
from stageproof.image import Image, Limits, Needles
from stageproof.image import load as read_of_engine
from stageproof.image.attestations import Attached, Attachment
from stageproof.model import Claim, Finding, Verdict
from tests.unit.checks import attested
from tests.unit.checks.attested import CYCLONEDX, KEYS, SPDX, V02, V1, Attested, Key, cyclonedx, spdx
from tests.unit.conftest import elf, file, tar
from tests.unit.image.layouts import BUNDLE, ENVELOPE, IN_TOTO, SIMPLE_SIGNING, Signed, config_of, digest, statement

if TYPE_CHECKING:
    from tests.unit.conftest import Images

CANARY = "canary-9f2d41c8"
TZDATA = ("tzdata", "2026a-1")
OTHER = f"sha256:{'1' * 64}"


def decide(claim: str, image: Image, canary: str = "", **parameters: Any) -> Finding:
    return load(claim).check(Subject(image, canary=canary), **parameters)


def verdict(claim: str, image: Image, **parameters: Any) -> Verdict:
    return decide(claim, image, **parameters).verdict


def seen(finding: Finding) -> str:
    return "\n".join(each.text for each in finding.evidence)


@pytest.fixture
def it(tmp_path: Path) -> Attested:
    """Give an image to attach something to."""
    return Attested(tmp_path)


# --- sbom-attached


@pytest.mark.parametrize(("kind", "make"), [(SPDX, spdx), (CYCLONEDX, cyclonedx), (f"{CYCLONEDX}/v1.6", cyclonedx)])
def test_an_sbom_that_lists_what_the_image_holds_is_one(it: Attested, kind: str, make: Callable[..., object]) -> None:
    finding = decide("sbom-attached", it.state(kind, make(TZDATA, ("other", "1"))).image())
    assert (finding.verdict, seen(finding)) == (Verdict.PASS, "")
    assert "1 of the 1 packages" in finding.message


def test_folder_tar_and_standard_input_give_the_same_attestations(it: Attested, tmp_path: Path) -> None:
    folder = it.state(SPDX, spdx(TZDATA)).write()
    archive = tmp_path / "layout.tar"
    archive.write_bytes(it.layout.tar())
    one = attested.read(folder, tmp_path / "1")
    two = attested.read(archive, tmp_path / "2")
    three = attested.read("-", tmp_path / "3", stdin=io.BytesIO(it.layout.tar()))
    assert one.attached == two.attached == three.attached
    assert verdict("sbom-attached", one) is Verdict.PASS


@pytest.mark.parametrize(
    ("packages", "told"),
    [
        ([], "lists no package"),
        ([("curl", "8.1")], "lists curl 8.1"),
        ([("tzdata", "2020a-1")], "the image holds tzdata 2026a-1"),
    ],
)
def test_an_empty_sbom_and_one_of_another_image_fail(it: Attested, packages: list[Any], told: str) -> None:
    finding = decide("sbom-attached", it.state(SPDX, spdx(*packages)).image())
    assert finding.verdict is Verdict.FAIL
    assert told in seen(finding)


@pytest.mark.parametrize(
    ("subjects", "told"), [([], "is about nothing (BuildKit names the image only"), ([OTHER], f"is about {OTHER}")]
)
def test_an_sbom_about_nothing_or_about_another_image_fails(it: Attested, subjects: list[str], told: str) -> None:
    image = it.attach(statement(SPDX, spdx(TZDATA), *subjects)).image()
    finding = decide("sbom-attached", image)
    assert finding.verdict is Verdict.FAIL
    assert told in seen(finding)
    assert it.digest in seen(finding)


def test_a_layout_without_an_sbom_fails(it: Attested) -> None:
    finding = decide("sbom-attached", it.state(V02, attested.provenance_v02("max")).image())
    assert (finding.verdict, seen(finding)) == (Verdict.FAIL, "none is attached")


def test_the_sbom_of_another_platform_is_not_this_images(it: Attested) -> None:
    other = it.layout.image(*it.layers, architecture="s390x")
    it.beside += [other, it.layout.attest(other, statement(SPDX, spdx(TZDATA), other["digest"]))]
    image = attested.read(it.write(), it.folder / "cache", platform="linux/amd64")
    assert verdict("sbom-attached", image) is Verdict.FAIL


def test_without_packages_to_compare_with_an_sbom_stays_open(tmp_path: Path) -> None:
    it = Attested(tmp_path, layers=(tar([file("app/run", elf(), 0o755)]),))
    finding = decide("sbom-attached", it.state(SPDX, spdx(TZDATA)).image())
    assert finding.verdict is Verdict.UNKNOWN
    assert "no package is installed" in seen(finding)


def test_an_sbom_that_cosign_attached_is_one_too(it: Attested) -> None:
    payload = statement(SPDX, spdx(TZDATA), it.digest)
    signed = json.dumps(attested.envelope(attested.p256(), payload)).encode()
    assert verdict("sbom-attached", it.attach(signed, kind=ENVELOPE).image()) is Verdict.PASS


def test_names_with_a_group_or_a_scope_are_compared_as_tools_write_them(it: Attested, images: Images) -> None:
    about = json.dumps({"name": "@fastify/ajv", "version": "4.0.0"}).encode()
    layer = tar([images.file("app/node_modules/@fastify/ajv/package.json", about), file("app/run", elf(), 0o755)])
    for component in ({"group": "@fastify", "name": "ajv"}, {"name": "@fastify/ajv"}, {"name": "ajv"}):
        made = replace(it, layers=(layer,), beside=[]).state(
            CYCLONEDX, {"components": [{**component, "version": "4.0.0"}]}
        )
        assert verdict("sbom-attached", made.image()) is Verdict.PASS


# --- what is malformed, or not there

RUBBISH = {
    "is no JSON": b"{nothing",
    "is no JSON: ": b'{"a":' * 100_000,
    "has no object where one has to be": b"[1]",
    "is no in-toto statement": b'{"_type": "x"}',
    "has no list of subjects": b'{"_type": "https://in-toto.io/Statement/v1", "predicateType": "x", "subject": {}}',
    "no predicateType": b'{"_type": "https://in-toto.io/Statement/v1", "subject": []}',
    "one has to be: subject": b'{"_type": "https://in-toto.io/Statement/v1", "predicateType": "x", "subject": [3]}',
    "one has to be: predicate": b'{"_type":"https://in-toto.io/Statement/v1","predicateType":"x","subject":[],'
    b'"predicate":[1]}',
}


@pytest.mark.parametrize("claim", ["sbom-attached", "provenance-attached"])
@pytest.mark.parametrize("told", RUBBISH)
def test_a_malformed_statement_is_a_finding_also_beside_a_good_one(it: Attested, claim: str, told: str) -> None:
    it.state(SPDX, spdx(TZDATA)).state(V02, attested.provenance_v02("max"))
    finding = decide(claim, it.attach(RUBBISH[told]).image())
    assert finding.verdict is Verdict.FAIL
    assert told in seen(finding)


def drop(it: Attested, data: bytes) -> None:
    del it.layout.blobs[digest(data)]


def change(it: Attested, data: bytes) -> None:
    it.layout.blobs[digest(data)] = b'{"other": 1}'


@pytest.mark.parametrize(
    ("damage", "told"), [(drop, "is named, and not there"), (change, "has another content than its digest says")]
)
@pytest.mark.parametrize("form", ["folder", "stream"])
def test_an_attestation_that_is_not_what_its_digest_says_fails(
    it: Attested, damage: Callable[[Attested, bytes], None], told: str, form: str
) -> None:
    good = statement(SPDX, spdx(TZDATA), it.digest)
    it.attach(good)
    damage(it, good)
    folder = it.write()
    given = {"stdin": io.BytesIO(it.layout.tar())} if form == "stream" else {}
    finding = decide("sbom-attached", attested.read("-" if given else folder, it.folder / "cache", **given))
    assert finding.verdict is Verdict.FAIL
    assert told in seen(finding)


def test_a_manifest_of_attestations_that_is_not_there_fails(it: Attested) -> None:
    it.state(SPDX, spdx(TZDATA))
    del it.layout.blobs[it.beside[0]["digest"].removeprefix("sha256:")]
    assert "is named, and not there" in seen(decide("sbom-attached", it.image()))


@pytest.mark.parametrize(
    "beside",
    [
        {"digest": {}, "annotations": {"vnd.docker.reference.type": "attestation-manifest"}},
        {"digest": "sha256:../../etc/passwd", "platform": {"os": "unknown"}},
        {"platform": {"os": "unknown"}, "annotations": [1]},
        {"platform": {"os": "unknown"}, "annotations": {"vnd.docker.reference.type": "attestation-manifest"}},
        {
            "platform": {"os": "unknown"},
            "annotations": {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": []},
        },
    ],
)
def test_descriptors_that_lead_nowhere_are_no_reason_to_stop(it: Attested, beside: Mapping[str, Any]) -> None:
    it.state(SPDX, spdx(TZDATA))
    it.beside.append({**beside, "platform": {"os": "unknown"}, "digest": beside.get("digest", f"{OTHER}")})
    assert verdict("sbom-attached", it.image()) is Verdict.PASS


# A stream that passes once keeps no more than `documents` of all documents: beyond that it is an error.
@pytest.mark.parametrize(
    ("form", "limits"),
    [("folder", {"documents": 9000}), ("folder", {"document": 2500}), ("stream", {"document": 2500})],
)
def test_what_is_too_large_to_be_read_leaves_the_claims_open(it: Attested, form: str, limits: dict[str, int]) -> None:
    other = [statement("https://example.com/x", {"n": n, "text": "x" * 3000}, it.digest) for n in range(3)]
    folder = it.attach(*other, statement(SPDX, {**spdx(TZDATA), "text": "x" * 3000}, it.digest)).write()
    given = {"stdin": io.BytesIO(it.layout.tar())} if form == "stream" else {}
    bounds = replace(Limits(), **limits)
    image = attested.read("-" if given else folder, it.folder / "cache", limits=bounds, **given)
    key = {"key": attested.public(attested.p256(), it.folder / "k.pub")}
    for claim in ("sbom-attached", "provenance-attached", "signature-valid"):
        finding = decide(claim, image, **(key if claim == "signature-valid" else {}))
        assert finding.verdict is Verdict.UNKNOWN
        assert "was not read" in seen(finding) or "not looked at" in seen(finding)


def test_media_types_that_nobody_knows_are_passed_over(it: Attested) -> None:
    it.state(SPDX, spdx(TZDATA)).attach(b"\0binary", kind="application/vnd.example+x")
    assert verdict("sbom-attached", it.image()) is Verdict.PASS


# --- where nothing can be attached


@pytest.mark.parametrize("claim", ["sbom-attached", "provenance-attached", "signature-valid"])
def test_a_docker_archive_leaves_every_claim_open(images: Images, tmp_path: Path, claim: str) -> None:
    key = {"key": attested.public(attested.p256(), tmp_path / "k.pub")} if claim == "signature-valid" else {}
    finding = decide(claim, images.app(), **key)
    assert finding.verdict is Verdict.UNKNOWN
    assert "its source may have dropped it" in seen(finding)
    assert "verify that" in finding.do


class Engine:
    """An engine of the containerd store: what it saves has a docker archive's list, and the layout's index."""

    def __init__(self, it: Attested) -> None:
        it.write()
        config = config_of(*it.layers, Entrypoint=["/app/run"], User="65532")
        layers = [f"blobs/sha256/{digest(layer)}" for layer in it.layers]
        top = [{"Config": f"blobs/sha256/{digest(config)}", "RepoTags": ["it:1"], "Layers": layers}]
        files = {**it.layout.files(), "manifest.json": json.dumps(top).encode()}
        self.data = tar([file(name, data) for name, data in files.items()])
        self.id = it.layout.top[0]["digest"]
        self.saved = 0

    def describe(self, _: str) -> Mapping[str, Any]:
        return {"Id": self.id, "Os": "linux", "Architecture": "amd64"}

    def save(self, _: list[str]) -> Iterable[bytes]:
        self.saved += 1
        return [self.data]

    def read(self, cache: Path) -> Image:
        return read_of_engine(["it:1"], describe=self.describe, save=self.save, cache=cache)["it:1"]


def test_what_an_engine_saved_with_its_attestations_is_remembered_with_them(it: Attested, tmp_path: Path) -> None:
    engine = Engine(it.state(SPDX, spdx(TZDATA)))
    first, second = engine.read(tmp_path / "c"), engine.read(tmp_path / "c")
    assert engine.saved == 1
    assert first.attached == second.attached
    assert verdict("sbom-attached", second) is Verdict.PASS
    assert verdict("provenance-attached", second) is Verdict.UNKNOWN


def test_an_engines_image_without_any_leaves_the_claims_open(it: Attested, tmp_path: Path) -> None:
    assert verdict("sbom-attached", Engine(it).read(tmp_path / "c")) is Verdict.UNKNOWN


# --- provenance-attached


@pytest.mark.parametrize(("kind", "make"), [(V02, attested.provenance_v02), (V1, attested.provenance_v1)])
def test_provenance_is_whole_as_mode_max_writes_it(it: Attested, kind: str, make: Callable[[str], object]) -> None:
    least = replace(it, folder=it.folder / "min", beside=[]).state(kind, make("min")).image()
    whole = replace(it, beside=[]).state(kind, make("max")).image()
    assert verdict("provenance-attached", whole) is Verdict.PASS
    assert verdict("provenance-attached", least, mode="min") is Verdict.PASS
    finding = decide("provenance-attached", least)
    assert finding.verdict is Verdict.FAIL
    assert "has no steps of the build: " in seen(finding)
    assert "is not true" in seen(finding)


def test_a_build_without_its_arguments_is_not_whole(it: Attested) -> None:
    lacking = {"metadata": {"completeness": {"parameters": False}}}
    finding = decide("provenance-attached", it.state(V02, attested.provenance_v02("max", **lacking)).image())
    assert seen(finding).endswith("metadata.completeness.parameters is not true")


@pytest.mark.parametrize("mode", ["max", "min"])
def test_provenance_that_says_nothing_fails(it: Attested, mode: str) -> None:
    finding = decide("provenance-attached", it.state(V1, {}).image(), mode=mode)
    assert finding.verdict is Verdict.FAIL
    assert "no buildType" in seen(finding)


def test_provenance_of_another_builder_is_one_and_whether_it_is_whole_stays_open(it: Attested) -> None:
    image = it.state(V1, {"buildDefinition": {"buildType": "https://example.com/other@v1"}}).image()
    assert verdict("provenance-attached", image) is Verdict.UNKNOWN
    assert verdict("provenance-attached", image, mode="min") is Verdict.PASS


def test_provenance_about_another_image_fails(it: Attested) -> None:
    image = it.attach(statement(V02, attested.provenance_v02("max"), OTHER)).image()
    assert verdict("provenance-attached", image) is Verdict.FAIL


def test_a_mode_that_there_is_none_of_is_the_contracts_fault(it: Attested) -> None:
    with pytest.raises(CatalogError, match="provenance-attached"):
        decide("provenance-attached", it.image(), mode="full")


# --- no-canary


def leaks(it: Attested) -> Attested:
    arguments = {"parameters": {"args": {"build-arg:TOKEN": CANARY}}}
    return it.state(V02, attested.provenance_v02("max", invocation=arguments))


def leaks_in_the_dockerfile(it: Attested) -> Attested:
    text = base64.b64encode(f"FROM scratch\nARG TOKEN={CANARY}\n".encode()).decode()
    return it.state(V02, attested.provenance_v02("max", metadata={"source": {"infos": [{"data": text}]}}))


@pytest.mark.parametrize(("leak", "told"), [(leaks, "the canary, in "), (leaks_in_the_dockerfile, "in base64, in ")])
def test_a_canary_in_the_provenance_is_found(it: Attested, leak: Callable[[Attested], Attested], told: str) -> None:
    finding = decide("no-canary", leak(it).image(Needles.of(CANARY)), CANARY)
    assert finding.verdict is Verdict.FAIL
    assert told in seen(finding)
    assert "what is attached to the image" in seen(finding)


def test_attestations_without_the_canary_pass_and_unreadable_ones_leave_it_open(it: Attested) -> None:
    it.state(V02, attested.provenance_v02("max"))
    assert verdict("no-canary", it.image(Needles.of(CANARY)), canary=CANARY) is Verdict.PASS
    other = replace(it, folder=it.folder / "other", beside=[])
    lost = statement(SPDX, spdx(TZDATA), other.digest)
    other.attach(lost)
    drop(other, lost)
    assert verdict("no-canary", other.image(Needles.of(CANARY)), canary=CANARY) is Verdict.UNKNOWN


# --- signature-valid


def by_tag(it: Attested, key: Key, about: str) -> None:
    name = f"it:{it.digest.replace(':', '-')}.sig"
    it.layout.list(it.layout.sign(attested.simple(key, about)), name)


def by_kind(it: Attested, key: Key, about: str) -> None:
    """As `cosign save` lists it."""
    kind = {"annotations": {"kind": "dev.cosignproject.cosign/sigs"}}
    it.layout.top.append({**it.layout.sign(attested.simple(key, about)), **kind})


def by_subject(it: Attested, key: Key, about: str) -> None:
    """As `cosign save` leaves it from its version 3 on: no index lists it."""
    it.layout.refer(it.about, attested.bundle(key, about))


def by_envelope(it: Attested, key: Key, about: str) -> None:
    payload = statement("https://sigstore.dev/cosign/sign/v1", {}, about)
    it.attach(json.dumps(attested.envelope(key, payload)).encode(), kind=ENVELOPE)


WAYS = [by_tag, by_kind, by_subject, by_envelope]
Way = Callable[[Attested, Key, str], None]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", KEYS)
def test_a_signature_of_the_images_digest_by_the_key_is_valid(it: Attested, make: Callable[[], Key], way: Way) -> None:
    key = make()
    way(it, key, it.digest)
    image = it.image()
    finding = decide("signature-valid", image, key=attested.public(key, it.folder / "k.pub"))
    assert (finding.verdict, seen(finding)) == (Verdict.PASS, "")
    other = decide("signature-valid", image, key=attested.public(make(), it.folder / "other.pub"))
    assert other.verdict is Verdict.FAIL
    assert "is not of the key" in seen(other)


@pytest.mark.parametrize("way", WAYS)
def test_a_signature_of_another_digest_fails(it: Attested, way: Way) -> None:
    key = attested.p256()
    way(it, key, OTHER)
    finding = decide("signature-valid", it.image(), key=attested.public(key, it.folder / "k.pub"))
    assert finding.verdict is Verdict.FAIL
    assert f"is of {OTHER}" in seen(finding)


def test_a_signature_of_the_index_above_is_one_of_the_image(it: Attested) -> None:
    key = attested.p256()
    index = it.layout.index(it.about)
    it.layout.list(it.layout.sign(attested.simple(key, index["digest"])), f"{index['digest'].replace(':', '-')}.sig")
    key_file = attested.public(key, it.folder / "k.pub")
    assert verdict("signature-valid", it.image(), key=key_file) is Verdict.PASS


def test_one_good_signature_among_others_is_enough(it: Attested) -> None:
    keys = [attested.p256() for _ in range(3)]
    for key in keys:
        by_subject(it, key, it.digest)
    it.layout.refer(it.about, b"{nothing")
    image = it.image()
    for number, key in enumerate(keys):
        assert verdict("signature-valid", image, key=attested.public(key, it.folder / str(number))) is Verdict.PASS


def altered_payload(key: Key, about: str) -> Signed:
    good = attested.simple(key, about)
    return Signed(good.payload.replace(b"null", b'"x" '), good.signature)


def of_another_payload(key: Key, about: str) -> Signed:
    return Signed(attested.simple(key, about).payload, attested.simple(key, OTHER).signature)


def no_base64(key: Key, about: str) -> Signed:
    return Signed(attested.simple(key, about).payload, "!!")


def no_signature(key: Key, about: str) -> Signed:
    return Signed(attested.simple(key, about).payload, "")


def no_json(key: Key, about: str) -> Signed:
    del about
    return Signed(b"{nothing", attested.signature(key, b"{nothing"))


def other_type(key: Key, about: str) -> Signed:
    payload = attested.simple(key, about).payload.replace(b"cosign container", b"atomic container")
    return Signed(payload, attested.signature(key, payload))


@pytest.mark.parametrize("make", [altered_payload, of_another_payload, no_base64, no_signature, no_json, other_type])
def test_an_altered_or_malformed_signature_fails(it: Attested, make: Callable[[Key, str], Signed]) -> None:
    key = attested.p256()
    name = f"{it.digest.replace(':', '-')}.sig"
    it.layout.list(it.layout.sign(make(key, it.digest)), name)
    finding = decide("signature-valid", it.image(), key=attested.public(key, it.folder / "k.pub"))
    assert finding.verdict is Verdict.FAIL
    assert finding.evidence


def test_a_signed_attestation_is_no_signature_of_the_image(it: Attested) -> None:
    key = attested.p256()
    it.layout.refer(it.about, attested.bundle(key, it.digest, SPDX))
    finding = decide("signature-valid", it.image(), key=attested.public(key, it.folder / "k.pub"))
    assert (finding.verdict, seen(finding)) == (Verdict.FAIL, "none is attached")


def test_bundles_and_envelopes_of_something_else_are_passed_over(it: Attested) -> None:
    it.state(SPDX, spdx(TZDATA))
    it.layout.refer(it.about, json.dumps({"messageSignature": {"signature": "AA=="}}).encode())
    it.attach(json.dumps({"payloadType": "text/plain", "payload": "AA==", "signatures": []}).encode(), kind=ENVELOPE)
    image = it.image()
    assert verdict("sbom-attached", image) is Verdict.PASS
    key = attested.public(attested.p256(), it.folder / "k.pub")
    assert seen(decide("signature-valid", image, key=key)) == "none is attached"


def test_without_a_key_it_stays_open(it: Attested) -> None:
    assert verdict("signature-valid", it.image()) is Verdict.UNKNOWN


def rsa_key() -> bytes:
    made = rsa.generate_private_key(65537, 2048)
    return made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def private_key() -> bytes:
    return attested.p256().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("data", [None, b"", b"\0\xff", rsa_key, private_key])
def test_a_file_without_a_key_of_a_known_kind_is_the_contracts_fault(it: Attested, data: Any) -> None:
    path = it.folder / "k.pub"
    if data is not None:
        path.write_bytes(data if isinstance(data, bytes) else data())
    with pytest.raises(CatalogError) as caught:
        decide("signature-valid", it.image(), key=str(path))
    assert "PRIVATE" not in caught.value.seen


def test_a_key_that_is_no_text_is_the_contracts_fault(it: Attested) -> None:
    with pytest.raises(CatalogError):
        decide("signature-valid", it.image(), key=5)


def test_other_findings_are_remembered_for_a_key_file_that_has_changed(it: Attested) -> None:
    path = attested.public(attested.p256(), it.folder / "k.pub")
    asked = Contract("c", "c", (Claim("signature-valid", {"key": path}), Claim("no-shell")))
    before = order.files(asked)
    attested.public(attested.p256(), it.folder / "k.pub")
    assert len(before) == 1
    assert order.files(asked) != before
    Path(path).unlink()
    assert order.files(asked) == [""]


# --- whatever stands in them

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(f"sha256:{'1' * 64}"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
GOOD: list[tuple[str, Any]] = [
    (IN_TOTO, json.loads(statement(SPDX, spdx(TZDATA), OTHER))),
    (IN_TOTO, json.loads(statement(CYCLONEDX, cyclonedx(TZDATA), OTHER))),
    (IN_TOTO, json.loads(statement(V02, attested.provenance_v02("max"), OTHER))),
    (IN_TOTO, json.loads(statement(V1, attested.provenance_v1("max"), OTHER))),
    (ENVELOPE, attested.envelope(attested.p256(), statement(SPDX, spdx(TZDATA), OTHER))),
    (BUNDLE, json.loads(attested.bundle(attested.p256(), OTHER))),
    (SIMPLE_SIGNING, json.loads(attested.simple(attested.p256(), OTHER).payload)),
]


def places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Give the way to every value inside of a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [above, *(place for key, each in inside for place in places(each, (*above, key)))]


def changed(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """Give a document with one value of it changed."""
    if not place:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = changed(value[place[0]], place[1:], new)
    return copy


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_any_value_at_any_place_ends_in_a_finding(images: Images, tmp_path: Path, data: st.DataObject) -> None:
    key = attested.public(attested.p256(), tmp_path / "k.pub")
    kind, document = data.draw(st.sampled_from(GOOD))
    made = changed(document, data.draw(st.sampled_from(places(document))), data.draw(VALUES))
    blob = Attachment(OTHER, kind, json.dumps(made).encode(), data.draw(st.sampled_from(["", "AA==", "=", "\udc80"])))
    image = replace(images.app(), attached=Attached(OTHER, (), (blob,), whole=True))
    for claim in ("sbom-attached", "provenance-attached"):
        assert isinstance(decide(claim, image), Finding)
    assert isinstance(decide("signature-valid", image, key=key), Finding)


# --- the real cosign: signatures that its version 3.1.1 made of one image, in both forms

SIGNED = "sha256:227e7d7b3e5b15bd20bdc32977daeb7868abf649cb23a75ab2d301a19e04f7ff"
COSIGN_PUB = """\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEFV06y6MSzgQ/UFNdN3YGu/3Or4Xf
gUbCyoEZKuEnXjFQ3DHkO8aclSlM3i583MVt9bldaqootGso/7aZjubegg==
-----END PUBLIC KEY-----
"""
FIRST_FORM = Attachment(
    f"sha256:{'2' * 64}",
    SIMPLE_SIGNING,
    b'{"critical":{"identity":{"docker-reference":"localhost:15999/old"},"image":{"docker-manifest-digest":'
    b'"sha256:227e7d7b3e5b15bd20bdc32977daeb7868abf649cb23a75ab2d301a19e04f7ff"},"type":'
    b'"cosign container image signature"},"optional":null}',
    "MEUCIQC6fKAIlZm07AGMtLxOd1/9lAew6LQM1hQj5vv82d6N1gIgfaxdy8uxBuHUrKdpNYCAw6YjLj+ObTGDZsc4PNvm+J4=",
)
BUNDLED = Attachment(
    f"sha256:{'3' * 64}",
    BUNDLE,
    b'{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":'
    b'"lqnq9GDVZqB3mChWLCO76gMUndMk+P1MUArpsxiJoCg="}},"dsseEnvelope":{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4t'
    b"dG90by5pby9TdGF0ZW1lbnQvdjEiLCJzdWJqZWN0IjpbeyJkaWdlc3QiOnsic2hhMjU2IjoiMjI3ZTdkN2IzZTViMTViZDIwYmRjMzI5"
    b"NzdkYWViNzg2OGFiZjY0OWNiMjNhNzVhYjJkMzAxYTE5ZTA0ZjdmZiJ9LCJhbm5vdGF0aW9ucyI6e319XSwicHJlZGljYXRlVHlwZSI6"
    b'Imh0dHBzOi8vc2lnc3RvcmUuZGV2L2Nvc2lnbi9zaWduL3YxIiwicHJlZGljYXRlIjp7fX0=","payloadType":'
    b'"application/vnd.in-toto+json","signatures":[{"sig":"MEUCIQCt3ase9m3rtovzi3E/EVsf8EV1xEj4RwiaPRToN/HoNAIg'
    b'Z3REK3yROcVnTg9lSW+1HPunjIa7Bh7W0+WTQ9BvRuQ="}]}}',
)


@pytest.mark.parametrize("made", [FIRST_FORM, BUNDLED])
def test_what_cosign_itself_signed_is_verified(images: Images, tmp_path: Path, made: Attachment) -> None:
    (tmp_path / "k.pub").write_text(COSIGN_PUB)
    image = replace(images.app(), attached=Attached(SIGNED, (), (made,), whole=True))
    assert verdict("signature-valid", image, key=str(tmp_path / "k.pub")) is Verdict.PASS
    moved = replace(images.app(), attached=Attached(OTHER, (), (made,), whole=True))
    assert verdict("signature-valid", moved, key=str(tmp_path / "k.pub")) is Verdict.FAIL
