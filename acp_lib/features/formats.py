"""Formats of pictures and sound that are common, and that neither Pillow nor libsndfile reads; and what converts them.

Chapter: Building the database.
"""

from pathlib import PurePath

MAGICK, FFMPEG = "magick {name} {stem}.png (ImageMagick)", "ffmpeg -i {name} {stem}.flac"
ENDINGS = {
    MAGICK: "heic heif hif jxl svg svgz pdf ai eps raw dng cr2 cr3 nef arw orf rw2 raf pef srw x3f",
    FFMPEG: "m4a m4b m4p m4r mp4 mov aac adts alac wma asf wmv ape wv mka mkv webm amr ra rm ac3 dts tta mpc dsf dff",
}
CONVERTED_BY = {ending: command for command, endings in ENDINGS.items() for ending in endings.split()}


def advice(name: str) -> str:
    """What to do with a file that does not read, by its ending; empty where that says nothing."""
    path = PurePath(name)
    ending = path.suffix[1:].lower()
    if ending not in CONVERTED_BY:
        return ""
    return f"{ending.upper()} is not read; convert it: {CONVERTED_BY[ending].format(name=path.name, stem=path.stem)}"
