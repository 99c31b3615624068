"""Parse Discord's Markdown into spans: exactly its own small dialect."""

import re
from collections.abc import Iterator

from bot.adapters.playground.spans import Reader, Span, TimeStyle, join_lines, link

_FENCE = re.compile(r"```(?:[\w+-]*\n)?(.*?)\n?```", re.DOTALL)
_HEADING = re.compile(r"(#{1,3}) +(.+)")
_ITEM = re.compile(r"( *)([-*]|\d{1,9}\.) +(.+)")
_TOKEN = re.compile(
    r"\\(?P<escaped>[^\w\s]|_)"
    r"|(?<!`)(?P<ticks>``?)(?!`)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)"
    r"|<t:(?P<stamp>-?\d{1,12})(?::(?P<style>[tTdDfFR]))?>"
    r"|<@[!&]?(?P<user>[^\s<>]+)>|<#(?P<channel>\d+)>"
    r"|\[(?P<label>(?:\\.|[^\[\]\\\n])+)\]\(<?(?P<target>https?://[^\s)>]+)>?\)"
    r"|<(?P<bare>https?://[^\s<>]+)>|(?P<url>https?://[^\s<>]*[^\s<>.,:;!?)\]'\"])"
    r"|\*\*\*(?P<both>(?:\\.|[^*\\\n])+)\*\*\*"
    r"|\*\*(?P<strong>(?:\\.|\*(?!\*)|[^*\\\n])+)\*\*"
    r"|__(?P<u>(?:\\.|_(?!_)|[^_\\\n])+)__"
    r"|\*(?P<em>(?:\\.|[^*\s\\])(?:\\.|[^*\\\n])*)\*"
    r"|(?<!\w)_(?P<em2>(?:\\.|[^_\\\n])+)_(?!\w)"
    r"|~~(?P<s>(?:\\.|[^~\\\n])+)~~"
    r"|\|\|(?P<spoiler>(?:\\.|[^|\\\n])+)\|\|"
)
_STYLES: dict[str, TimeStyle] = {
    "t": "time",
    "T": "time",
    "d": "date",
    "D": "date",
    "F": "full",
    "R": "ago",
}


def markdown_spans(text: str, reader: Reader) -> list[Span]:
    """Parse text: fences first; then headings, quotes, lists and small print line by line."""
    spans: list[Span] = []
    for index, piece in enumerate(_FENCE.split(text)):
        if index % 2:
            spans.append(Span("pre", inside=(Span(text=piece),)))
        elif piece.strip("\n"):
            spans += _blocks(piece.strip("\n"), reader)
    return spans


def _blocks(text: str, reader: Reader) -> list[Span]:
    spans: list[Span] = []
    for kind, lines in _runs(text.split("\n")):
        spans.append(_block(kind, lines, reader))
    return spans


def _runs(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield neighbouring lines of one kind together, but each heading and small print alone."""
    kind, run = "", list[str]()
    for index, line in enumerate(lines):
        if line.startswith(">>> "):
            rest = [line[4:], *lines[index + 1 :]]
            yield from [(kind, run)] if run else []
            yield "quote", rest
            return
        found = _kind(line)
        if run and (found != kind or found in ("heading", "small")):
            yield kind, run
            run = []
        kind = found
        run.append(line)
    yield kind, run


def _kind(line: str) -> str:
    if _HEADING.fullmatch(line):
        return "heading"
    if line.startswith("-# "):
        return "small"
    if line.startswith("> "):
        return "quote"
    return "list" if _ITEM.fullmatch(line) else "text"


def _block(kind: str, lines: list[str], reader: Reader) -> Span:
    if kind == "heading" and (heading := _HEADING.fullmatch(lines[0])):
        inside = tuple(inline_spans(heading[2], reader))
        return Span("p", mark=f"h{len(heading[1])}", inside=inside)
    if kind == "small":
        return Span("p", mark="small", inside=tuple(inline_spans(lines[0][3:], reader)))
    if kind == "list":
        return _list(lines, reader)
    said = [
        inline_spans(line.removeprefix("> ") if kind == "quote" else line, reader) for line in lines
    ]
    return Span("blockquote" if kind == "quote" else "p", inside=tuple(join_lines(said)))


def _list(lines: list[str], reader: Reader) -> Span:
    items = [found for line in lines if (found := _ITEM.fullmatch(line))]
    spans = tuple(
        Span("li", mark=f"indent{min(len(i[1]) // 2, 8)}", inside=tuple(inline_spans(i[3], reader)))
        for i in items
    )
    return Span("ol" if items[0][2][0].isdigit() else "ul", inside=spans)


def inline_spans(text: str, reader: Reader) -> list[Span]:
    """Parse emphasis, code, links, mentions and times within a line."""
    spans: list[Span] = []
    end = 0
    for match in _TOKEN.finditer(text):
        if match.start() > end:
            spans.append(Span(text=text[end : match.start()]))
        spans.append(_token(match, reader))
        end = match.end()
    if end < len(text):
        spans.append(Span(text=text[end:]))
    return spans


def _token(match: re.Match[str], reader: Reader) -> Span:
    found = {name: said for name, said in match.groupdict().items() if said is not None}
    match found:
        case {"escaped": said}:
            return Span(text=said)
        case {"code": said}:
            return Span("code", inside=(Span(text=said),))
        case {"stamp": stamp}:
            shown = reader.moment(int(stamp), _STYLES.get(found.get("style", ""), "long"))
            return Span("span", mark="time", inside=(Span(text=shown),))
        case {"user": said}:
            return Span("span", mark="mention", inside=(Span(text=reader.name(said)),))
        case {"channel": said}:
            return Span("span", mark="mention", inside=(Span(text=f"#{said}"),))
        case {"target": target, "label": label}:
            return link(target, inline_spans(label, reader))
        case {"bare": said} | {"url": said}:
            return link(said, [Span(text=said)])
        case _:
            return _emphasis(found, reader)


def _emphasis(found: dict[str, str], reader: Reader) -> Span:
    name, said = next(iter(found.items()))
    inside = tuple(inline_spans(said, reader))
    if name == "both":
        return Span("strong", inside=(Span("em", inside=inside),))
    if name == "spoiler":
        return Span("span", mark="spoiler", inside=inside)
    return Span("em" if name == "em2" else name, inside=inside)
