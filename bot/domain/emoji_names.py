"""Converts Slack's names of emoji to the pictures people see."""

import re
from collections.abc import Set as AbstractSet

MAX_NAME = 100
"""Longest name of an emoji in Slack, in characters."""

_OTHER_NAMES = {
    "barely_sunny": "🌥️",
    "drum_with_drumsticks": "🥁",
    "egg": "🥚",
    "face_palm": "🤦",
    "face_with_cowboy_hat": "🤠",
    "female-doctor": "👩\u200d⚕️",
    "first_place_medal": "🥇",
    "hand_with_index_and_middle_fingers_crossed": "🤞",
    "handball": "🤾",
    "i_love_you_hand_sign": "🤟",
    "juggling": "🤹",
    "keycap_star": "*️⃣",
    "knife_fork_plate": "🍽️",
    "ladybug": "🐞",
    "lightning": "🌩️",
    "male-doctor": "👨\u200d⚕️",
    "medal": "🎖️",
    "mostly_sunny": "🌤️",
    "octagonal_sign": "🛑",
    "partly_sunny_rain": "🌦️",
    "person_doing_cartwheel": "🤸",
    "rain_cloud": "🌧️",
    "satellite": "🛰️",
    "scooter": "🛴",
    "second_place_medal": "🥈",
    "shopping_trolley": "🛒",
    "simple_smile": "🙂",
    "smiling_face_with_3_hearts": "🥰",
    "snow_cloud": "🌨️",
    "spock-hand": "🖖",
    "the_horns": "🤘",
    "third_place_medal": "🥉",
    "thumbsup_all": "👍",
    "tornado_cloud": "🌪️",
    "wrestlers": "🤼",
    "zebra_face": "🦓",
}
"""Names that mean another picture elsewhere, or none."""

_FAMILY = {
    "man": "👨",
    "woman": "👩",
    "boy": "👦",
    "girl": "👧",
    "heart": "❤️",
    "kiss": "❤️\u200d💋",
}
"""Parts of the names of couples and families, such as «man-heart-man»."""
_FLAG = re.compile("flag-([a-z])([a-z])")
_SEX = re.compile("^(fe)?male[-_]")
_TONE = re.compile("skin-tone-([2-6])")
_NAME = re.compile(r":([\w+'-]{1,100}):(?::(skin-tone-[2-6]):)?")
_RUN = re.compile(r"https?://\S+|(?<![\w:])(?::[\w+'-]{1,100}:)+(?![\w:])")
"""Names one after the other, apart from other words: not the middle of `10:30:45` or `a:key:b`.

An address is matched whole, so that nothing is found inside it.
"""


def emoji_picture(name: str) -> str:
    """Return the picture of an emoji with this name in Slack.

    A workspace's own emoji keep their name as `:name:`. Returns an empty text for an invalid name.
    """
    plain, *tones = name.split("::")
    if not plain or len(name) > MAX_NAME or not name.isprintable():
        return ""
    picture = _picture(plain)
    return _apply_skin_tone(picture, tones[0]) if picture and tones else picture or f":{plain}:"


def draw_emoji(text: str, known: AbstractSet[str] | None = None) -> str:
    """Return the text with pictures for the names of emoji in it, such as `:tada:`.

    `known`: the names that are emoji in this text, where the platform says so. Otherwise those are
    which stand apart from other words. Names without a picture stay as they are.
    """
    if known is None:
        return _RUN.sub(
            lambda run: _NAME.sub(_draw_name, run[0]) if run[0].startswith(":") else run[0], text
        )
    return _NAME.sub(lambda found: _draw_name(found) if found[1] in known else found[0], text)


def _draw_name(found: re.Match[str]) -> str:
    tone = f"::{found[2]}" if found[2] else ""
    picture = emoji_picture(found[1] + tone)
    return found[0] if picture.startswith(":") or not picture else picture


def _picture(name: str) -> str:
    if name in _OTHER_NAMES:
        return _OTHER_NAMES[name]
    if flag := _FLAG.fullmatch(name):
        return _emoji_or_empty(
            "".join(chr(0x1F1E6 + ord(letter) - ord("a")) for letter in flag.groups())
        )
    family = name.split("-")
    if len(family) > 1 and all(one in _FAMILY for one in family):
        return _emoji_or_empty("\u200d".join(_FAMILY[one] for one in family))
    other = _SEX.sub(lambda sex: "woman_" if sex[1] else "man_", name)
    other = other.removeprefix("flag-").removeprefix("large_").replace("-", "_")
    return _picture_by_name(name) or _picture_by_name(other)


def _apply_skin_tone(picture: str, tone: str) -> str:
    """Return the picture with the skin tone, or as it is if it has no such variant."""
    colour = _TONE.fullmatch(tone)
    if colour is None:
        return picture
    skin = chr(0x1F3FB + int(colour[1]) - 2)
    return _emoji_or_empty(picture[0] + skin + picture[1:].removeprefix("\ufe0f")) or picture


def _picture_by_name(name: str) -> str:
    import emoji  # a large table, which few processes need

    return _emoji_or_empty(emoji.emojize(f":{name}:", language="alias"))


def _emoji_or_empty(picture: str) -> str:
    """Return the text if it is exactly one Unicode emoji, else an empty text."""
    import emoji

    return picture if emoji.is_emoji(picture) else ""
