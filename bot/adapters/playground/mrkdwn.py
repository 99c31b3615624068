"""Parse the text objects of Block Kit, their `mrkdwn` and their rich text, into spans."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.adapters.playground.spans import Reader, Span, join_lines, link, plain_spans
from bot.domain.emoji_names import emoji_picture

_FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_TOKEN = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|<(?P<angle>[^<>\n]+)>"
    r"|(?<![\w*])\*(?P<strong>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
    r"|(?<![\w_])_(?P<em>[^\s_](?:[^_\n]*[^\s_])?)_(?![\w_])"
    r"|(?<![\w~])~(?P<s>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])"
    r"|:(?P<emoji>[a-z0-9_+-]{1,40}):"
)
_DATE = re.compile(r"!date\^(-?\d{1,12})\^([^^|]*)")
_PLACE = re.compile(r"\{(\w+)\}")


def text_spans(text: Mapping[str, Any], reader: Reader) -> list[Span]:
    """Parse a text object: `plain_text` literally, `mrkdwn` with its markup."""
    said = str(text.get("text", ""))
    if text.get("type") == "mrkdwn":
        return mrkdwn_spans(said, reader)
    return plain_spans(said)


def mrkdwn_spans(text: str, reader: Reader) -> list[Span]:
    """Parse `mrkdwn`: fences and quotes become blocks, everything else stands in lines."""
    spans: list[Span] = []
    for index, piece in enumerate(_FENCE.split(text)):
        if index % 2:
            spans.append(Span("pre", inside=(Span(text=_unescape(piece)),)))
        elif piece:
            spans += _parse_lines(piece.strip("\n") if index else piece, reader)
    return spans


def _parse_lines(text: str, reader: Reader) -> list[Span]:
    """Parse text without code blocks; put each run of quoted lines into one blockquote."""
    spans: list[Span] = []
    waiting: list[list[Span]] = []
    quoting = False
    for line in [*text.split("\n"), None]:
        quoted = line is not None and line.startswith(("&gt;", ">"))
        if waiting and (line is None or quoted != quoting):
            inside = join_lines(waiting)
            spans += [Span("blockquote", inside=tuple(inside))] if quoting else inside
            waiting = []
        if line is not None:
            said = re.sub(r"^(?:&gt;|>) ?", "", line) if quoted else line
            waiting.append(_inline_spans(said, reader))
            quoting = quoted
    return spans


def _inline_spans(text: str, reader: Reader) -> list[Span]:
    spans: list[Span] = []
    end = 0
    for match in _TOKEN.finditer(text):
        if match.start() > end:
            spans.append(Span(text=_unescape(text[end : match.start()])))
        spans.append(_token(match, reader))
        end = match.end()
    if end < len(text):
        spans.append(Span(text=_unescape(text[end:])))
    return spans


def _token(match: re.Match[str], reader: Reader) -> Span:
    kind, said = str(match.lastgroup), str(match[str(match.lastgroup)])
    if kind == "code":
        return Span("code", inside=(Span(text=_unescape(said)),))
    if kind == "emoji":
        return Span(text=emoji_picture(said))
    if kind == "angle":
        return _angle_span(said, reader)
    return Span(kind, inside=tuple(_inline_spans(said, reader)))


def _angle_span(said: str, reader: Reader) -> Span:
    """Return the span for the text between < and >: a mention, a date or a link."""
    target, _, label = said.partition("|")
    if date := _DATE.match(said):
        return Span(text=_date(int(date[1]), date[2], reader))
    if target.startswith("@"):
        return Span("span", mark="mention", inside=(Span(text=reader.name(target[1:])),))
    if target.startswith("#"):
        return Span("span", mark="mention", inside=(Span(text="#" + (label or target[1:])),))
    if target.startswith("!"):
        return Span("span", mark="mention", inside=(Span(text="@" + (label or target[1:])),))
    return link(_unescape(target), [Span(text=_unescape(label or target))])


def _date(stamp: int, pattern: str, reader: Reader) -> str:
    def said(match: re.Match[str]) -> str:
        name = match[1]
        if name == "ago":
            return reader.moment(stamp, "ago")
        if name.startswith("time"):
            return reader.moment(stamp, "time")
        return reader.moment(stamp, "date")

    return _PLACE.sub(said, pattern)


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


# --- rich text --------------------------------------------------------------------------------


def rich_spans(elements: Sequence[Mapping[str, Any]], reader: Reader) -> list[Span]:
    """Parse the parts of a `rich_text` block, one span for each."""
    return [_rich_span(part, reader) for part in elements]


def _rich_span(part: Mapping[str, Any], reader: Reader) -> Span:
    kind, inside = part.get("type"), part.get("elements", ())
    if kind == "rich_text_list":
        lines = tuple(
            Span("li", inside=tuple(_element_spans(i["elements"], reader))) for i in inside
        )
        tag = "ol" if part.get("style") == "ordered" else "ul"
        return Span(tag, inside=lines, mark=f"indent{min(int(part.get('indent', 0)), 8)}")
    tag = {"rich_text_preformatted": "pre", "rich_text_quote": "blockquote"}.get(str(kind), "p")
    return Span(tag, inside=tuple(_element_spans(inside, reader)))


def _element_spans(elements: Sequence[Mapping[str, Any]], reader: Reader) -> list[Span]:
    return [span for element in elements for span in _spans_of_element(element, reader)]


def _spans_of_element(element: Mapping[str, Any], reader: Reader) -> list[Span]:
    match element.get("type"):
        case "text":
            spans = plain_spans(str(element["text"]))
        case "link":
            said = plain_spans(str(element.get("text") or element["url"]))
            spans = [link(str(element["url"]), said)]
        case "date":
            stamp, pattern = int(element["timestamp"]), str(element["format"])
            spans = [Span(text=_date(stamp, pattern, reader))]
        case "emoji":
            spans = [Span(text=_emoji(element))]
        case kind:
            spans = [
                Span("span", mark="mention", inside=(Span(text=_mention(kind, element, reader)),))
            ]
    return _apply_style(spans, element.get("style") or {})


def _emoji(element: Mapping[str, Any]) -> str:
    points = str(element.get("unicode", ""))
    if re.fullmatch(r"[0-9a-fA-F]{2,5}(-[0-9a-fA-F]{2,5})*", points):
        return "".join(chr(int(point, 16)) for point in points.split("-"))
    return emoji_picture(str(element["name"]))


def _mention(kind: Any, element: Mapping[str, Any], reader: Reader) -> str:
    if kind == "user":
        return reader.name(str(element["user_id"]))
    if kind == "channel":
        return f"#{element['channel_id']}"
    return f"@{element.get('range', kind)}"


def _apply_style(spans: list[Span], style: Mapping[str, Any]) -> list[Span]:
    for name, tag in (("code", "code"), ("bold", "strong"), ("italic", "em"), ("strike", "s")):
        if style.get(name):
            spans = [Span(tag, inside=tuple(spans))]
    return spans
