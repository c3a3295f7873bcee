"""What is written on a state: where it is seen from, and the measured strip of each approach."""

from __future__ import annotations

from dataclasses import replace

from spineviz import library
from spineviz.assembly import Assembly, fingerprint
from spineviz.framing import target
from spineviz.model import Chart, Message, State
from spineviz.scene import Scene
from spineviz.surgery.ledger import charted
from spineviz.timeline import Timeline
from spineviz.views import seen_from


def annotated(scene: Scene, assembly: Assembly, state: State) -> State:
    """Return the state with level, side and direction in words, and each pane's measured figures.

    The figures are computed from the geometry that the pane shows.
    """
    direction = ("view", f"@{seen_from(state.panes[0].camera).key}")
    if scene.pathologies or scene.approaches:
        disc, side = target(scene)
        view = Message("view.line", (("level", disc.replace("-", "–")), ("side", f"@side.{side}"), direction))
    elif at := [cut.disc for cut in scene.cuts if cut.disc is not None and cut.plane in ("axial", "disc")]:
        view = Message("view.at", (("level", at[0].replace("-", "–")), direction))
    else:
        levels = ("first", scene.anatomy.first), ("last", scene.anatomy.last)
        view = (
            Message("view.levels", levels)
            if state.layout == "views"
            else Message("view.range", (*levels, direction))
        )
    panes = state.panes
    if assembly.prepared:
        panes = tuple(
            replace(pane, strip=prepared.measure(assembly.model, pane))
            for pane, prepared in zip(state.panes, assembly.prepared, strict=True)
        )
    return replace(state, panes=panes, view=view)


def ledger_chart(scene: Scene, assembly: Assembly, timeline: Timeline) -> Chart:
    """Return what a scene's operations measure over the whole timeline: from the user's cache, or now.

    The scene must have an approach.
    """
    clock = repr((timeline.starts, timeline.seconds))
    path = library.cache_folder() / "ledgers" / f"{library.digest(fingerprint(scene), clock)}.pickle"
    kept = library.read_object(path, Chart)
    if kept is not None:
        return kept
    result = charted([prepared.ledger for prepared in assembly.prepared], timeline)
    library.write_object(path, result)
    return result
