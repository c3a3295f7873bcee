"""The command line: ``spineviz scenes | structures | check | render | plate | animate | show | ...``."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from spineviz.arguments import DISEASES, parser

if TYPE_CHECKING:
    from spineviz.production import Production

USAGE_ERROR = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 2 for a user's mistake, 130 for Ctrl-C."""
    options = parser().parse_args(arguments)
    try:
        code = COMMANDS[options.command](options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has read enough, as ``head`` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("\ninterrupted; nothing half-written was left", file=sys.stderr)
        return INTERRUPTED
    except (ValueError, OSError) as error:
        _complain(error)
        return USAGE_ERROR
    return code


def _complain(error: Exception) -> None:
    """Tell what went wrong, a line for each problem."""
    text = str(error)
    if isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: {error.strerror or error}"
    for line in text.splitlines():
        print(f"spineviz: {line}", file=sys.stderr)


def _scenes(options: argparse.Namespace) -> int:
    from spineviz import scene
    from spineviz.locale import title

    for name in scene.names():
        print(f"{name:24} {title(scene.load(name).title)}")
    return 0


def _structures(options: argparse.Namespace) -> int:
    import spineviz
    from spineviz.listing import as_json, as_table
    from spineviz.nomenclature import nothing_found

    words = " ".join(options.words)
    entries = spineviz.structures(words, options.scene)
    if options.json:
        print(as_json(entries))
    elif entries:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        print(as_table(entries, width))
    if not entries:
        print(f"spineviz: {nothing_found(words)}", file=sys.stderr)
        return USAGE_ERROR
    return 0


def _check(options: argparse.Namespace) -> int:
    from spineviz import scene

    code = 0
    for source in options.scene or scene.names():
        try:
            scene.check(source)
        except scene.SceneError as error:
            _complain(error)
            code = USAGE_ERROR
        else:
            print(f"{source}: valid")
    if not options.scene:
        scene.check_schema()
    return code


def _render(options: argparse.Namespace) -> int:
    _planned(options).render(
        options.output,
        at=options.at,
        view=options.view,
        layers=options.layers,
        cut=options.cut,
        size=options.size,
        background=options.background,
    )
    print(options.output)
    return 0


def _planned(options: argparse.Namespace) -> Production:
    """Return the scene that is asked for, with what is wanted beside it, or as its disease comes."""
    asked = _asked(options)
    if getattr(options, "severity", None) is not None:
        asked = asked.at_severity(options.severity)
    if getattr(options, "morph", False):
        asked = asked.growing()
    if options.planes:
        asked = asked.sliced()
    return asked.with_extras(
        inset=False if options.no_inset else None,
        ledger=True if options.ledger else None,
        together=options.together,
    )


def _asked(options: argparse.Namespace) -> Production:
    """Return the scene that is named, or the one of a disease that is told in words."""
    import spineviz

    told = {kind: words for kind in DISEASES if (words := getattr(options, kind)) is not None}
    if len(told) + (options.scene is not None) != 1:
        ways = ", ".join(f"--{kind}" for kind in DISEASES)
        raise ValueError(f"name a scene, or say one disease with its words: {ways}")
    for kind, words in told.items():
        shown: Production = getattr(spineviz, kind)(words)
        return shown
    return spineviz.load(options.scene)


def _measure(options: argparse.Namespace) -> int:
    from spineviz.locale import text
    from spineviz.measurement.table import as_csv, as_json, as_table, as_words
    from spineviz.model import Message

    scene = _asked(options)
    told = (options.scene, *(getattr(options, kind) for kind in DISEASES))
    name = next(str(words) for words in told if words is not None)
    if sys.stderr.isatty():
        print(text(Message("measure.progress", (("scene", name),))), file=sys.stderr)
    report = scene.measure(options.level, operations=not options.describe)
    if options.json:
        print(as_json(report, name))
    else:
        print(as_csv(report) if options.csv else as_words(report) if options.describe else as_table(report))
    return 0


def _evidence(options: argparse.Namespace) -> int:
    from spineviz.evidence import as_card, as_json

    print(as_json(options.pair) if options.json else as_card(options.pair, options.plain))
    return 0


def _plate(options: argparse.Namespace) -> int:
    import spineviz

    spineviz.load(options.scene).plate(options.output)
    print(options.output)
    return 0


def _animate(options: argparse.Namespace) -> int:
    _planned(options).animate(options.output, fps=options.fps, size=options.size, progress=True)
    print(options.output)
    return 0


def _show(options: argparse.Namespace) -> int:
    _planned(options).show(layers=options.layers)
    return 0


def _mesh(options: argparse.Namespace) -> int:
    from spineviz.export.mesh import write_structure

    write_structure(options.output, options.structure, options.scene, options.step)
    print(options.output)
    return 0


def _bake(options: argparse.Namespace) -> int:
    from spineviz.body import bake

    if options.check:
        print(bake.check())
    else:
        bake.bake(partial(print, flush=True))
    return 0


def _schema(options: argparse.Namespace) -> int:
    from spineviz import scene

    print(scene.schema(), end="")
    return 0


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "scenes": _scenes,
    "structures": _structures,
    "check": _check,
    "render": _render,
    "measure": _measure,
    "evidence": _evidence,
    "plate": _plate,
    "animate": _animate,
    "show": _show,
    "mesh": _mesh,
    "bake": _bake,
    "schema": _schema,
}
"""What each command does; it returns the exit code."""


if __name__ == "__main__":
    sys.exit(main())
