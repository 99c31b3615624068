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

MAX_COMPONENTS = 40
MAX_LETTERS = 4000
MAX_BYTES = 10_170  # undocumented: Discord answers larger component trees with HTTP 500
MAX_ID = 100
MAX_LABEL = 80
MAX_OPTION = 100
MAX_OPTIONS = 25
BUTTONS_PER_ROW = 5

FIELDS_PER_MODAL = 5
MAX_TITLE = 45
MAX_FIELD = 45
MAX_HINT = 100
MAX_INPUT = 4000

MAX_NONCE = 25
