"""What trials found when a smaller incision was compared with open surgery: data for the evidence card.

Only findings that were read at their source (confidence V1 or V2) are held: better, equal and worse alike.
"""

from __future__ import annotations

import json
import tomllib
from functools import cache
from typing import Any, Literal, get_args

from pydantic import Field, model_validator

from spineviz.library import data_folder
from spineviz.locale import text
from spineviz.spec import Entries, Spec
from spineviz.structure import Message

Verdict = Literal["better", "equal", "worse"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""What the smaller incision was found to be, in the order of telling; equal: no difference shown."""

FOR = ("small", "open", "wait")
"""What a factor may speak for, in the order of telling."""


class Study(Spec):
    """A trial or a meta-analysis; ``n`` is its number of patients."""

    citation: str
    doi: str = ""
    year: int
    n: int
    design: str
    limitations: str = ""


class Finding(Spec):
    """One row of one study: a difference or ratio, the two groups, or neither where no figure was read.

    ``outcome`` is the key of the words a user reads, ``metric`` the row of the study's results; ``value`` is
    a difference or a ratio with its interval ``ci95``, ``small`` and ``open`` are the groups' own figures, in
    ``unit`` where they have one.
    """

    verdict: Verdict
    outcome: str
    study: str
    metric: str
    value: str = ""
    unit: str = ""
    ci95: str = ""
    small: str = ""
    open: str = ""
    p: str = ""
    confidence: Literal["V1", "V2"]

    def name(self, plain: bool = False) -> Message:
        """Return what was compared: for professionals, or in plain words."""
        return Message(f"evidence.{'plain' if plain else 'outcome'}.{self.outcome}")

    def figure(self) -> str:
        """Return the finding's figures as a card prints them; words that say so where there are none."""
        told = []
        if self.value:
            told.append(f"{self.value} {self.unit}".rstrip())
        if self.ci95:
            told[-1] += f" ({text(Message('evidence.interval', (('ci95', self.ci95),)))})"
        if self.small and self.open:
            unit = "" if self.value or not self.unit else f" {self.unit}"
            groups = (("small", f"{self.small}{unit}"), ("open", f"{self.open}{unit}"))
            told.append(text(Message("evidence.groups", groups)))
        elif self.small:
            told.append(text(Message("evidence.small_alone", (("small", self.small),))))
        if self.p:
            told.append(f"p {self.p}" if self.p.startswith("<") else f"p = {self.p}")
        return ", ".join(told) or text(Message("evidence.no_figure"))


class Factor(Spec):
    """What speaks for one of the ways, or against operating now: taught, not read in a trial."""

    speaks_for: Literal["small", "open", "wait"]
    factor: str
    confidence: str
    pairs: tuple[str, ...] = Field(
        (), description="The pairs it is said of; all of them where none is named."
    )

    @property
    def words(self) -> Message:
        """The factor in words."""
        return Message(f"evidence.factor.{self.factor}")


class Pair(Spec):
    """Two approaches to the same disease, and what was found when they were compared."""

    small: str
    open: str
    findings: tuple[Finding, ...] = Field(min_length=1)

    def found(self, verdict: Verdict) -> tuple[Finding, ...]:
        """Return the findings of one verdict."""
        return tuple(finding for finding in self.findings if finding.verdict == verdict)


class Evidence(Spec):
    """All pairs, and the studies that their findings come from, by id."""

    pairs: Entries[str, Pair]
    studies: Entries[str, Study]
    candidacy: tuple[Factor, ...]

    @model_validator(mode="after")
    def _every_finding_has_its_study(self) -> Evidence:
        used = {finding.study for pair in self.pairs.values() for finding in pair.findings}
        if missing := used - set(self.studies):
            raise ValueError(f"findings of unknown studies: {', '.join(sorted(missing))}")
        named = {pair for factor in self.candidacy for pair in factor.pairs}
        if missing := named - set(self.pairs):
            raise ValueError(f"factors of unknown pairs: {', '.join(sorted(missing))}")
        return self

    def factors(self, pair: str, speaks_for: str) -> tuple[Factor, ...]:
        """Return what speaks for one of a pair's ways, or for waiting."""
        return tuple(
            item
            for item in self.candidacy
            if item.speaks_for == speaks_for and pair in (item.pairs or (pair,))
        )


@cache
def evidence() -> Evidence:
    """Return everything that ``meshes/evidence.toml`` holds."""
    content: dict[str, Any] = tomllib.loads((data_folder("meshes") / "evidence.toml").read_text("utf-8"))
    return Evidence.model_validate(content, strict=False)


def pair(name: str) -> Pair:
    """Return a pair by its name; raise ValueError with those there are for any other."""
    try:
        return evidence().pairs[name]
    except KeyError:
        known = ", ".join(evidence().pairs)
        raise ValueError(f"there is no evidence on '{name}'; there is on: {known}") from None


def as_card(name: str, plain: bool = False) -> str:
    """Return a pair's evidence card as text: better, equal and worse in the same form, and the studies."""
    shown = pair(name)
    titles = (("small", f"@approach.{shown.small}"), ("open", f"@approach.{shown.open}"))
    lines = [text(Message("evidence.title", titles))]
    for verdict in VERDICTS:
        lines += ["", text(Message(f"evidence.verdict.{verdict}", titles))]
        found = [_line(finding, plain) for finding in shown.found(verdict)]
        lines += [f"  {line}" for line in found or [text(Message("evidence.nothing"))]]
    lines += ["", text(Message("evidence.studies"))]
    used = dict.fromkeys(finding.study for finding in shown.findings)
    lines += [f"  {key}: {_cited(evidence().studies[key])}" for key in used]
    for way in FOR:
        lines += ["", text(Message(f"evidence.speaks_for.{way}", titles))]
        lines += [f"  {text(factor.words)}" for factor in evidence().factors(name, way)]
    return "\n".join([*lines, "", text(Message("evidence.note"))])


def as_json(name: str) -> str:
    """Return a pair's findings, each with its study, as JSON."""
    shown = pair(name)
    findings = [
        {
            **finding.model_dump(exclude_defaults=True),
            "words": text(finding.name()),
            "plain": text(finding.name(True)),
        }
        for verdict in VERDICTS
        for finding in shown.found(verdict)
    ]
    studies = {key: evidence().studies[key].model_dump() for key in {item.study for item in shown.findings}}
    told: dict[str, object] = {"pair": name, "small": shown.small, "open": shown.open, "findings": findings}
    told |= {"studies": dict(sorted(studies.items())), "note": text(Message("evidence.note"))}
    told["candidacy"] = {way: [text(item.words) for item in evidence().factors(name, way)] for way in FOR}
    return json.dumps(told, indent=2, ensure_ascii=False)


def _line(finding: Finding, plain: bool) -> str:
    study = evidence().studies[finding.study]
    words = text(finding.name(plain))
    if plain:
        return text(Message("evidence.line_plain", (("words", words), ("n", study.n), ("year", study.year))))
    source = (("study", finding.study), ("n", study.n), ("year", study.year))
    return text(Message("evidence.line", (("words", words), ("figure", finding.figure()), *source)))


def _cited(study: Study) -> str:
    limits = f" ({study.limitations})" if study.limitations else ""
    doi = f" doi:{study.doi}" if study.doi else ""
    return f"{study.citation}. {study.design}, n = {study.n}{limits}{doi}"
