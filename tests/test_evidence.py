"""The evidence card tells what studies found, no more, and better, equal and worse in the same way."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from spineviz.evidence import VERDICTS, Evidence, Finding, as_card, as_json, evidence, pair
from spineviz.locale import catalog, text

FINDINGS = [(name, item) for name, shown in evidence().pairs.items() for item in shown.findings]
IDS = [f"{name}-{item.study}-{item.outcome}" for name, item in FINDINGS]


@pytest.mark.parametrize(("name", "item"), FINDINGS, ids=IDS)
def test_every_figure_traces_to_a_row_of_its_study(shared: Path, name: str, item: Finding) -> None:
    facts = json.loads((shared / "facts" / "evidence.json").read_text("utf-8"))
    (study,) = [entry for entry in facts["studies"] if entry["id"] == item.study]
    (row,) = [entry for entry in study["results"] if entry["metric"] == item.metric]
    assert (item.effect, item.ci95) == (row["effect"], row.get("ci95", ""))
    assert row.get("confidence", study["confidence"]).startswith(item.confidence)
    told = evidence().studies[item.study]
    assert (told.n, told.doi) == (study["n"], study["doi"])
    assert study["citation"].startswith(told.citation.removesuffix(")"))


@pytest.mark.parametrize(("name", "item"), FINDINGS, ids=IDS)
def test_a_verdict_agrees_with_its_interval(name: str, item: Finding) -> None:
    numbers = [float(part) for part in re.findall(r"-?\d+\.?\d*", re.sub(r"(?<=\d)-(?=\d)", " ", item.ci95))]
    if numbers:
        neutral = 1.0 if item.metric.endswith("RR") else 0.0
        assert (item.verdict == "equal") == (min(numbers) <= neutral <= max(numbers))


@pytest.mark.parametrize("plain", [False, True])
def test_a_card_tells_better_equal_and_worse_in_the_same_form(plain: bool) -> None:
    card = as_card("discectomy", plain)
    places = [card.index(catalog()[f"evidence.verdict.{verdict}"]) for verdict in VERDICTS]
    assert places == sorted(places)
    for _, item in FINDINGS:
        (line,) = [line for line in card.splitlines() if line.strip().startswith(text(item.name(plain)))]
        study = evidence().studies[item.study]
        assert str(study.year) in line and str(study.n) in line
        assert plain or (item.study in line and item.effect in line and item.ci95 in line)


def test_plain_words_hold_no_figure_that_the_study_does_not() -> None:
    for _, item in FINDINGS:
        said = re.findall(r"\d+\.?\d*", text(item.name(plain=True)))
        known = f"{item.effect} {item.metric}"
        assert all(float(number) in {float(n) for n in re.findall(r"\d+\.?\d*", known)} for number in said), (
            item
        )


def test_json_holds_every_finding_with_its_study() -> None:
    told = json.loads(as_json("discectomy"))
    assert len(told["findings"]) == len(pair("discectomy").findings)
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
