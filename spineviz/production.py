"""A scene ready to be rendered, animated and shown: the public face's one object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from spineviz import assembly, directing, framing
from spineviz.annotation import annotated, ledger_chart
from spineviz.cuts import cut_open, resolved, said_cut
from spineviz.layers import COVERS, chosen_layers
from spineviz.locale import text
from spineviz.model import Camera, Chart, Message, State
from spineviz.morphing import morphing
from spineviz.scene import Scene, SceneStep
from spineviz.scene.specification import PLANES
from spineviz.terms import LAYERS, Disc, Level, Together, column, discs_of, levels_of
from spineviz.together import shown_together
from spineviz.viewer import Choices, adjusted, with_layers
from spineviz.viewer.choices import alone
from spineviz.views import VIEWS, View

if TYPE_CHECKING:
    from spineviz.assembly import Assembly
    from spineviz.measurement import Report
    from spineviz.timeline import Timeline


WITHOUT_OPERATIONS: Mapping[str, object] = {"approaches": (), "ledger": False, "together": "beside"}
"""What changes of a scene that shows its disease alone."""

HEALTHY, COMING = 2.0, 6.0
"""The seconds in which a body is seen in health, and in which its disease comes."""


class Production:
    """One scene with its model and its timeline, built when first needed."""

    def __init__(self, scene: Scene) -> None:
        """Take a validated scene; see `spineviz.load`."""
        self.scene = scene

    @cached_property
    def assembly(self) -> Assembly:
        """The model and what the approaches prepared: from the user's cache, or built now."""
        made = assembly.assemble(self.scene)
        return morphing(made, assembly.assemble(_without_disease(self.scene))) if self.scene.morphs else made

    @cached_property
    def timeline(self) -> Timeline:
        """The scene's timeline."""
        return directing.direct(self.scene, self.assembly)

    @cached_property
    def chart(self) -> Chart | None:
        """The measured figures over the whole timeline, where the scene wants them: computed once."""
        if not (self.scene.ledger and self.assembly.prepared):
            return None
        return ledger_chart(self.scene, self.assembly, self.timeline)

    def covered(self, layers: str | None) -> Production:
        """Return the scene with what covers the spine behind, where ``layers`` name some of it in words.

        A scene that never shows muscles, fascia, fat and skin is built without them.
        """
        asked = set() if layers is None else COVERS & set(chosen_layers(layers))
        if not asked or self.scene.compare or not set(self.scene.hidden) >= COVERS:
            return self
        hide = tuple(layer for layer in self.scene.hide if layer not in COVERS)
        return Production(self.scene.model_copy(update={"show": "", "hide": hide}))

    def state(
        self,
        at: float | None = None,
        view: str | None = None,
        layers: str | None = None,
        cut: str | Sequence[str] = (),
    ) -> State:
        """Return what the scene shows at a second, complete with labels and measured figures.

        ``view`` names a camera that replaces the scene's own. ``layers`` tells in words which layers are
        seen: ``down to the fascia``, ``everything but skin`` (see `spineviz.layers.chosen_layers`).
        ``cut`` tells in words one plane, or several, that open the scene besides its own: ``axial L4-L5``,
        ``sagittal 5 keep right`` (see `spineviz.cuts.said_cut`).
        Raises ValueError for a second outside the timeline, an unknown view or layer, or a wrong cut.
        """
        wanted = [said_cut(words) for words in ([cut] if isinstance(cut, str) else cut)]
        chosen = _known(view)
        choices = None if layers is None else with_layers(Choices(), layers)
        if at is not None and not (isfinite(at) and at >= 0):
            raise ValueError(f"second {at:g}: a scene runs from 0 on")
        second = min(self.scene.poster, self.timeline.seconds) if at is None else at
        if second > self.timeline.seconds:
            raise ValueError(f"second {second:g}: the scene runs from 0 to {self.timeline.seconds:g} seconds")
        state = self.timeline.at(second)
        if chosen is not None:
            camera = framing.cameras(self.assembly.model, self.scene)[chosen]
            if self.scene.views:
                shown = self.scene.views
                state = alone(state, shown.index(chosen) if chosen in shown else 0)
            state = replace(state, panes=tuple(replace(pane, camera=camera) for pane in state.panes))
        if wanted:
            model, about = self.assembly.model, framing.target(self.scene)
            cuts = tuple(resolved(plane, model, *about) for plane in wanted)
            state = replace(state, panes=tuple(cut_open(pane, cuts) for pane in state.panes))
        state = self.annotated(state)
        return state if choices is None else adjusted(state, choices)

    def annotated(self, state: State) -> State:
        """Return a state of this scene with what is written on it."""
        state = shown_together(
            annotated(self.scene, self.assembly, state), self.scene.together, self.timeline
        )
        if self.chart is not None:
            state = replace(state, chart=self.chart)
        if not self.scene.planes:
            return state
        from spineviz.planes import with_planes

        return with_planes(self.scene, self.assembly, self.healthy.assembly, state)

    def at_severity(self, severity: float) -> Production:
        """Return the scene with so much of its disease, 0 a healthy body to 1; approaches are left out.

        Raises ValueError for a scene without a disease, for one of several bodies, and for another number.
        """
        steps = tuple(step.model_copy(update={"severity": None}) for step in self.scene.steps)
        return self._with({"severity": severity, "steps": steps, **WITHOUT_OPERATIONS})

    def growing(self) -> Production:
        """Return the scene as its disease comes, in the camera of its first step; then follow its own steps.

        Approaches are left out. Raises ValueError as `at_severity` does.
        """
        own = self.scene
        steps = own.steps or (SceneStep(title=own.title, camera=own.camera),)
        still = steps[0].model_copy(
            update={"labels": (), "highlight": (), "severity": 0.0, "seconds": HEALTHY}
        )
        comes = steps[0].model_copy(update={"severity": 1.0, "seconds": COMING})
        return self._with({"severity": 0.0, "steps": (still, comes, *steps), **WITHOUT_OPERATIONS})

    def with_extras(
        self, *, inset: bool | None = None, ledger: bool | None = None, together: Together | None = None
    ) -> Production:
        """Return the scene with or without what the surgeon sees, and the ledger over time.

        ``together`` tells how two operations are shown. None leaves it as it is. Raises ValueError for the
        ledger of a scene without operations, and for ``together`` of fewer than two.
        """
        told = (("inset", inset), ("ledger", ledger), ("together", together))
        wanted = {name: value for name, value in told if value is not None}
        return self._with(wanted) if wanted else self

    def _with(self, changes: Mapping[str, object]) -> Production:
        told = {**{name: getattr(self.scene, name) for name in type(self.scene).model_fields}, **changes}
        try:
            return Production(Scene.model_validate(told))
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(str(first.get("ctx", {}).get("error", first["msg"]))) from None

    def sliced(self) -> Production:
        """Return the scene's body and disease with slices beside it, an axial and a sagittal one.

        Approaches are left out. What covers the spine is built, for the slices, and hidden in space where it
        was. Raises ValueError for a scene without a disease, and for one of several bodies.
        """
        own = self.scene
        steps = own.steps or (SceneStep(title=own.title, camera=own.camera),)
        covers = tuple(layer for layer in own.hidden if layer in COVERS)
        hidden = tuple(
            step.model_copy(update={"hide": tuple(dict.fromkeys((*step.hide, *covers)))}) for step in steps
        )
        changes: dict[str, object] = {
            **WITHOUT_OPERATIONS,
            "show": "",
            "hide": tuple(layer for layer in own.hidden if layer not in COVERS),
            "steps": hidden,
            "planes": PLANES,
        }
        changes["anatomy"] = own.anatomy.model_copy(update=_widened(own))
        return self._with(changes)

    def render(
        self,
        path: str | Path,
        *,
        at: float | None = None,
        view: str | None = None,
        layers: str | None = None,
        cut: str | Sequence[str] = (),
        size: tuple[int, int] = (1600, 1000),
        background: Literal["screen", "print"] = "screen",
    ) -> Path:
        """Write the picture of one second as PNG; ``size`` in pixels. Returns the path.

        ``view``, ``layers`` and ``cut`` change what is seen, see `state`. Raises ValueError for a wrong
        argument, OSError for a path that cannot be written, and RenderingUnavailable where nothing can
        render.
        """
        from spineviz.export.png import check_path, write_png

        target = Path(path)
        check_path(target)
        whole = self.covered(layers)
        state = whole.state(at, view, layers, cut)
        write_png(target, whole.assembly.model, state, size=size, background=background, text=text)
        return target

    @cached_property
    def healthy(self) -> Production:
        """The same body without its disease and without operations, bare of muscles, fascia, fat and skin."""
        bare = {
            **dict.fromkeys(("pathologies", "approaches", "steps", "cuts", "views", "planes"), ()),
            **{"title": "", "camera": "posterior", "show": "", "poster": 0.0, "severity": 1.0},
            "hide": tuple(layer for layer in LAYERS if layer in COVERS),
        }
        return Production(self.scene.model_copy(update=bare))

    def measure(self, disc: Disc | None = None, operations: bool = True) -> Report:
        """Measure the scene's body on its geometry, beside the same body in health: `spineviz.measurement`.

        ``disc`` limits it to one. With ``operations`` the ledger of each approach is added.
        Raises ValueError for a disc that the
        scene does not have, and for a scene that compares several bodies.
        """
        if self.scene.compare:
            raise ValueError("one body is measured at a time; this scene compares several")
        shown = self.scene.anatomy
        there = column(6 if shown.variant == "six_lumbar" else 5)
        known = discs_of([level for level in there if level in shown.levels])
        if disc is not None and disc not in known:
            raise ValueError(f"this scene has no disc {disc}; it has: {', '.join(known) or 'none'}")
        from spineviz.measurement import Report, measure
        from spineviz.measurement.operation import operation_rows

        diseased = bool(self.scene.pathologies)
        found = measure(self.assembly, self.healthy.assembly if diseased else None, disc=disc)
        ledgers = operation_rows(self.scene, self.assembly) if operations else ()
        return Report((*found.rows, *ledgers), found.displaced)

    def plate(self, path: str | Path) -> Path:
        """Write every bone of the spine that the scene has, each from four sides, as one PNG.

        Raises ValueError for a wrong path or a scene of several bodies, OSError for a path that cannot be
        written, and RenderingUnavailable where nothing can render.
        """
        from spineviz.export.plate import write_plate
        from spineviz.export.png import check_path

        target = Path(path)
        check_path(target)
        if self.scene.compare:
            raise ValueError("a plate shows the bones of one body; this scene compares several")
        return write_plate(target, self.assembly.model, Message("plate.title"), text)

    def animate(
        self, path: str | Path, *, fps: int = 20, size: tuple[int, int] = (1280, 720), progress: bool = False
    ) -> Path:
        """Write the whole timeline as an H.264 film; ``size`` in pixels. Returns the path.

        ``progress`` shows a bar on the terminal. Raises as `render` does.
        """
        from spineviz.export.film import check_film, write_film

        target = Path(path)
        check_film(target, fps, size)
        write_film(target, self, fps=fps, size=size, progress=progress)
        return target

    def show(self, *, layers: str | None = None) -> None:
        """Open the scene in a window and return when it is closed; ``layers`` as in `state`."""
        whole = self.covered(layers)  # a wrong word is told before anything is built
        from spineviz.desktop import show
        from spineviz.viewer import Viewer, cut_planes

        model = whole.assembly.model
        cuts = cut_planes(model.bones, *framing.target(whole.scene))
        named = framing.cameras(model, whole.scene)
        cameras: dict[str, Camera] = {str(name): camera for name, camera in named.items()}
        viewer = Viewer(model, whole.timeline, cameras, cuts, whole.annotated)
        if layers is not None:
            viewer.show_layers(layers)
        show(viewer)


def _without_disease(scene: Scene) -> Scene:
    """Return the scene of the same body in health, with the same layers."""
    return scene.model_copy(
        update={"pathologies": (), "steps": (), "cuts": (), "planes": (), "severity": 1.0}
    )


def _widened(scene: Scene) -> dict[str, Level]:
    """Return the first and the last level of a scene whose slices show what they would show of a patient."""
    there = column(6 if scene.anatomy.variant == "six_lumbar" else 5)
    above, below = (there.index(level) for level in levels_of(framing.target(scene)[0]))
    first = min(there.index("L1"), above) if above >= there.index("L1") else max(above - 2, there.index("C2"))
    first = min(first, there.index(scene.anatomy.first))
    last = max(min(below + 2, there.index("S1")), there.index(scene.anatomy.last))
    return {"first": there[first], "last": there[last]}


def _known(view: str | None) -> View | None:
    """Return a view by its name; raise ValueError with those there are for any other."""
    if view is None:
        return None
    for known in VIEWS:
        if view == known:
            return known
    raise ValueError(f"there is no view '{view}'; choose one of: {', '.join(VIEWS)}")
