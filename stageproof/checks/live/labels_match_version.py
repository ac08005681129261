"""labels-match-version: what the image says about itself is what the app says about itself."""

from __future__ import annotations

from stageproof.checks.running import ended, live_of
from stageproof.checks.subject import Subject, failed, passed
from stageproof.errors import ContainerError
from stageproof.live import Answer, Request
from stageproof.model import Evidence, Finding

ID = "labels-match-version"
CLAIM = "says the same version in its labels and in its answers"
BROKEN = "says another version in its labels than in its answers"
WHY = "A label that differs from what runs sends people to the wrong source when something breaks."

LABEL = "org.opencontainers.image."
KEYS = {"version": "version", "commit": "revision", "built": "created"}
"""The keys of the answer, and the labels that must equal them."""
OK = 200


def check(subject: Subject, path: str = "/version") -> Finding:
    """Compare the labels of version, revision and build time with the JSON answer."""
    live = live_of(subject)
    try:
        answer = live.serving().answer(Request(path, port=live.port), lambda answer: answer.status == OK)
    except ContainerError as error:
        return ended(ID, error)
    said = _object(answer)
    if said is None:
        return failed(ID, f"GET {path} gives no JSON object with status 200", [Evidence(str(answer))])
    evidence, equal = [], True
    for key, label in KEYS.items():
        value = live.labels.get(LABEL + label)
        equal = equal and value is not None and value == said.get(key)
        evidence.append(Evidence(f"{path} says {key} = {said.get(key)!r}, the label {LABEL}{label} says {value!r}"))
    if not equal:
        return failed(ID, BROKEN, evidence, do="set the labels and the app's version from the same build arguments")
    return passed(ID, CLAIM, evidence)


def _object(answer: Answer) -> dict[str, object] | None:
    try:
        said = answer.json()
    except ValueError:
        return None
    return said if answer.status == OK and isinstance(said, dict) else None
