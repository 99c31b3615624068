"""Limits and numeric constants of Discord's API, as its documentation states them."""

from typing import Any

Json = dict[str, Any]

COMPONENTS_V2 = 1 << 15
EPHEMERAL = 1 << 6

# the types of components
ROW, BUTTON, SELECT, TEXT_INPUT, SECTION, TEXT, SEPARATOR, CONTAINER, LABEL = (
    1,
    2,
    3,
    4,
    9,
    10,
    14,
    17,
    18,
)

MOST_COMPONENTS = 40
MOST_LETTERS = 4000
MOST_BYTES = 10_170  # undocumented: Discord answers larger component trees with HTTP 500
LONGEST_ID = 100
LONGEST_LABEL = 80
LONGEST_OPTION = 100
MOST_OPTIONS = 25
BUTTONS_PER_ROW = 5

FIELDS_PER_MODAL = 5
LONGEST_TITLE = 45
LONGEST_FIELD = 45
LONGEST_HINT = 100
LONGEST_INPUT = 4000

LONGEST_NONCE = 25
