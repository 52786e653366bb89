"""Where the data comes from: of each source the citation, the licence, its files with checksums where these are fixed,
and where to ask for it.

Nothing of these sources is part of the project. `acp_lib.database.validate` holds a folder against this list.

Chapter: Building the database.
"""

import re
from dataclasses import dataclass

from acp_lib.emotions import EMOTIONS
from acp_lib.profiles import ROOT


@dataclass(frozen=True)
class Remote:
    """A file of a source: its path in a folder of data, what it is, its SHA-256 (empty if no fixed version is known),
    and how many rows it holds.
    """

    path: str
    what: str
    sha256: str = ""
    rows: int | None = None


@dataclass(frozen=True)
class Source:
    """A data set that the project reads.

    key : of its citation in the book's list of references
    """

    name: str
    title: str
    home: str
    license_info: str
    key: str
    remotes: tuple[Remote, ...]
    ask: str
    known: str

    @property
    def bibtex(self) -> str:
        """Its citation, from the book's list of references."""
        found = re.search(rf"^@\w+\{{{self.key},.*?^\}}", (ROOT / "book/references.bib").read_text("utf8"), re.M | re.S)
        assert found, self.key
        return found[0]

    @property
    def fixed(self) -> tuple[Remote, ...]:
        """The files whose bytes are known."""
        return tuple(r for r in self.remotes if r.sha256)


IMAC = Source(
    name="imac",
    title="Image-Music Affective Correspondence (IMAC): song scores, video ids and clean tags",
    home="https://gaurav22verma.github.io/IMAC_Dataset.html",
    license_info="None is stated on the authors' page. The audio belongs to whoever published it.",
    key="verma2019",
    remotes=(
        Remote("SongEmotionScore.csv", "scores of songs",
               "aac7c0f68e9998763ae1a632e7a02e06c220e28a1b85038ddf78e2f4e1b360e0", 4159),
        Remote("YouTubeURLs.csv", "alternative video ids of songs",
               "74e0ffbbcab117045d92c3337d900a22c6be651cf87bb67b183556918d1a5168", 4153),
        Remote("clean_tags_happy.txt", "clean tags", "999a6a1467a988cf0a32e5ba01eccab1769de2780c691dc703ca63abcc95d7ed",
               880),
        Remote("clean_tags_soothing.txt", "clean tags",
               "0caaff3ec386a5956ce24d22f2306ffb367a31dfa7947a6178417edfd53bc6ab", 80),
        Remote("clean_tags_calm.txt", "clean tags", "8681673c1786a3d345ae31022694d60b12bc61967f1a5bc4914dccf92d7434f1",
               257),
        Remote("clean_tags_sad.txt", "clean tags", "0869969e0bfcdefaeb9d2898dbc72cd06c2919af7ab6b48d02c3bc000816584a",
               1049),
        Remote("clean_tags_pain.txt", "clean tags", "9a8e57bd2b4a9613bef35580f78af3905fdd9d453e0828d773122f18d59aeaf3",
               218),
    ),
    ask="The authors' page links the files; what it no longer has, ask the authors for.",
    known="The clean tags of joyous, energetic and relax are lost. Videos vanish, and the audio that the authors used "
          "was never published.",
)

FI = Source(
    name="fi",
    title="Image Emotion database (FI): lists of picture addresses by emotion",
    home="https://arxiv.org/abs/1605.02677",
    license_info="For research; each picture belongs to whoever posted it on Flickr or Instagram.",
    key="you2016",
    remotes=tuple(Remote(f"agg/{e}.csv", f"addresses of pictures of {e}") for e in sorted(EMOTIONS)),
    ask="The lists come from the first author of the data set, on request.",
    known="Labels are the words under which pictures were found; five people were asked about each, and they often "
          "disagree. Many addresses are dead, and a dead one may answer with a placeholder picture.",
)

LASTFM = Source(
    name="lastfm",
    title="The Last.fm data set and the metadata of the Million Song Dataset",
    home="http://millionsongdataset.com/lastfm",
    license_info="For research, not for commercial use.",
    key="bertinmahieux2011",
    remotes=(
        Remote("lastfm_tags.db", "tags of songs, SQLite"),
        Remote("lastfm_unique_tags.txt", "tags and their frequency"),
        Remote("track_metadata.db", "artists and durations of songs, SQLite"),
    ),
    ask="All three files are linked from the pages of the Million Song Dataset.",
    known="Songs were matched to tracks automatically, and the page warns of wrong matches.",
)

EMID = Source(
    name="emid",
    title="Emotionally paired Music and Image Dataset (EMID)",
    home="https://huggingface.co/datasets/ecnu-aigc/EMID",
    license_info="CC BY-NC-SA 4.0",
    key="zou2023",
    remotes=(Remote("data/train-*.parquet", "music, pictures and labels, eight files", rows=10738),),
    ask="Fetch the repository from the Hugging Face hub.",
    known="People rated 1,836 of the clips; the others were added by the authors' pipeline. Which clips were cut from "
          "one recording is not told, so a split cannot keep them together.",
)

SOURCES: dict[str, Source] = {s.name: s for s in (IMAC, FI, LASTFM, EMID)}
"""Every source by its name."""
