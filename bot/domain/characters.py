"""What is one character to a reader, how long a text is, and what of it nobody can see."""

import re
import unicodedata

MAX_MARKS = 4
"""Combining marks kept on one letter; more of them only disfigure the lines around it."""

_JOINER, _NON_JOINER = "\u200d", "\u200c"
_BLACK_FLAG = "\U0001f3f4"
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e001f\U000e0080-\U000e0fff]"
)
_LINE_BREAKS = re.compile("\r\n|[\r\u2028\u2029]")
_JOINING_SCRIPTS = (
    "ARABIC", "SYRIAC", "MANDAIC", "NKO ", "MONGOLIAN", "DEVANAGARI", "BENGALI", "GURMUKHI",
    "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "TIBETAN",
    "MYANMAR", "KHMER",
)  # fmt: skip
"""Scripts whose letters change shape with a joiner between them; in all others it only hides."""
_VIRAMA = 9
"""Combining class of the sign after which a joiner decides how an Indic consonant is drawn."""


def utf16_length(text: str) -> int:
    """Return the length in UTF-16 units, as both platforms count: an emoji takes two."""
    return len(text) + (0 if text.isascii() else sum(letter > "\uffff" for letter in text))


def continues_character(text: str, at: int) -> bool:
    """Return whether the code point at `at` belongs to the visible character before it."""
    before, after = text[at - 1], text[at]
    if before == _JOINER or after == _JOINER or unicodedata.category(after).startswith("M"):
        return True
    if _is_flag_letter(after):
        start = at
        while start and _is_flag_letter(text[start - 1]):
            start -= 1
        return (at - start) % 2 == 1
    return "\U0001f3fb" <= after <= "\U0001f3ff" or _is_tag(after)


def cut_at_character(text: str, end: int) -> str:
    """Return the text up to `end`, or somewhat less if that would split a visible character."""
    whole = end
    while whole and whole < len(text) and continues_character(text, whole):
        whole -= 1
    return text[: whole or end]


def remove_invisible(text: str) -> str:
    """Return the text without what nobody sees: it could hide something or turn lines around.

    Joiners stay where they shape letters or make one emoji of several. Line breaks and tabs stay
    too; any other control character becomes a space.
    """
    if text.isascii() and text.isprintable():
        return text
    rest = _HIDDEN.sub("", _LINE_BREAKS.sub("\n", text))
    kept: list[str] = []
    marks = 0
    for at, letter in enumerate(rest):
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind in ("Mn", "Me") and not _is_variation(letter) else 0
        if (
            marks > MAX_MARKS
            or kind == "Cs"
            or not _has_effect(kept, letter, rest[at + 1 : at + 2])
        ):
            continue
        kept.append(" " if kind == "Cc" and letter not in "\n\t" else letter)
    return "".join(kept)


def _has_effect(kept: list[str], letter: str, after: str) -> bool:
    """Return whether a character without a shape of its own changes how the text is drawn."""
    before = kept[-1] if kept else ""
    if letter in (_JOINER, _NON_JOINER):
        return _joins(before, letter, after)
    if _is_tag(letter):
        return before == _BLACK_FLAG or (bool(before) and _is_tag(before))
    if _is_variation(letter):
        return not (before == "" or before.isspace() or _is_variation(before) or _is_latin(before))
    return True


def _joins(before: str, joiner: str, after: str) -> bool:
    if not before:
        return False
    if joiner == _JOINER and (_is_picture(before) or _is_variation(before)):
        return bool(after) and _is_picture(after)
    if joiner == _JOINER and unicodedata.combining(before) == _VIRAMA:
        return True
    return _is_of_joining_script(before) and bool(after) and _is_of_joining_script(after)


def _is_of_joining_script(letter: str) -> bool:
    return letter > "\u05ff" and unicodedata.name(letter, "").startswith(_JOINING_SCRIPTS)


def _is_picture(letter: str) -> bool:
    return unicodedata.category(letter) in ("So", "Sk")


def _is_latin(letter: str) -> bool:
    return letter.isascii() and letter.isalpha()


def _is_variation(letter: str) -> bool:
    """Return whether this chooses how the character before it is drawn, as text or as emoji."""
    return "\ufe00" <= letter <= "\ufe0f"


def _is_tag(letter: str) -> bool:
    return "\U000e0020" <= letter <= "\U000e007f"


def _is_flag_letter(letter: str) -> bool:
    return "\U0001f1e6" <= letter <= "\U0001f1ff"
