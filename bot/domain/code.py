"""Finds the code in a message: between ticks in a line, or between lines of three ticks."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

FENCE = "```"

_LINE = r"|(?<![\w`])(?P<ticks>``?)(?!`)(?P<inline>[^\n]+?)(?<!`)(?P=ticks)(?!`)"
_CODE = re.compile(
    r"```(?:(?P<language>[\w+#.-]{1,20})?\n)?(?P<block>.*?)\n?```" + _LINE, re.DOTALL
)
_CODE_WITHOUT_LANGUAGE = re.compile(r"```\n?(?P<language>)(?P<block>.*?)\n?```" + _LINE, re.DOTALL)


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a message: prose, code in a line, or a block of code with its language."""

    text: str
    kind: Literal["prose", "inline", "block"] = "prose"
    language: str = ""


def split_code(text: str, *, languages: bool = True) -> Iterator[Passage]:
    """Yield the passages of a message in order; ticks belong to no passage.

    One line break beside a block belongs to the block. `languages`: a word behind the ticks that
    open a block names its language, and is not part of the code.
    """
    end = 0
    for found in (_CODE if languages else _CODE_WITHOUT_LANGUAGE).finditer(text):
        passage = _read_passage(found)
        if not passage.text.strip():
            continue
        prose = text[end : found.start()]
        end = found.end()
        if passage.kind == "block":
            prose = prose.removesuffix("\n")
            end += text.startswith("\n", end)
        if prose:
            yield Passage(prose)
        yield passage
    if text[end:]:
        yield Passage(text[end:])


def _read_passage(found: re.Match[str]) -> Passage:
    """Return the code that was found; a language with nothing below it is the code itself."""
    if found["inline"] is not None:
        return Passage(found["inline"], "inline")
    language = found["language"] or ""
    if language and not found["block"]:
        return Passage(language, "block")
    return Passage(found["block"], "block", language)


def rewrite_passages(
    text: str,
    prose: Callable[[str], str],
    code: Callable[[str], str] = str,
    *,
    languages: bool = True,
) -> str:
    """Return the message with its prose and its code rewritten, and the ticks in one form."""
    written: list[str] = []
    for passage in split_code(text, languages=languages):
        if passage.kind == "prose":
            written.append(prose(passage.text))
        elif passage.kind == "inline":
            ticks = "``" if "`" in passage.text else "`"
            written.append(f"{ticks}{code(passage.text)}{ticks}")
        else:
            above = "\n" if written and not written[-1].endswith("\n") else ""
            written.append(f"{above}{FENCE}{passage.language}\n{code(passage.text)}\n{FENCE}\n")
    return "".join(written)


def close_block(text: str) -> str:
    """Return a text with its last block of code closed, if it was cut: it then ends in «…»."""
    return f"{text}\n{FENCE}" if text.endswith("…") and text.count(FENCE) % 2 else text
