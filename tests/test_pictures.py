"""One reader of pictures for all: orientation, depth, pages, and files that were damaged at random."""

import io
import os
import struct
import time

import numpy as np
import pytest
from PIL import Image, ImageOps

from acp_lib.audits import leakage
from acp_lib.database import copies, manifest
from acp_lib.database.acquire import client
from acp_lib.database.acquire.journal import Missed
from acp_lib.features import picture
from acp_lib.features.image import read
from acp_lib.figures import style

DAMAGED = int(os.environ.get("ACP_DAMAGED", "200"))
"""How many damaged pictures are tried."""

COLOURS = np.array([[[250, 20, 20], [20, 200, 20]], [[30, 30, 250], [240, 240, 60]]], np.uint8)
UPRIGHT = Image.fromarray(COLOURS).resize((48, 32), Image.Resampling.NEAREST)
STORED = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transposition that a camera so held applies
RGB, GREY = np.asarray(UPRIGHT), np.asarray(UPRIGHT.convert("L"))


def stored(orientation):
    return UPRIGHT if orientation == 1 else UPRIGHT.transpose(Image.Transpose(STORED[orientation]))


def inspected(*paths):
    rows = [{"id": p.name, "modality": "image", "path": p.name, "emotion": "awe", "class": "positive", "artist": "",
             "title": ""} for p in paths]
    return manifest.inspected(paths[0].parent, manifest.candidates(rows), progress=False)


