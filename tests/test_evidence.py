"""The evidence card tells what studies found, no more, and better, equal and worse in the same way."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from spineviz.evidence import FOR, VERDICTS, Evidence, Finding, as_card, as_json, evidence, pair
from spineviz.locale import text
from spineviz.structure import Message

FINDINGS = [(name, item) for name, shown in evidence().pairs.items() for item in shown.findings]
IDS = [f"{name}-{item.study}-{item.outcome}" for name, item in FINDINGS]


def numbers_in(said: str) -> list[float]:
    """Return the numbers in some words; a hyphen between two figures is no minus."""
    return [float(part) for part in re.findall(r"-?\d+\.?\d*", re.sub(r"(?<=\d)-(?=\d)", " ", said))]


@pytest.mark.parametrize(("name", "item"), FINDINGS, ids=IDS)
def test_every_figure_traces_to_a_row_of_its_study(shared: Path, name: str, item: Finding) -> None:
    facts = json.loads((shared / "facts" / "evidence.json").read_text("utf-8"))
    (study,) = [entry for entry in facts["studies"] if entry["id"] == item.study]
    (row,) = [entry for entry in study["results"] if entry["metric"] == item.metric]
    said = " ".join(str(row.get(key, "")) for key in ("effect", "mis", "open", "metric"))
    assert not item.value or item.value in said
    assert numbers_in(item.ci95) == numbers_in(row.get("ci95", "") if item.ci95 else "")
    assert item.small in row.get("mis", "") and item.open in row.get("open", "")
    assert item.p == (row.get("p", "") if item.p else "")
    assert row.get("confidence", study["confidence"]).startswith(item.confidence)
    told = evidence().studies[item.study]
    assert (told.n, told.doi) == (study["n"], study["doi"])
    assert told.citation.split(". ")[0].split(" et al")[0] in study["citation"]


@pytest.mark.parametrize(("name", "item"), FINDINGS, ids=IDS)
def test_a_verdict_agrees_with_its_interval(name: str, item: Finding) -> None:
    numbers = numbers_in(item.ci95)
    if numbers:
        neutral = 1.0 if item.metric.endswith(("RR", "OR")) or item.outcome == "revision" else 0.0
        assert (item.verdict == "equal") == (min(numbers) <= neutral <= max(numbers))


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("name", evidence().pairs)
def test_a_card_tells_better_equal_and_worse_in_the_same_form(name: str, plain: bool) -> None:
    card, shown = as_card(name, plain), pair(name)
    titles = (("small", f"@approach.{shown.small}"), ("open", f"@approach.{shown.open}"))
    places = [card.index(text(Message(f"evidence.verdict.{verdict}", titles))) for verdict in VERDICTS]
    assert places == sorted(places)
    for item in shown.findings:
        lines = [line for line in card.splitlines() if line.strip().startswith(text(item.name(plain)))]
        study = evidence().studies[item.study]
        assert any(str(study.year) in line and str(study.n) in line for line in lines)
        assert plain or any(item.study in line and item.figure() in line for line in lines)


@pytest.mark.parametrize("name", evidence().pairs)
def test_a_card_tells_what_speaks_for_either_way_and_for_waiting(name: str) -> None:
    card = as_card(name)
    told = [card.index(text(item.words)) for way in FOR for item in evidence().factors(name, way)]
    assert told == sorted(told) and len(told) >= 5
    assert all(evidence().factors(name, way) for way in FOR)


def test_a_word_is_used_for_one_verdict_only() -> None:
    verdicts: dict[str, set[str]] = {}
    for _, item in FINDINGS:
        verdicts.setdefault(item.outcome, set()).add(item.verdict)
    assert {outcome: found for outcome, found in verdicts.items() if len(found) > 1} == {}


def test_plain_words_hold_no_figure_that_the_study_does_not() -> None:
    for _, item in FINDINGS:
        said = numbers_in(text(item.name(plain=True)))
        known = {abs(number) for number in numbers_in(f"{item.value} {item.metric}")}
        assert all(number in known for number in said), item


def test_json_holds_every_finding_with_its_study() -> None:
    for name, shown in evidence().pairs.items():
        told = json.loads(as_json(name))
        assert len(told["findings"]) == len(shown.findings)
        assert {item["study"] for item in told["findings"]} == set(told["studies"])


def test_an_unknown_pair_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="no evidence on 'fusion'; there is on: discectomy"):
        pair("fusion")


def test_a_finding_recalled_from_memory_or_without_its_study_is_refused() -> None:
    content = evidence().model_dump()
    remembered = {**content["pairs"]["discectomy"]["findings"][0], "confidence": "M-high"}
    with pytest.raises(ValidationError, match="confidence"):
        Finding.model_validate(remembered)
    with pytest.raises(ValidationError, match="unknown studies: "):
        Evidence.model_validate({**content, "studies": {}})
