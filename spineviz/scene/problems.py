"""What is wrong with a scene file, in words: the place, the problem and what is allowed there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from spineviz.scene.specification import Scene


class SceneError(ValueError):
    """A scene that cannot be shown; the text names the file, the field and what is allowed."""


def explained(name: str, error: ValidationError) -> str:
    """Return a line for each problem of a scene file, given by its name."""
    lines = [
        _problem(item["loc"], item["type"], item["msg"], item.get("ctx", {})) + _nearest(item["type"], item)
        for item in error.errors()
    ]
    return "\n".join(f"{name}: {line}" for line in lines)


def _nearest(kind: str, problem: Mapping[str, Any]) -> str:
    """Return the nearest of the words allowed where another was given."""
    if kind != "literal_error" or not isinstance(problem["input"], str):
        return ""
    allowed = re.findall(r"'([^']*)'", problem["ctx"]["expected"])
    near = get_close_matches(problem["input"], allowed, n=1, cutoff=0.6)
    return f"; nearest to '{problem['input']}': {near[0]}" if near else ""


def _problem(place: Iterable[int | str], kind: str, message: str, context: dict[str, Any]) -> str:
    where = ""
    for part in place:
        where += f"[{part}]" if isinstance(part, int) else f".{part}" if where else str(part)
    if kind == "extra_forbidden":
        return f"{where}: unknown field{_allowed(where)}"
    if kind == "missing":
        return f"{where}: this field is needed"
    if kind == "value_error":
        return f"{where or 'scene'}: {context.get('error', message)}"
    return f"{where}: {message[0].lower()}{message[1:]}"


def _allowed(where: str) -> str:
    """Return the fields allowed beside an unknown one, found in the schema."""
    parent = where.replace("]", "").replace("[", ".").split(".")[:-1]
    root = Scene.model_json_schema()
    options = _properties(root, root, parent)
    return f"; allowed: {', '.join(sorted(options))}" if options else ""


def _properties(root: dict[str, Any], node: dict[str, Any], path: list[str]) -> set[str]:
    while "$ref" in node:
        node = root["$defs"][node["$ref"].rpartition("/")[2]]
    choices = [item for key in ("anyOf", "oneOf") for item in node.get(key, []) if item.get("type") != "null"]
    if choices:
        found = [_properties(root, choice, path) for choice in _chosen(root, choices, path)]
        return set().union(*found)
    if not path:
        return set(node.get("properties", {}))
    head, *rest = path
    if head.isdigit():
        return _properties(root, node.get("items", {}), rest)
    return _properties(root, node.get("properties", {}).get(head, {}), rest)


def _chosen(root: dict[str, Any], choices: list[dict[str, Any]], path: list[str]) -> list[dict[str, Any]]:
    """Return the members of a union that the path's kind points to, and drop the kind from the path."""
    if path:
        for choice in choices:
            target = root["$defs"].get(choice.get("$ref", "").rpartition("/")[2], {})
            if target.get("properties", {}).get("kind", {}).get("const") == path[0]:
                path.pop(0)
                return [choice]
    return choices
