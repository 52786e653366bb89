"""Mikels' eight emotions, the paper's three classes, and how the one becomes the other.

Paper: Section 2 and Table 1.
Chapter: Building the database.
"""

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

COLOURS = {"positive": "#e0852b", "neutral": "#3d8f8b", "negative": "#6a4c93"}
"""One colour a class in every figure; told apart by colour-blind readers and in greyscale."""


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
