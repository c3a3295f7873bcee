"""Films: H.264 that every player opens, whole or not there at all."""

from __future__ import annotations

import multiprocessing
import re
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from stand_ins import POSTERIOR, model, words

from spineviz.export.film import check_film, write_film
from spineviz.export.frames import Frame, render
from spineviz.model import Look, Model, Pane, State
from spineviz.render.offscreen import RenderingUnavailable
from spineviz.render.overlay import Clock
from spineviz.render.stage import Stage
from spineviz.structure import Message
from spineviz.terms import Phase
from spineviz.timeline import Step, Timeline, timeline

SIZE = (160, 120)


@pytest.fixture(scope="module", autouse=True)
def rendering() -> None:
    try:
        with Stage(SIZE) as stage:
            stage.show(model(), first_state())
            stage.image()
    except RenderingUnavailable as reason:
        pytest.skip(str(reason))


def first_state() -> State:
    pane = Pane({"L4": Look(), "herniation.L4-L5": Look()}, POSTERIOR)
    return State((pane,), title=Message("disclaimer"))


def lifted(pane: Pane, progress: float) -> Pane:
    return pane.with_look("L4", Look(warp=("lift", (20 * progress,))))


@dataclass(frozen=True)
class Built:
    model: Model = field(default_factory=model)


@dataclass(frozen=True)
class Play:
    """A play of a second and a half: the bone rises, then rests."""

    assembly: Built = field(default_factory=Built)
    trouble: BaseException | None = None

    @property
    def timeline(self) -> Timeline:
        def step(phase: Phase, seconds: float, moving: bool) -> Step:
            return Step(phase, Message("disclaimer"), seconds, (lifted,) if moving else ())

        return timeline(first_state(), [[step("orientation", 1.0, True), step("access", 0.5, False)]])

    def state(self, at: float | None = None) -> State:
        if self.trouble is not None and at is not None and at > 0.5:
            raise self.trouble
        return self.timeline.at(at or 0.0)


def about(path: Path) -> str:
    """Return what ffmpeg tells of a film that it decodes from end to end."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path), "-f", "null", "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stderr


def test_a_film_is_h264_yuv420p_of_the_right_length(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mp4", Play(), fps=10, size=SIZE)
    told = about(path)
    assert re.search(r"Video: h264 .*yuv420p.*160x120.*10 fps", told)
    assert re.search(r"frame=\s*16\b", told)
    assert [item.name for item in tmp_path.iterdir()] == ["film.mp4"]


def test_a_film_starts_to_play_before_it_is_whole(tmp_path: Path) -> None:
    content = write_film(tmp_path / "film.mp4", Play(), fps=4, size=SIZE).read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_several_processes_make_the_same_frames_as_one() -> None:
    play = Play()
    frames = [Frame(play.state(at=index / 8), Clock(index / 8, 1.5)) for index in range(13)]
    alone = list(render(play.assembly.model, iter(frames), SIZE, words, 1))
    beside = list(render(play.assembly.model, iter(frames), SIZE, words, 2))
    assert len(alone) == len(beside) == 13
    assert all((first == second).all() for first, second in zip(alone, beside, strict=True))
    assert (alone[0] != alone[8]).any()
    assert multiprocessing.active_children() == []


def test_a_pause_is_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    play = Play()
    rendered: list[int] = []
    draw: Callable[..., None] = Stage._render
    monkeypatch.setattr(Stage, "_render", lambda *arguments: (rendered.append(1), draw(*arguments))[1])
    frames = [Frame(play.state(at=1.0 + index / 10), Clock(1.0, 1.5)) for index in range(6)]
    assert len(list(render(play.assembly.model, iter(frames), SIZE, words, 1))) == 6
    assert len(rendered) == 1


def test_leaving_early_ends_the_other_processes() -> None:
    play = Play()
    frames = (Frame(play.state(at=index / 100), Clock(0.0, 1.5)) for index in range(100))
    with closing(render(play.assembly.model, frames, SIZE, words, 2)) as pictures:
        assert next(pictures).shape == (120, 160, 3)
    assert multiprocessing.active_children() == []


def test_an_error_in_another_process_is_raised_here() -> None:
    broken = replace(first_state().panes[0], looks={"nobody": Look()})
    frames = [Frame(State((broken,)), Clock(0.0, 1.0))]
    with pytest.raises(KeyError, match="nobody"):
        list(render(model(), iter(frames), SIZE, words, 2))
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("trouble", [KeyboardInterrupt(), ValueError("a step went wrong")])
def test_an_interrupted_film_leaves_nothing(tmp_path: Path, trouble: BaseException) -> None:
    with pytest.raises(type(trouble)):
        write_film(tmp_path / "film.mp4", Play(trouble=trouble), fps=10, size=SIZE)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_film_leaves_the_old_one(tmp_path: Path) -> None:
    old = tmp_path / "film.mp4"
    old.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        write_film(old, Play(trouble=KeyboardInterrupt()), fps=10, size=SIZE)
    assert old.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("name", "fps", "size", "told"),
    [
        ("film.gif", 24, SIZE, r"choose one of \.mp4"),
        ("film", 24, SIZE, r"choose one of \.mp4"),
        ("film.mp4", 24, (161, 120), "needs even sizes; choose 160 or 162"),
        ("film.mp4", 24, (160, 121), "film height 121"),
        ("film.mp4", 0, SIZE, "choose 1 to 60"),
        ("film.mp4", 24, (32, 120), "choose 64 to 4096"),
    ],
)
def test_a_film_that_cannot_be_is_refused_at_once(
    tmp_path: Path, name: str, fps: int, size: tuple[int, int], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        check_film(tmp_path / name, fps, size)


def test_a_film_in_a_missing_folder_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="make it first"):
        check_film(tmp_path / "none" / "film.mp4", 24, SIZE)


def test_frames_carry_how_far_the_film_has_come() -> None:
    play = Play()
    clocks = (Clock(0.0, 1.5, (0.0, 1.0)), Clock(1.5, 1.5, (0.0, 1.0)))
    shown = replace(first_state(), panes=(replace(first_state().panes[0], caption=Message("disclaimer")),))
    early, late = render(play.assembly.model, iter([Frame(shown, clock) for clock in clocks]), SIZE, words, 1)
    changed = np.nonzero((early != late).any(axis=2))[0]
    assert changed.min() > 0.6 * SIZE[1]
