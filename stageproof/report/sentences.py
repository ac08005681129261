"""A finding in words: the sentence first, the evidence under it, what to do last."""

from __future__ import annotations

from stageproof.model import Evidence, Finding, Verdict

_SHOWN = 10
_MARKS = {Verdict.PASS: "✔", Verdict.FAIL: "✘", Verdict.UNKNOWN: "?", Verdict.NOT_APPLICABLE: "-"}


def failure(name: str, finding: Finding) -> str:
    """Tell a finding about an image: `✘ go-distroless contains a shell   no-shell`, and the evidence."""
    lines = [f"{_MARKS[finding.verdict]} {name}: {finding.message}    {finding.claim}"]
    shown = [_evidence(each) for each in finding.evidence[:_SHOWN]]
    if len(finding.evidence) > _SHOWN:
        shown.append(f"... and {len(finding.evidence) - _SHOWN} more")
    lines += [
        f"  {'seen' if number == 0 else '':<7}{line}" for number, line in enumerate("\n".join(shown).splitlines())
    ]
    lines.append(f"  do     {finding.do or f'docs/checks/{finding.claim}.md tells why, and how to fix it'}")
    return "\n".join(lines)


def _evidence(evidence: Evidence) -> str:
    where = f"{evidence.path}   " if evidence.path and evidence.path not in evidence.text else ""
    size = f", {evidence.size:,} bytes" if evidence.size is not None else ""
    layer = f"\n  layer {evidence.layer}: {evidence.created_by[:160]}" if evidence.layer else ""
    return f"{where}{evidence.text}{size}{layer}"
