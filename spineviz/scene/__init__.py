"""The scene file: what to show, validated; TOML in and out, JSON schema out."""

from spineviz.scene.problems import SceneError
from spineviz.scene.reading import check, check_schema, dumps, find, load, loads, names, schema
from spineviz.scene.single import shown, shown_herniation, shown_stenosis
from spineviz.scene.specification import AnatomyRange, Body, Compared, Scene, SceneStep

__all__ = [
    "AnatomyRange",
    "Body",
    "Compared",
    "Scene",
    "SceneError",
    "SceneStep",
    "check",
    "check_schema",
    "dumps",
    "find",
    "load",
    "loads",
    "names",
    "schema",
    "shown",
    "shown_herniation",
    "shown_stenosis",
]
