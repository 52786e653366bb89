"""The only module that opens picture files: for the manifest, features, hashes, downloads and figures.

So figures show what the networks receive: the largest page, turned upright, in eight bits.

Chapter: Building the database; Seeing.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from PIL import ExifTags, Image, ImageFile

Source = Path | str | BinaryIO
Formats = list[str] | tuple[str, ...]  # Pillow takes no other sequence

PAGED = ("TIFF", "MPO", "DCX")
"""Formats whose pages may differ in size; Pillow opens icons at their largest, and frames of animations are alike."""
PAGES = 1000
DARK = 16
"""A picture whose wide samples all lie below 1/DARK of their range is refused: it would appear black."""
RUN = {"EPS": "PostScript is a program, which is not run",
       "IPTC": "an IPTC record may hold a file of any kind, PostScript too, which is a program and not run"}
"""Formats for which Pillow starts another program, by themselves or by what they hold, and why they are refused."""
REMEDY = "save it with 8 bits a sample"

WHITE_IS_ZERO, BITS, PHOTOMETRIC, SAMPLE_FORMAT = 0, 258, 262, 339  # of TIFF
UNSIGNED, SIGNED = 1, 2
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90}
"""The transposition that turns a picture of each EXIF orientation upright."""


def open_upright(source: Source, *, formats: Formats | None = None, pixels: int | None = None) -> Image.Image:
    """A fully decoded picture, turned upright, as RGB; arguments and errors as for `opened` and `upright`."""
    with opened(source, formats=formats, pixels=pixels) as picture:
        return upright(picture)


@contextmanager
def opened(source: Source, *, formats: Formats | None = None, pixels: int | None = None) -> Iterator[Image.Image]:
    """The largest page of a picture file, the first of equally large ones. Its header is read, nothing is decoded yet.

    Parameters
    ----------
    formats : Pillow's formats to try; all if None
    pixels : maximum number of pixels, in addition to Pillow's own limit

    Raises
    ------
    Exception
        Whatever Pillow raises for a file that is not a picture or claims too many pixels; ValueError for more than
        PAGES pages, and for formats that would start another program (RUN).
    """
    with Image.open(source, formats=formats) as picture:
        if run := RUN.get(picture.format or ""):
            raise ValueError(f"{run}; save it as a PNG or JPEG file")
        if picture.format in PAGED and (page := _largest_page(source, formats)):
            picture.seek(page)
        if isinstance(picture, ImageFile.ImageFile):
            picture.filename = ""  # or a TIFF that lies on its side is mapped into memory with its sides exchanged
        if pixels and picture.width * picture.height > pixels:
            raise Image.DecompressionBombError(f"{picture.width} x {picture.height}")
        yield picture


def _largest_page(source: Source, formats: Formats | None) -> int:
    """The number of the page with most pixels. A page with an unreadable header ends the file, as in Pillow."""
    with Image.open(source, formats=formats) as picture:
        sizes = [picture.width * picture.height]
        for page in count(1):
            try:
                picture.seek(page)
            except Image.DecompressionBombError:
                raise
            except Exception:  # the end, or whatever a broken header makes a decoder raise
                break
            if page == PAGES:
                raise ValueError(f"it has more than {PAGES} pages; save the one that is meant as a file of its own")
            sizes.append(picture.width * picture.height)
    return sizes.index(max(sizes))


def turn(picture: Image.Image) -> Image.Transpose | None:
    """The transposition that turns a picture upright, from its EXIF, or from XMP where EXIF has none, as in
    `ImageOps.exif_transpose`. Broken EXIF is ignored.
    """
    try:
        return TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # whatever a hostile file makes it raise
        return None


def upright(picture: Image.Image) -> Image.Image:
    """A picture from `opened`, decoded, turned upright and converted to RGB; transparency is dropped.

    Samples of more than eight bits are scaled from their range to eight bits. The range is that of the format (16 bits,
    or 12 in a TIFF); for 32 bits it is the smallest of 8, 16 and 32 bits that covers all samples. Floating-point
    samples lie in 0 to 1, or are whole numbers of 8 or 16 bits.

    Raises
    ------
    Exception
        Whatever Pillow raises for a picture that cannot be decoded; ValueError for wide samples that are not finite,
        outside their range, or so low in it that they must have fewer bits than the file claims.
    """
    deep = any(re.search(";16[LBN]", str(tile)) for tile in getattr(picture, "tile", ()))
    whites = _whites(picture)
    picture.load()
    if picture.mode[0] in "IF":
        decoded = _eight_bits(picture, whites)
    else:
        decoded = picture
        if deep and _brightest(picture) < 256 // DARK:
            raise ValueError(f"none of its 16-bit samples is above {65536 // DARK - 1}: it would be seen as black; "
                             f"{REMEDY}")
    method = turn(picture)
    turned = decoded if method is None else decoded.transpose(method)
    return turned if turned.mode == "RGB" else turned.convert("RGB")


def _brightest(picture: Image.Image) -> int:
    bands = zip(picture.getbands(), picture.split(), strict=True)
    return max(cast(tuple[int, int], band.getextrema())[1] for name, band in bands if name not in "Aa")  # one band's


def _tag(picture: Image.Image, tag: int, default: int) -> int:
    """A tag of a TIFF page, the first of its values; the default for other formats."""
    value = getattr(picture, "tag_v2", {}).get(tag, default)
    return value[0] if isinstance(value, tuple) else value


def _whites(picture: Image.Image) -> tuple[int, ...]:
    """Possible white levels of a picture with wide samples, in ascending order: the first that covers all samples is
    used.
    """
    if picture.mode == "F":
        return 1, 2**8 - 1, 2**16 - 1
    bits = _tag(picture, BITS, 16) - (_tag(picture, SAMPLE_FORMAT, UNSIGNED) == SIGNED)
    return (2**bits - 1,) if bits <= 16 else (2**8 - 1, 2**16 - 1, 2**bits - 1)


def _strips(picture: Image.Image, unsigned: bool) -> Iterator[tuple[int, np.ndarray]]:
    """The wide samples of a picture, some rows at a time: (first row, samples)."""
    rows = 2**22 // picture.width + 1
    for top in range(0, picture.height, rows):
        values = np.asarray(picture.crop((0, top, picture.width, min(top + rows, picture.height))))
        yield top, values.view(np.uint32) if unsigned and values.dtype == np.int32 else values


def _eight_bits(picture: Image.Image, whites: tuple[int, ...]) -> Image.Image:
    """A picture of mode I or F as mode L."""
    unsigned = whites[-1] == 2**32 - 1  # Pillow has them in int32
    white = _white(picture, whites, unsigned)
    inverted = _tag(picture, PHOTOMETRIC, WHITE_IS_ZERO + 1) == WHITE_IS_ZERO
    grey = Image.new("L", picture.size)
    for top, values in _strips(picture, unsigned):
        levels = np.rint(values * 255) if white == 1 else np.floor(values * (256 / (white + 1)))
        levels = levels.astype(np.uint8)
        grey.paste(Image.fromarray(255 - levels if inverted else levels), (0, top))
    return grey


def _white(picture: Image.Image, whites: tuple[int, ...], unsigned: bool) -> int:
    """The white level of a picture of mode I or F."""
    low, high, whole = np.inf, -np.inf, True
    for _, values in _strips(picture, unsigned):
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        if not np.isfinite(values).all():
            raise ValueError(f"it holds samples that are infinite or no numbers; {REMEDY}")
        whole = whole and (values.dtype.kind != "f" or bool((values == np.rint(values)).all()))
    white = next((w for w in whites if high <= w and (whole or w == 1)), None)
    if white is None or low < 0:
        raise ValueError(f"its samples go from {low:g} to {high:g}; expected 0 to 1, or whole numbers from 0 to "
                         f"{whites[-1]}: {REMEDY}")
    if high * DARK < white:
        raise ValueError(f"its samples go from {low:g} to {high:g} of {white}: it would be seen as black; {REMEDY}")
    return white
