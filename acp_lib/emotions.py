"""Mikels' eight emotions, the paper's three classes, and how the one becomes the other.

Paper: Section 2 and Table 1.
Chapter: Building the database.
"""

from collections.abc import Iterable

CLASSES = ("positive", "neutral", "negative")
"""From the more to the less positive: a tie between song scores goes to the one that stands first."""

REGROUPING = {
    "awe": "positive",
    "amusement": "positive",
    "excitement": "positive",
    "contentment": "neutral",
    "fear": "negative",
    "disgust": "negative",
    "anger": "negative",
    "sadness": "negative",
}
"""Table 1 of the paper: emotion of the Image Emotion database -> class."""

EMOTIONS = tuple(REGROUPING)


def present(labels: Iterable[str]) -> list[str]:
    """Those of the eight emotions, then of the three classes, that occur among some labels, in the book's order.

    Chapter: Building the database; Seeing.
    """
    held = set(labels)
    return [label for label in (*EMOTIONS, *CLASSES) if label in held]


def regroup(emotion: str) -> str:
    """The class of one of the eight emotions.

    Raises
    ------
    ValueError
        If `emotion` is none of the eight.

    Paper: Table 1.  Chapter: Building the database.
    """
    try:
        return REGROUPING[emotion]
    except KeyError:
        raise ValueError(f"emotion is {emotion!r}; expected one of {', '.join(EMOTIONS)}") from None
