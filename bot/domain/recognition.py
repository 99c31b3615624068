"""How likely it is that words without a verb are for a command: from 0 to 100."""

EXACT = 100.0
"""It has exactly this name; something else of that name may be meant only if it comes first."""
CLOSE = 80.0
"""The name is misspelt."""
FOUND = 60.0
"""The words are part of a name, or stand in a profile."""
NEAR = 40.0
"""Something has a name that is not unlike it."""
GUESS = 1.0
"""Nothing speaks for it, but a question must go somewhere."""

MIN_VERB = 72.0
"""Likeness from which a word is a misspelt verb rather than something less than exact."""
