"""Every text a user reads, by key and language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from spineviz.structure import Message

_FOLDER = Path(__file__).resolve().parent


def languages() -> tuple[str, ...]:
    """Return the languages that have a catalog."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


@cache
def catalog(language: str = "en") -> Mapping[str, str]:
    """Return a language's texts by dotted key: those of its file, and of the files in its folder.

    Raises ValueError for a language without a catalog.
    """
    path = _FOLDER / f"{language}.toml"
    if not path.is_file():
        raise ValueError(f"no texts for the language '{language}'; there is: {', '.join(languages())}")
    files = [path, *sorted((_FOLDER / language).glob("*.toml"))]
    return {key: words for file in files for key, words in _flat(_read(file), "").items()}


def text(message: Message, language: str = "en") -> str:
    """Return a message as a sentence.

    A parameter that is a text beginning with ``@`` is itself a key; ``@@`` stands for a plain ``@`` at its
    beginning. Raises KeyError where the catalog has no such key, or where the sentence needs a parameter
    that the message does not give.
    """
    texts = catalog(language)
    if message.key not in texts:
        raise KeyError(f"locale/{language}.toml has no text '{message.key}'")
    values = {name: _filled(value, language) for name, value in message.parameters}
    return texts[message.key].format(**values)


def titled(words: str) -> Message:
    """Return the message of a title: a key of the catalog, or words of the user's own."""
    if "{" not in catalog().get(words, "{"):
        return Message(words)
    return Message("plain", (("text", f"@{words}" if words.startswith("@") else words),))


def title(words: str, language: str = "en") -> str:
    """Return the text of a key, or the words themselves where the catalog has no such key."""
    return text(titled(words), language)


def _filled(value: str | float, language: str) -> str | float:
    """Return what a parameter puts into a sentence."""
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    return value[1:] if value.startswith("@@") else text(Message(value[1:]), language)


def _read(path: Path) -> Mapping[str, object]:
    return tomllib.loads(path.read_text("utf-8"))


def _flat(table: Mapping[str, object], prefix: str) -> dict[str, str]:
    result: dict[str, str] = {}
    for name, entry in table.items():
        if isinstance(entry, Mapping):
            result |= _flat(entry, f"{prefix}{name}.")
        else:
            result[prefix + name] = str(entry)
    return result
