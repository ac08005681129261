"""`no-pending-updates`: Debian has published no security update for an installed package that the image lacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from stageproof import updates
from stageproof.checks.subject import Subject, evidence_in, failed, not_applicable, passed, unknown
from stageproof.image import Image, os_release, packages
from stageproof.image.packages import DebianPackage
from stageproof.model import Evidence, Finding
from stageproof.updates import Answer, Lists, policy

CLAIM = "has every security update that Debian published for its packages"
BROKEN = "lacks security updates that Debian published for its packages"
WHY = "the hole is described and its fix is published: whoever looks for such images finds them open"
DO = "build again on the newest image of the base; where that lacks the update too: apt-get upgrade in the build"
ALL = "all"
NAMED = 5
"""How many packages are named of those that are only told."""


def check(subject: Subject) -> Finding:
    """Decide the claim by Debian's package lists of today, which the host's apt fetches, verifies and compares."""
    installed = list(packages.of_debian(subject.image))
    unread = [each.path for each in packages.debian_records(subject.image) if each.size and each.facts.content is None]
    if not installed and not unread:
        return not_applicable("no-pending-updates", "holds no Debian package")
    told = os_release.fields(os_release.find(subject.image))
    codename = os_release.codename(told)
    if told.get("ID") != "debian" or not policy.CODENAME.fullmatch(codename):
        name = told.get("PRETTY_NAME") or "no os-release file"
        return _open([f"no release of Debian with a code name, so no security suite is known: {name}"])
    architecture = _architecture(subject.image, installed)
    asked, problems = _comparable(installed, architecture)
    problems += [f"not read: {path}" for path in unread]
    if not asked:
        return _open(problems)
    try:
        lists = updates.of_today(codename, architecture)
        answers = updates.ask(lists, {name: (each.version, each.architecture) for name, each in asked.items()})
    except updates.Unavailable as error:
        return _open([error.reason, *error.seen.splitlines()])
    return _judged(subject, lists, asked, answers, problems)


def _judged(
    subject: Subject,
    lists: Lists,
    asked: Mapping[str, DebianPackage],
    answers: Mapping[str, Answer],
    problems: Sequence[str],
) -> Finding:
    listed = sum(answer.is_listed for answer in answers.values())
    basis = f"{listed} packages compared with the lists of {lists.codename}-security of {lists.date.isoformat()}"
    if pending := [asked[name] for name, answer in answers.items() if answer.security]:
        seen = [*_shown(subject, pending, answers), *map(Evidence, problems)]
        return failed("no-pending-updates", f"{BROKEN}: {len(pending)} of {basis}", seen, DO)
    if not listed:
        problems = [*problems, f"Debian's lists of {lists.codename} name none of its packages"]
    if problems:
        return _open(problems)
    remarks = _remarks(answers, lists.codename)
    return passed("no-pending-updates", f"{CLAIM}: {basis}", map(Evidence, remarks))


def _architecture(image: Image, installed: Iterable[DebianPackage]) -> str:
    """Give the architecture as Debian calls it: that of most packages; where all fit any, the image's own."""
    counted = Counter(each.architecture for each in installed if policy.ARCHITECTURE.fullmatch(each.architecture))
    counted.pop(ALL, None)
    return counted.most_common(1)[0][0] if counted else image.platform.rpartition("/")[2]


def _comparable(installed: Iterable[DebianPackage], architecture: str) -> tuple[dict[str, DebianPackage], list[str]]:
    """Give the packages that apt can be asked about, by name, and what is wrong with each of the others."""
    asked: dict[str, DebianPackage] = {}
    problems = []
    for each in installed:
        other = asked.get(each.name)
        if each.architecture not in {architecture, ALL}:
            problems.append(f"not compared: {each.name} of the architecture {each.architecture or 'not told'}")
        elif not policy.NAME.fullmatch(each.name) or not policy.VERSION.fullmatch(each.version):
            problems.append(f"not compared, no name or no version of a package: {each.name} {each.version}".rstrip())
        elif other is not None and other.version != each.version:
            problems.append(f"not compared, recorded as {other.version} and as {each.version}: {each.name}")
        else:
            asked[each.name] = each
    return asked, problems


def _shown(subject: Subject, pending: Sequence[DebianPackage], answers: Mapping[str, Answer]) -> Iterator[Evidence]:
    """Show each package with the layer that brought this version: a layer that installs anything has all of status."""
    first: dict[tuple[str, str, str], int] = {}
    paths = dict.fromkeys(each.entry.path for each in pending)
    for layer in subject.image.layers:
        for entry in (layer.entries[path] for path in paths if path in layer.entries):
            for each in packages.debian_in(entry):
                first.setdefault((entry.path, each.name, each.version), layer.number)
    for each in pending:
        entry = each.entry
        number = first.get((entry.path, each.name, each.version), subject.image.brought_by[entry.path])
        text = f"{each.name} {each.version}, and {answers[each.name].security} is published"
        yield evidence_in(subject, subject.image.layers[number - 1], text, entry.path)


def _remarks(answers: Mapping[str, Answer], codename: str) -> Iterator[str]:
    """Tell what does not decide: packages that Debian does not have, and updates that are none of security."""
    foreign = [name for name, answer in answers.items() if not answer.is_listed]
    newer = [f"{name} {answer.newer}" for name, answer in answers.items() if answer.newer]
    if foreign:
        yield f"not compared, since no list of Debian names them: {_short(foreign)}"
    if newer:
        yield f"newer in {codename}, and no security update: {_short(newer)}"


def _short(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _open(texts: Sequence[str]) -> Finding:
    return unknown("no-pending-updates", f"could not be shown that it {CLAIM}", map(Evidence, texts))
