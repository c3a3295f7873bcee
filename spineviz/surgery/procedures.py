"""The approaches: what a scene file names, what is prepared for it once, and its story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from spineviz.anatomy.recipe import Body
from spineviz.model import HIDDEN, Camera, Figure, Look, Message, Model, Pane
from spineviz.structure import Structure, Surface, Warp
from spineviz.surgery.decompression import first_looks
from spineviz.surgery.interlaminar import (
    Interlaminar,
    InterlaminarEndoscopicDiscectomy,
    prepare_interlaminar,
)
from spineviz.surgery.interlaminar_story import interlaminar_steps
from spineviz.surgery.laminectomy import (
    Laminectomy,
    OpenLaminectomy,
    laminectomy_steps,
    prepare_laminectomy,
)
from spineviz.surgery.ledger import Ledger, measured
from spineviz.surgery.marking import Marking, marked, marking_of
from spineviz.surgery.open_midline import OpenMidline, OpenMidlineDiscectomy, open_steps, prepare_open
from spineviz.surgery.over_the_top import (
    OverTheTop,
    UnilateralLaminotomy,
    over_the_top_steps,
    prepare_over_the_top,
)
from spineviz.surgery.suturing import Sewing, over_the_cut, sewing_of, sewn, with_stitches_gone
from spineviz.surgery.transforaminal import (
    Transforaminal,
    TransforaminalEndoscopicDiscectomy,
    prepare_transforaminal,
)
from spineviz.surgery.transforaminal_story import transforaminal_steps
from spineviz.surgery.tubular import Tubular, TubularMicrodiscectomy, prepare_tubular, tubular_steps
from spineviz.timeline import Step

Decompressing = UnilateralLaminotomy | OpenLaminectomy
"""The approaches that widen a narrow canal; all others remove displaced disc material."""

AnyApproach = (
    TubularMicrodiscectomy
    | OpenMidlineDiscectomy
    | InterlaminarEndoscopicDiscectomy
    | TransforaminalEndoscopicDiscectomy
    | UnilateralLaminotomy
    | OpenLaminectomy
)

Approach = Annotated[AnyApproach, Field(discriminator="kind")]
"""An approach as a scene file tells it, known by its ``kind``."""

Story = Tubular | OpenMidline | Interlaminar | Transforaminal | OverTheTop | Laminectomy


@dataclass(frozen=True, eq=False)
class Prepared:
    """What an approach adds to a body, and how its story goes.

    ``structures`` are the instruments. ``variants`` and ``warps`` belong to structures of the body and carry
    the approach's name. ``looks`` are the first looks of instruments and nerves.
    """

    approach: AnyApproach
    structures: Mapping[str, Structure]
    variants: Mapping[str, Mapping[str, Surface]]
    warps: Mapping[tuple[str, str], Warp]
    looks: Mapping[str, Look]
    ledger: Ledger
    story: Story
    marking: Marking
    sewing: Sewing

    @property
    def heading(self) -> Message:
        """The approach's name over its pane."""
        return Message(f"approach.{self.approach.kind}")

    def steps(self, cameras: Mapping[str, Camera]) -> tuple[Step, ...]:
        """Return the steps of the operation.

        ``cameras`` must hold those named posterior and operative; deep in the wound the story looks through
        an operating microscope of its own.
        """
        steps = marked(self._story(cameras), self.marking)
        last = max(index for index, step in enumerate(steps) if step.phase == "closure") + 1
        after = (with_stitches_gone(step, self.sewing) for step in steps[last:])
        camera = over_the_cut(self.sewing, cameras["operative"])
        return (*steps[:last], sewn(self.sewing, camera), *after)

    def _story(self, cameras: Mapping[str, Camera]) -> tuple[Step, ...]:
        """Return the steps until the muscle is back in its place, and the last look."""
        if isinstance(self.story, Tubular):
            return tubular_steps(self.story, cameras)
        if isinstance(self.story, Interlaminar):
            return interlaminar_steps(self.story, cameras)
        if isinstance(self.story, Transforaminal):
            return transforaminal_steps(self.story, cameras)
        if isinstance(self.story, OverTheTop):
            return over_the_top_steps(self.story, cameras)
        if isinstance(self.story, Laminectomy):
            return laminectomy_steps(self.story, cameras)
        return open_steps(self.story, cameras)

    def measure(self, model: Model, pane: Pane) -> tuple[Figure, ...]:
        """Return the five measured figures of a pane; see `spineviz.surgery.ledger`."""
        return measured(self.ledger, pane)


def prepare(approach: AnyApproach, body: Body) -> Prepared:
    """Return what an approach adds to a body: instruments, cut surfaces, movements, steps and ledger.

    Raises ValueError where the corridor does not fit the body.
    """
    story: Story
    extra: Mapping[str, Structure] = {}
    if isinstance(approach, TubularMicrodiscectomy):
        story, tissue = prepare_tubular(approach, body)
    elif isinstance(approach, InterlaminarEndoscopicDiscectomy):
        story, tissue = prepare_interlaminar(approach, body)
    elif isinstance(approach, TransforaminalEndoscopicDiscectomy):
        story, tissue = prepare_transforaminal(approach, body)
    elif isinstance(approach, UnilateralLaminotomy):
        story, tissue = prepare_over_the_top(approach, body)
    elif isinstance(approach, OpenLaminectomy):
        story, tissue, extra = prepare_laminectomy(approach, body)
    else:
        story, tissue, extra = prepare_open(approach, body)
    instruments = {tool.name: tool.structure() for tool in story.site.tools.values()} | dict(extra)
    marking = marking_of(story.access, body, needle="needle" not in story.site.tools)
    sewing = sewing_of(story.access, body)
    instruments |= {**marking.structures, **sewing.structures}
    looks = first_looks(story.site) | dict.fromkeys(instruments, HIDDEN)
    return Prepared(
        approach, instruments, tissue.variants, tissue.warps, looks, tissue.ledger, story, marking, sewing
    )
