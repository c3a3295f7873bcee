"""What the command line understands: its commands, their options, and their help."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from spineviz import __version__
from spineviz.terms import DISCS, Together

EXAMPLES = """examples:
  spineviz scenes
  spineviz structures sciatic nerve
  spineviz render herniation_l4l5 -o picture.png --at 12 --size 1600x1000
  spineviz render lumbar_l3s1 -o back.png --layers "down to the fascia" --view posterior
  spineviz render herniation_l4l5 -o slice.png --cut "disc L4-L5 keep above" --view axial
  spineviz render --herniation "L4-L5 left subarticular extrusion 7mm caudal" -o picture.png
  spineviz render --stenosis "L4-L5 central Schizas C" -o picture.png
  spineviz render --fracture "L1 burst A3" -o picture.png
  spineviz measure herniation_l4l5
  spineviz animate herniation_l4l5 -o film.mp4
  spineviz show herniation_l4l5
  spineviz mesh L4 -o L4.ply

spineviz informs and teaches. It is not a diagnostic or planning device."""

LAYERS_HELP = (
    "which layers are seen: 'down to the fascia', 'everything but skin', 'bones and nerves', 'only muscles'"
)

CUT_HELP = (
    "open the scene at a plane, once or more: 'axial L4-L5', 'disc L5-S1 keep above', 'sagittal 5', "
    "'coronal L3 -10 keep front of skin and fat'"
)

HERNIATION_HELP = (
    "show this herniation in place of a scene: disc, side, zone, kind, depth and migration in any order: "
    "'L4-L5 left subarticular extrusion 7mm caudal 6mm', 'C5-C6 central protrusion', 'L3-4 bulge'"
)

STENOSIS_HELP = (
    "show this stenosis in place of a scene: disc, place, side and grade in any order: "
    "'L4-L5 central Schizas C', 'L4-L5 left recess 2', 'L5-S1 right foraminal Lee 3', 'L3-L4 60 mm2'"
)

PLANES_HELP = (
    "show an axial and a sagittal slice through the disease beside the scene, like a T2-weighted MRI, with "
    "the dural sac measured"
)

MORPH_HELP = "begin with the healthy body, and see the disease come in the same camera"

DISEASES: Mapping[str, str] = {
    "herniation": HERNIATION_HELP,
    "stenosis": STENOSIS_HELP,
    "listhesis": "show this slip in place of a scene: 'L5-S1 isthmic Meyerding II', 'L4-L5 degenerative I'",
    "degeneration": "show this worn disc in place of a scene: 'L4-L5 Pfirrmann IV', 'L5-S1 V Modic 2'",
    "fracture": "show this fracture in place of a scene: 'L1 burst A3', 'T12 wedge Genant 2'",
    "deformity": "show this curve in place of a scene: 'scoliosis 35 left apex L2', 'kyphosis 25 apex T8'",
}
"""What can be told in one line, and the help for it."""

INSET_HELP = "leave out the round picture of what the surgeon sees"

LEDGER_HELP = "plot the figures of each operation over time under the pictures"

TOGETHER_HELP = (
    "show two operations beside each other, the second as glass over the first (overlay), or one after the "
    "other (in_turn), in place of what the scene says"
)

Commands = argparse._SubParsersAction


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = argparse.ArgumentParser(
        prog="spineviz",
        description="Interactive 3D spine anatomy: disease, and a small incision beside open surgery.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument("--version", action="version", version=f"spineviz {__version__}")
    commands = result.add_subparsers(title="commands", required=True, dest="command", metavar="COMMAND")
    for add in (_lists, _draws, _writes):
        add(commands)
    return result


def _lists(commands: Commands) -> None:
    """Add the commands for what there is."""
    command = _command(commands, "scenes", "list the shipped scenes", "spineviz scenes")

    command = _command(
        commands,
        "structures",
        "list the structures there are, or find some by what they are called",
        "spineviz structures yellow ligament",
        "spineviz structures L5 root left --scene herniation_l4l5",
        "spineviz structures sciatic --json",
        "spineviz structures FMA:13075",
    )
    command.add_argument(
        "words", nargs="*", help="any words for it: name, Latin, everyday words, level, side, tissue, id"
    )
    command.add_argument("--scene", help="those of this scene, which is built where it has not been")
    command.add_argument("--json", action="store_true", help="write JSON, with everything that is known")

    command = _command(commands, "check", "check scene files without drawing", "spineviz check my.toml")
    command.add_argument("scene", nargs="*", help="scene names or .toml files (default: all shipped scenes)")

    command = _command(
        commands,
        "evidence",
        "tell what trials found when two ways of operating were compared",
        "spineviz evidence discectomy",
        "spineviz evidence discectomy --plain",
        "spineviz evidence discectomy --json",
    )
    command.add_argument(
        "pair",
        help="discectomy (tubular), transforaminal or interlaminar (full-endoscopic), each compared with "
        "open microdiscectomy; decompression (laminotomy from one side compared with laminectomy); biportal "
        "(compared with microscopic decompression)",
    )
    command.add_argument("--plain", action="store_true", help="in everyday words")
    command.add_argument("--json", action="store_true", help="write JSON, each finding with its study")


def _draws(commands: Commands) -> None:
    """Add the commands for pictures, films and the window."""
    command = _command(
        commands,
        "render",
        "write one picture (PNG)",
        "spineviz render herniation_l4l5 -o picture.png --at 12 --view close",
        'spineviz render --herniation "L4-L5 left subarticular extrusion 7mm caudal" -o picture.png',
        'spineviz render --stenosis "L4-L5 central Schizas C" --planes -o slices.png',
    )
    _subject(command)
    command.add_argument("-o", "--output", type=Path, required=True, help="the .png file to write")
    command.add_argument(
        "--at", type=float, metavar="SECONDS", help="the second to show (default: the scene's own)"
    )
    command.add_argument("--view", metavar="NAME", help="a named view instead of the scene's camera")
    command.add_argument("--layers", metavar="WORDS", help=LAYERS_HELP)
    command.add_argument("--cut", metavar="WORDS", action="append", default=[], help=CUT_HELP)
    command.add_argument(
        "--size", type=_size, default=(1600, 1000), metavar="WxH", help="pixels (default 1600x1000)"
    )
    command.add_argument("--background", choices=("screen", "print"), default="screen", help="print is white")
    command.add_argument("--planes", action="store_true", help=PLANES_HELP)
    _extras(command)
    command.add_argument(
        "--severity", type=float, metavar="SHARE", help="so much of the disease: 0 a healthy body to 1"
    )

    command = _command(
        commands,
        "plate",
        "write a plate (PNG) of every bone from four sides",
        "spineviz plate whole_spine -o bones.png",
    )
    command.add_argument("scene", help="a shipped scene's name, or a .toml file")
    command.add_argument("-o", "--output", type=Path, required=True, help="the .png file to write")

    command = _command(
        commands,
        "animate",
        "write the scene's film (MP4, H.264)",
        "spineviz animate herniation_l4l5 -o film.mp4 --fps 24 --size 1280x720",
    )
    _subject(command)
    command.add_argument("-o", "--output", type=Path, required=True, help="the .mp4 file to write")
    command.add_argument("--fps", type=int, default=20, metavar="N", help="frames a second (default 20)")
    command.add_argument(
        "--size", type=_size, default=(1280, 720), metavar="WxH", help="pixels (default 1280x720)"
    )
    command.add_argument("--planes", action="store_true", help=PLANES_HELP)
    _extras(command)
    command.add_argument("--morph", action="store_true", help=MORPH_HELP)

    command = _command(commands, "show", "open the scene in a window", "spineviz show herniation_l4l5")
    _subject(command)
    command.add_argument("--planes", action="store_true", help=PLANES_HELP)
    _extras(command)
    command.add_argument("--layers", metavar="WORDS", help=LAYERS_HELP)


def _writes(commands: Commands) -> None:
    """Add the commands for measures, meshes and the library."""
    command = _command(
        commands,
        "measure",
        "measure a scene on its geometry, beside the same body in health",
        "spineviz measure herniation_l4l5",
        "spineviz measure herniation_l4l5 --level L4-L5 --describe",
        "spineviz measure my_scene.toml --json > measures.json",
        "spineviz measure lumbar_l3s1 --csv > measures.csv",
    )
    _subject(command)
    command.add_argument("--level", metavar="DISC", choices=DISCS, help="only this disc, e.g. L4-L5")
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="write JSON, each number with its unit and source")
    form.add_argument("--csv", action="store_true", help="write comma-separated values, a line a measure")
    form.add_argument(
        "--describe", action="store_true", help="tell in words what is found, for professionals and plainly"
    )

    command = _command(
        commands, "mesh", "write one structure as a mesh (RAS, mm)", "spineviz mesh L4 -o L4.ply"
    )
    command.add_argument("structure", help="L4, disc.L4-L5, root.L5.left, multifidus.left, ...")
    command.add_argument("-o", "--output", type=Path, required=True, help="the .ply or .stl file to write")
    command.add_argument("--scene", help="take it from this scene instead of the healthy body")
    command.add_argument(
        "--step", type=float, metavar="MM", help="mesh a bone of the spine anew, as finely as this"
    )

    command = _command(commands, "bake", "build the mesh library in meshes/", "spineviz bake --check")
    command.add_argument("--check", action="store_true", help="only tell whether library and generator agree")

    _command(commands, "schema", "print the JSON schema of a scene file", "spineviz schema > schema.json")


def _subject(command: argparse.ArgumentParser) -> None:
    """Add the ways to say what is shown: a scene, or one disease in words."""
    command.add_argument("scene", nargs="?", help="a shipped scene's name, or a .toml file")
    for kind, about in DISEASES.items():
        command.add_argument(f"--{kind}", metavar="WORDS", help=about)


def _extras(command: argparse.ArgumentParser) -> None:
    """Add what may stand beside an operation."""
    command.add_argument("--no-inset", action="store_true", help=INSET_HELP)
    command.add_argument("--ledger", action="store_true", help=LEDGER_HELP)
    command.add_argument("--together", choices=get_args(Together), help=TOGETHER_HELP)


def _command(
    commands: Commands,
    name: str,
    about: str,
    *examples: str,
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=about,
        description=about[0].upper() + about[1:] + ".",
        epilog="\n  ".join([f"example{'s' * (len(examples) > 1)}:", *examples]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)[xX×](\d+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"'{text}' is no size; write WIDTHxHEIGHT, e.g. 1280x720")
    width, height = int(match[1]), int(match[2])
    if not (64 <= width <= 8192 and 64 <= height <= 8192):
        raise argparse.ArgumentTypeError(f"'{text}' is out of range; each side must be 64 to 8192 pixels")
    return width, height