def same_everywhere(path):
    """The picture, after every reader was held against it."""
    expected = picture.open_upright(path)
    assert expected.mode == "RGB"
    resized = np.asarray(expected.resize((32, 32), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(read(path, 32) - resized).max() <= 1
    np.testing.assert_array_equal(style.thumbnail(path, 24), np.asarray(ImageOps.fit(expected, (24, 24))))
    assert leakage.hashes([path])[0] == leakage.picture_hash(expected)
    assert copies.described([path])[0][1] == copies.fingerprint(expected)
    return expected


def shown(path):
    """`same_everywhere`, for a picture that is none of the rejects."""
    samples, bad = inspected(path)
    assert len(samples) == 1, bad["reason"].tolist()
    return np.asarray(same_everywhere(path)).astype(int)


def refused(path):
    """Why the manifest rejects a picture; features raise the same."""
    samples, bad = inspected(path)
    assert not samples and bad["path"].tolist() == [path.name]
    reason, = bad["reason"]
    with pytest.raises(Exception) as error:  # noqa: PT011 - its text is compared
        read(path)
    assert reason == f"cannot be read: {type(error.value).__name__}: {error.value}".replace(f"{path.parent}/", "")
    return reason


def close(found, expected, tolerance=25):
    """Whether the middles of the four quarters agree."""
    places = [(h * i // 4, w * j // 4) for h, w in [found.shape[:2]] for i in (1, 3) for j in (1, 3)]
    return found.shape == expected.shape and \
        max(np.abs(found[p] - expected[p].astype(int)).max() for p in places) <= tolerance


# orientation

KINDS = {"byte": (1, "B"), "ascii": (2, "B"), "short": (3, "H"), "long": (4, "I"), "sbyte": (6, "b"),
         "undefined": (7, "B"), "sshort": (8, "h"), "slong": (9, "i"), "float": (11, "f"), "double": (12, "d")}
HEADER = b"Exif\0\0"


def ifd(order, entries, offset=8, count=None):
    """A TIFF header and a directory: (tag, type, count, four bytes of value)."""
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, offset)
    body = b"".join(struct.pack(f"{order}HHI", tag, kind, n) + value.ljust(4, b"\0") for tag, kind, n, value in entries)
    return head + struct.pack(f"{order}H", len(entries) if count is None else count) + body + bytes(4)


def said(order, kind, value, n=1):
    number, letter = KINDS[kind]
    return 0x0112, number, n, struct.pack(f"{order}{letter}", value)


def xmp(text):
    return b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + text.encode() + b"</x:xmpmeta>"


def attribute(value):
    return xmp(f'<rdf:Description tiff:Orientation="{value}"/>')


RESOLUTION = (0x0128, 2, 4, b"dpi\0")  # a unit that is text: Pillow reads it, and cannot write it again
FAR = (0x010F, 2, 400, struct.pack("<I", 70000))  # a maker's name that lies behind the end

HEADERS = {  # what stands in the JPEG file's APP1 segments, and whether its orientation counts: None if Pillow decides
    **{f"{k} {o}": (lambda v, o=o, k=k: [HEADER + ifd(o, [said(o, k, v)])], True)
       for o in "<>" for k in ("short", "long", "sshort", "slong", "float")},
    **{f"{k} {o}": (lambda v, o=o, k=k: [HEADER + ifd(o, [said(o, k, v)])], False)
       for o in "<>" for k in ("byte", "ascii", "undefined")},
    "two values": (lambda v: [HEADER + ifd("<", [(0x0112, 3, 2, struct.pack("<HH", v, v))])], True),
    "no value": (lambda v: [HEADER + ifd("<", [said("<", "short", v, 0)])], False),
    "XMP first": (lambda v: [xmp("nothing"), HEADER + ifd(">", [said(">", "short", v)])], True),
    "XMP says other": (lambda v: [attribute(v % 8 + 1), HEADER + ifd(">", [said(">", "long", v)])], True),
    "doubled header": (lambda v: [HEADER + HEADER + ifd("<", [said("<", "short", v)])], True),
    "in two segments": (lambda v: [HEADER + ifd("<", [said("<", "short", v)])[:15],
                                   HEADER + ifd("<", [said("<", "short", v)])[15:]], True),
    "unit is text": (lambda v: [HEADER + ifd(">", [said(">", "short", v), RESOLUTION])], True),
    "name out of file": (lambda v: [HEADER + ifd("<", [FAR, said("<", "short", v)])], None),
    "cut after it": (lambda v: [HEADER + ifd("<", [said("<", "short", v)], count=9)], True),
    "cut within it": (lambda v: [HEADER + ifd("<", [said("<", "short", v)])[:17]], False),
    "directory out of file": (lambda v: [HEADER + ifd("<", [said("<", "short", v)], offset=9999)], False),
    "no TIFF header": (lambda v: [HEADER + b"\0\x08\0\x02\x01\x12\0\x03" + bytes([v] * 16)], False),
    "only a header": (lambda v: [HEADER], False),
    "nothing": (lambda v: [], False),
    "XMP alone": (lambda v: [attribute(v)], True),
    "XMP element": (lambda v: [xmp(f"<tiff:Orientation>{v}</tiff:Orientation>")], True),
    "out of range": (lambda v: [HEADER + ifd("<", [said("<", "short", v + 8)])], False),
}


def jpeg(path, image, segments, **options):
    data = io.BytesIO()
    image.save(data, "JPEG", quality=95, **options)
    more = b"".join(b"\xff\xe1" + struct.pack(">H", len(s) + 2) + s for s in segments)
    path.write_bytes(data.getvalue()[:2] + more + data.getvalue()[2:])
    return path


def pillows(path):
    """What Pillow makes of a picture; None where it fails."""
    with Image.open(path) as file:
        try:
            return np.asarray(ImageOps.exif_transpose(file).convert("RGB"))
        except Exception:  # noqa: BLE001 - as it may raise anything
            return None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Corrupt EXIF", "ignore:Truncated", "ignore:.*[Mm]etadata")
@pytest.mark.parametrize("name", HEADERS)
def test_a_jpeg_lies_as_pillow_turns_it(tmp_path, name):
    make, counts = HEADERS[name]
    for orientation in STORED:
        for options in ({}, {"dpi": (72, 72)}):
            path = jpeg(tmp_path / "a.jpg", stored(orientation), make(orientation), **options)
            found, known = shown(path), pillows(path)
            assert counts is None or close(found, RGB if counts else np.asarray(stored(orientation))), orientation
            assert known is None or np.array_equal(found, known), orientation


@pytest.mark.slow
@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif", "a.avif"])
def test_other_formats_are_turned_too(tmp_path, name, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored(orientation).save(tmp_path / name, exif=exif)
    assert close(shown(tmp_path / name), RGB)


@pytest.mark.slow
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate", "jpeg"])
@pytest.mark.parametrize("orientation", STORED)
def test_a_tiff_is_turned_once(tmp_path, orientation, compression):
    stored(orientation).save(tmp_path / "a.tif", tiffinfo={0x0112: orientation}, compression=compression)
    assert close(shown(tmp_path / "a.tif"), RGB)


def test_broken_exif_in_a_png_is_none(tmp_path):
    for garbage in (b"\0\x08\0\x02\x01\x12\0\x03", b"", b"II*\0", b"MM\0*\xff\xff\xff\xff", bytes(100)):
        UPRIGHT.save(tmp_path / "a.png", exif=HEADER + garbage)
        assert close(shown(tmp_path / "a.png"), RGB)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(640, 480), (77, 641), (1, 1), (33, 20), (1300, 900)])
@pytest.mark.parametrize("how", [{"quality": 95}, {"quality": 40, "progressive": True}, {"subsampling": 1},
                                 {"keep_rgb": True}])
def test_both_decoders_give_a_jpeg_the_same_pixels(tmp_path, size, how):
    """Those of the plain way, bit for bit: so are the features."""
    for mode in ("RGB", "L"):
        pixels = np.random.default_rng(size).integers(0, 256, (12, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).convert(mode).save(tmp_path / "a.jpg", **how)
        for orientation in (1, 6, 7):
            path = jpeg(tmp_path / "b.jpg", Image.open(tmp_path / "a.jpg"),
                        [HEADER + ifd("<", [said("<", "short", orientation)])])
            np.testing.assert_array_equal(read(path, 96), by_torchvision(path, 96))


def by_torchvision(path, size):
    """A picture decoded, turned and resized by torchvision alone."""
    import torch
    from torchvision.io import ImageReadMode, decode_jpeg
    from torchvision.transforms.v2 import functional

    data = torch.frombuffer(bytearray(path.read_bytes()), dtype=torch.uint8)
    pixels = decode_jpeg(data, ImageReadMode.RGB, apply_exif_orientation=True)
    return functional.resize(pixels, [size, size], antialias=True).permute(1, 2, 0).numpy()


# depth

NUMBERS = {"u": 1, "i": 2, "f": 3}


def tiff(path, *pages, order="<", **tags):
    """Uncompressed TIFF pages: arrays (height, width) or (height, width, samples); `tags` stand in each page."""
    data, link = bytearray((b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 0)), 4
    for page in pages:
        page = np.asarray(page)
        place = len(data)
        data += page.astype(page.dtype.newbyteorder(order)).tobytes() + bytes(place % 2)
        samples = page.shape[2] if page.ndim == 3 else 1
        entries = {256: page.shape[1], 257: page.shape[0], 258: page.itemsize * 8, 259: 1,
                   262: 2 if samples > 1 else 1, 273: place, 277: samples, 278: page.shape[0], 279: page.nbytes,
                   339: NUMBERS[page.dtype.kind], **{int(k[1:]): v for k, v in tags.items()}}
        each = len(data)
        if samples > 1:
            data += struct.pack(f"{order}{2 * samples}H", *[entries[258]] * samples, *[entries[339]] * samples)
        data += bytes(len(data) % 2)
        data[link:link + 4] = struct.pack(f"{order}I", len(data))
        data += struct.pack(f"{order}H", len(entries))
        for tag, value in sorted(entries.items()):
            if samples > 1 and tag in (258, 339):
                data += struct.pack(f"{order}HHII", tag, 3, samples, each + (tag == 339) * 2 * samples)
            else:
                data += struct.pack(f"{order}HHII", tag, 4, 1, value)
        link = len(data)
        data += bytes(4)
    path.write_bytes(data)
    return path


WIDE = (GREY.astype(float) + 0.5) / 256  # 0 to 1

SCALED = {
    "float 0 to 1": (WIDE.astype("f4"), {}), "float, big-endian": (WIDE.astype("f4"), {"order": ">"}),
    "float of 8 bits": (GREY.astype("f4"), {}), "float of 16 bits": ((WIDE * 65536).astype("u2").astype("f4"), {}),
    "int32 of 8 bits": (GREY.astype("i4"), {}), "int32 of 16 bits": ((WIDE * 65536).astype("i4"), {}),
    "int32": ((WIDE * 2**31).astype("i4"), {}), "int32, big-endian": ((WIDE * 2**31).astype("i4"), {"order": ">"}),
    "uint32": ((WIDE * 2**32).astype("u4"), {}), "uint32 of 8 bits": (GREY.astype("u4"), {}),
    "int16": ((WIDE * 2**15).astype("i2"), {}), "int16, big-endian": ((WIDE * 2**15).astype("i2"), {"order": ">"}),
    "uint16": ((WIDE * 2**16).astype("u2"), {}), "uint16, big-endian": ((WIDE * 2**16).astype("u2"), {"order": ">"}),
    "white is zero": (65535 - (WIDE * 2**16).astype("u2"), {"t262": 0}),
    "float, white is zero": ((1 - WIDE).astype("f4"), {"t262": 0}),
    "8 bits": (GREY, {}), "RGB of 16 bits": (RGB.astype("u2") * 257, {}),
    "RGB of 16 bits, big-endian": (RGB.astype("u2") * 257, {"order": ">"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SCALED)
def test_wide_samples_are_scaled_by_their_range(tmp_path, name):
    values, how = SCALED[name]
    expected = RGB if values.ndim == 3 else np.asarray(Image.fromarray(GREY).convert("RGB"))
    for orientation in (1, 6, 7):
        turned = np.asarray(values) if orientation == 1 else np.ascontiguousarray(
            {6: np.rot90(values, 1), 7: np.rot90(np.swapaxes(values, 0, 1), 2)}[orientation])
        found = shown(tiff(tmp_path / "a.tif", turned, t274=orientation, **how))
        assert close(found, expected, 1), orientation


def test_12_bits_of_a_tiff(tmp_path):
    values = (np.repeat(GREY[:1], 32, 0).astype(int) * 4095 // 255)
    bits = "".join(f"{v:012b}" for v in values.ravel())
    packed = np.frombuffer(int(bits, 2).to_bytes(len(bits) // 8, "big"), np.uint8).reshape(32, 72)
    path = tiff(tmp_path / "a.tif", packed, t256=48, t258=12)
    assert close(shown(path), np.asarray(Image.fromarray((values >> 4).astype(np.uint8)).convert("RGB")), 1)


def first(values, value):
    changed = np.array(values)
    changed[3, 4] = value
    return changed


TOO_DARK, NO_RANGE, NO_NUMBERS = "it would be seen as black; save it with 8 bits", "its samples go from", "no numbers"
REFUSED = {
    "12 in 16": ((WIDE * 2**12).astype("u2"), TOO_DARK), "10 in 16": ((WIDE * 2**10).astype("u2"), TOO_DARK),
    "8 in 16": (GREY.astype("u2"), TOO_DARK), "12 in signed 16": ((WIDE * 2**11).astype("i2"), TOO_DARK),
    "12 in 32": ((WIDE * 2**12).astype("i4"), TOO_DARK), "24 in 32": ((WIDE * 2**24).astype("i4"), TOO_DARK),
    "RGB, 12 in 16": (RGB.astype("u2") * 16, TOO_DARK), "RGB, 8 in 16": (RGB.astype("u2"), TOO_DARK),
    "dim floats": ((WIDE / 20).astype("f4"), TOO_DARK), "black floats": ((WIDE * 0).astype("f4"), TOO_DARK),
    "NaN": (first(WIDE, np.nan).astype("f4"), NO_NUMBERS), "infinite": (first(WIDE, np.inf).astype("f4"), NO_NUMBERS),
    "all NaN": ((WIDE * np.nan).astype("f4"), NO_NUMBERS), "-infinite": (first(WIDE, -np.inf).astype("f4"), NO_NUMBERS),
    "negative floats": ((WIDE - 0.5).astype("f4"), NO_RANGE), "floats to 255": ((WIDE * 255).astype("f4"), NO_RANGE),
    "light": ((WIDE * 7).astype("f4"), NO_RANGE), "heights": ((WIDE * 9000 - 4000).astype("i2"), NO_RANGE),
    "negative int32": (-GREY.astype("i4"), NO_RANGE), "huge floats": ((WIDE * 1e30).astype("f4"), NO_RANGE),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_samples_of_unknown_range_are_refused(tmp_path, name):
    values, message = REFUSED[name]
    reason = refused(tiff(tmp_path / "a.tif", values))
    assert message in reason and "save it with 8 bits a sample" in reason


MODES = ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB", "I", "I;16",
         "I;16L", "I;16B", "F"]
ENDINGS = ["jpg", "png", "gif", "webp", "bmp", "tif", "avif", "jp2", "ppm", "tga", "pcx", "ico", "icns", "sgi", "im",
           "dds", "dib", "msp", "pfm", "xbm"]


def in_mode(mode):
    if mode == "LAB":
        return UPRIGHT.convert("L").convert("RGB").convert("LAB")
    if mode.startswith("I;16"):
        return Image.fromarray(GREY.astype("u2") * 257).convert("I").convert(mode)
    through = {"La": "LA", "PA": "P", "RGBa": "RGBA"}.get(mode)
    return (UPRIGHT.convert(through) if through else UPRIGHT).convert(mode)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ENDINGS)
def test_every_mode_is_shown_or_refused(tmp_path, ending):
    tried = 0
    for mode in MODES:
        path = tmp_path / f"a.{ending}"
        if mode[0] in "IF" and ending in ("gif", "webp", "avif"):  # Pillow saves something else
            continue
        try:
            source = in_mode(mode)
            source.save(path)
            with Image.open(path) as written:  # an older Pillow cannot read some of what it wrote
                written.load()
        except (OSError, KeyError, ValueError):  # this format has no such mode, or Pillow no such conversion
            continue
        tried += 1
        samples, bad = inspected(path)
        if not samples:
            assert mode in ("I", "F") and "save it with 8 bits a sample" in bad["reason"].item(), (mode, bad["reason"])
            continue
        found = shown(path)
        if ending not in ("ico", "icns", "dds"):
            grey = mode in ("L", "LA", "La", "LAB", "F", "1") or mode[0] == "I"
            expected = np.asarray(UPRIGHT.convert("1" if mode == "1" or ending in ("msp", "xbm") else
                                                  "L" if grey else "RGB").convert("RGB"))
            by_mean = ending in ("msp", "xbm") or mode == "1"
            assert abs(found.mean() - expected.mean()) < 12 if by_mean else close(found, expected, 60), mode
    assert tried


# pages


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize("how", [{}, {"compression": "tiff_lzw"}])
def test_the_largest_page_of_a_tiff_is_taken(tmp_path, place, how):
    small = [Image.new("RGB", (6 + i, 4), "white") for i in range(3)]
    pages = [*small[:place], UPRIGHT, *small[place:]]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:], **how)
    assert close(shown(tmp_path / "a.tif"), RGB)
    assert client.decoded(tmp_path / "a.tif", 10**6).size == UPRIGHT.size


@pytest.mark.slow
@pytest.mark.parametrize("orientation", STORED)
def test_the_largest_page_is_turned_by_its_own_orientation(tmp_path, orientation):
    path = tiff(tmp_path / "a.tif", RGB[:4, :6], np.asarray(stored(orientation)), t274=orientation)
    assert close(shown(path), RGB)


def test_of_equal_pages_the_first_is_taken(tmp_path):
    UPRIGHT.save(tmp_path / "a.tif", save_all=True, append_images=[Image.new("RGB", UPRIGHT.size)] * 2)
    assert close(shown(tmp_path / "a.tif"), RGB)


def test_a_broken_second_page_is_none(tmp_path):
    for page in (b"", b"\xff\xff", b"\x01\0\0\0\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0", bytes(60)):
        path = tiff(tmp_path / "a.tif", RGB)
        data = path.read_bytes()
        path.write_bytes(data[:-4] + struct.pack("<I", len(data)) + page)
        assert close(shown(path), RGB)


@pytest.mark.slow
def test_a_page_that_promises_too_much_is_refused(tmp_path):
    tiff(tmp_path / "a.tif", RGB, RGB[:4], t256=10**6, t257=10**6)
    assert "exceeds limit" in refused(tmp_path / "a.tif")
    tiff(tmp_path / "b.tif", *[np.zeros((1, 1), np.uint8)] * (picture.PAGES + 1))
    assert "more than 1000 pages; save the one that is meant" in refused(tmp_path / "b.tif")
    tiff(tmp_path / "c.tif", RGB[:4, :6], RGB)
    with pytest.raises(Missed, match="too many pixels"):
        client.decoded(tmp_path / "c.tif", 1000)


@pytest.mark.parametrize("sizes", [[(8, 4), (48, 32)], [(48, 32), (8, 4)], [(8, 4), (48, 32), (6, 6)]])
def test_the_largest_page_of_an_mpo_is_taken(tmp_path, sizes):
    pages = [UPRIGHT if s == (48, 32) else Image.new("RGB", s, "white") for s in sizes]
    pages[0].save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=pages[1:], quality=95)
    assert close(shown(tmp_path / "a.jpg"), RGB)


def test_the_largest_page_of_a_dcx_is_taken(tmp_path):
    parts, data, places = [Image.new("RGB", (6, 4), "white"), UPRIGHT], b"", []
    for part in parts:
        file = io.BytesIO()
        part.save(file, "PCX")
        places.append(16 + len(data))
        data += file.getvalue()
    (tmp_path / "a.dcx").write_bytes(struct.pack("<4I", 0x3ADE68B1, *places, 0) + data)
    assert close(shown(tmp_path / "a.dcx"), RGB)


def test_the_largest_of_an_icon_is_taken(tmp_path):
    square = UPRIGHT.resize((64, 64), Image.Resampling.NEAREST)
    square.save(tmp_path / "a.ico", sizes=[(16, 16), (64, 64), (32, 32)])
    assert close(shown(tmp_path / "a.ico"), np.asarray(square))


def test_the_first_frame_of_an_animation_is_taken(tmp_path):
    for name in ("a.gif", "a.png", "a.webp"):
        UPRIGHT.save(tmp_path / name, save_all=True, append_images=[Image.new("RGB", UPRIGHT.size, "blue")])
        assert close(shown(tmp_path / name), RGB, 60)


def test_postscript_is_not_run(tmp_path):
    UPRIGHT.save(tmp_path / "a.eps")
    (tmp_path / "a.eps").rename(tmp_path / "a.jpg")
    assert "PostScript is a program, which is not run; save it as a PNG" in refused(tmp_path / "a.jpg")


def test_a_worn_copy_of_a_turned_picture_is_near(tmp_path):
    pixels = np.random.default_rng(3).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    image = Image.fromarray(pixels).resize((300, 200), Image.Resampling.BICUBIC)
    path = jpeg(tmp_path / "a.jpg", image, [HEADER + ifd("<", [said("<", "short", 6)])])
    worn = leakage.worn(picture.open_upright(path), np.random.default_rng(1))
    assert (int(leakage.hashes([path])[0]) ^ leakage.picture_hash(worn)).bit_count() <= leakage.ALIKE


# damage


def whole():
    """Small pictures of many kinds, as bytes."""
    rng = np.random.default_rng(1)
    image = Image.fromarray(rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)).resize((41, 27), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    deep = Image.fromarray(np.asarray(image.convert("L")).astype("u2") * 257)
    unit = Image.fromarray(np.asarray(image.convert("L")).astype("f4") / 255)

    def pages():
        return {"save_all": True, "append_images": [image.resize((60, 50))]}

    kinds = [(image, "JPEG", {}), (image, "JPEG", {"exif": exif, "progressive": True}),
             (image.convert("L"), "JPEG", {"exif": exif}), (image.convert("CMYK"), "JPEG", {}),
             (image, "MPO", pages()), (image, "PNG", {"exif": exif}), (image.convert("P"), "PNG", {"transparency": 3}),
             (deep, "PNG", {}), (image.convert("P"), "GIF", {}), (image.convert("P"), "GIF", pages()),
             (image, "WEBP", {"exif": exif}), (image, "WEBP", {"lossless": True}), (image, "BMP", {}),
             (image.convert("P"), "BMP", {}), (image, "TIFF", {"exif": exif}), (image, "TIFF", pages()),
             (image, "TIFF", {"compression": "tiff_lzw"}), (image, "TIFF", {"compression": "jpeg", "exif": exif}),
             (deep, "TIFF", {}), (unit, "TIFF", {"compression": "tiff_deflate"})]
    found = []
    for source, kind, options in kinds:
        file = io.BytesIO()
        source.copy().save(file, kind, **options)
        found.append(file.getvalue())
    return found


def damaged(files, rng):
    """One of the files with bytes changed, cut, doubled or moved, or with another's beginning."""
    data = bytearray(files[rng.integers(len(files))])
    near = len(data) if rng.random() < 0.5 else min(len(data), 120)  # half of the time in the header
    match rng.integers(6):
        case 0 | 1:
            for place in rng.integers(0, near, rng.integers(1, 9)):
                data[place] ^= 1 << rng.integers(8)
        case 2:
            for place in rng.integers(0, near, rng.integers(1, 5)):
                data[place] = rng.choice([0, 1, 6, 127, 128, 255])
        case 3:
            del data[rng.integers(near):]
        case 4:
            other, n = files[rng.integers(len(files))], int(rng.integers(1, 64))
            data[:n] = other[:n]
        case 5:
            start, n, to = (int(k) for k in rng.integers(0, [near, 40, near]))
            data[to:to] = data[start:start + n]
    return bytes(data)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_damaged_pictures_are_read_alike_or_rejected(tmp_path):
    files, rng, kept, start = whole(), np.random.default_rng(7), 0, time.monotonic()
    for first_of_batch in range(0, DAMAGED, 100):
        paths = [tmp_path / f"{i}.jpg" for i in range(first_of_batch, min(first_of_batch + 100, DAMAGED))]
        for path in paths:
            path.write_bytes(damaged(files, rng))
        samples, bad = inspected(*paths)
        assert sorted([s["path"] for s in samples] + bad["path"].tolist()) == sorted(p.name for p in paths)
        assert bad["reason"].str.match(r"cannot be read: \w+: .").all(), bad["reason"].tolist()
        accepted = {s["path"] for s in samples}
        kept += len(accepted)
        for path in paths:
            if path.name in accepted:
                same_everywhere(path)
            try:
                size = client.decoded(path, 10**8).size
            except Missed:
                pass
            else:
                assert path.name in accepted and size == picture.open_upright(path).size
            path.unlink()
    assert 0.1 * DAMAGED < kept < 0.9 * DAMAGED
    assert time.monotonic() - start < 30 + 0.2 * DAMAGED
    print(f"{DAMAGED} damaged pictures, {kept} read alike, in {time.monotonic() - start:.0f} s")  # with -s
