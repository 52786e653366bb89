"""Common formats of pictures and sound that neither Pillow nor libsndfile reads; and the commands that convert them.

Chapter: Building the database.
"""

import shlex
from pathlib import PurePath

COMMANDS = {"image": ("magick {} {} (ImageMagick)", ".png"), "music": ("ffmpeg -i {} {}", ".flac")}
PICTURES = "heic heif hif jxl svg svgz pdf ai eps raw dng cr2 cr3 nef arw orf rw2 raf pef srw x3f"
SOUNDS = "m4a m4b m4p m4r mp4 mov aac adts alac wma asf wmv ape wv mka mkv webm amr ra rm ac3 dts tta mpc dsf dff"
ENDINGS = {"image": PICTURES.split(" "), "music": SOUNDS.split(" ")}


def advice(name: str, modality: str) -> str:
    """The remedy for an unreadable picture or song, by its file ending; empty if the ending is unknown."""
    path = PurePath(name)
    ending = path.suffix[1:].lower()
    if ending not in ENDINGS[modality]:
        return ""
    command, made = COMMANDS[modality]
    words = (shlex.quote(f"./{n}" if n.startswith("-") else n) for n in (path.name, path.stem + made))
    return f"{ending.upper()} is not read; convert it: {command.format(*words)}"
