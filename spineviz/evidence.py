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


class Study(Spec):
    """A trial or a meta-analysis; ``n`` is its number of patients."""

    citation: str
    doi: str = ""
    year: int
    n: int
    design: str
    limitations: str = ""


class Finding(Spec):
    """One figure of one study. ``metric`` and ``effect`` are the study's own words, ``ci95`` its interval.

    ``outcome`` is the key of the words a user reads.
    """

    verdict: Verdict
    outcome: str
    study: str
    metric: str
    effect: str
    ci95: str = ""
    confidence: Literal["V1", "V2"]

    def name(self, plain: bool = False) -> Message:
        """Return what was compared: for professionals, or in plain words."""
        return Message(f"evidence.{'plain' if plain else 'outcome'}.{self.outcome}")


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

    @model_validator(mode="after")
    def _every_finding_has_its_study(self) -> Evidence:
        used = {finding.study for pair in self.pairs.values() for finding in pair.findings}
        if missing := used - set(self.studies):
            raise ValueError(f"findings of unknown studies: {', '.join(sorted(missing))}")
        return self


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
        lines += ["", text(Message(f"evidence.verdict.{verdict}"))]
        lines += [f"  {_line(finding, plain)}" for finding in shown.found(verdict)]
    lines += ["", text(Message("evidence.studies"))]
    used = dict.fromkeys(finding.study for finding in shown.findings)
    lines += [f"  {key}: {_cited(evidence().studies[key])}" for key in used]
    return "\n".join([*lines, "", text(Message("evidence.note"))])


def as_json(name: str) -> str:
    """Return a pair's findings, each with its study, as JSON."""
    shown = pair(name)
    findings = [
        {**finding.model_dump(), "words": text(finding.name()), "plain": text(finding.name(True))}
        for verdict in VERDICTS
        for finding in shown.found(verdict)
    ]
    studies = {key: evidence().studies[key].model_dump() for key in {item.study for item in shown.findings}}
    told: dict[str, object] = {"pair": name, "small": shown.small, "open": shown.open, "findings": findings}
    told |= {"studies": dict(sorted(studies.items())), "note": text(Message("evidence.note"))}
    return json.dumps(told, indent=2, ensure_ascii=False)


def _line(finding: Finding, plain: bool) -> str:
    study = evidence().studies[finding.study]
    words = text(finding.name(plain))
    if plain:
        return text(Message("evidence.line_plain", (("words", words), ("n", study.n), ("year", study.year))))
    about = (("words", words), ("effect", finding.effect), ("ci95", finding.ci95))
    source = (("study", finding.study), ("n", study.n), ("year", study.year))
    return text(Message("evidence.line_within" if finding.ci95 else "evidence.line", (*about, *source)))


def _cited(study: Study) -> str:
    limits = f" ({study.limitations})" if study.limitations else ""
    doi = f" doi:{study.doi}" if study.doi else ""
    return f"{study.citation}. {study.design}, n = {study.n}{limits}{doi}"
