"""Matches as one HTML page that needs no other file, host or script: thumbnails, players, ranks, and whose word it is.

File names are other people's text: all are escaped, and the page's own policy forbids scripts and other hosts.

Chapter: How to read and rerun.
"""

import base64
import html
import io

import pandas as pd

from acp_lib.book.report import player
from acp_lib.engine.text import plain
from acp_lib.features import audio
from acp_lib.features.picture import open_upright
from acp_lib.matching.files import Files
from acp_lib.matching.scores import Matches
from acp_lib.matching.told import cautions, heading, refusals, sentences, shown

CLIP = 20.0
"""Seconds of each song that a page plays."""
SIDE = 320
"""Pixels of the longer side of a thumbnail."""
QUERIES = 50
"""Pictures, or songs, whose rankings a page shows: more would not open on a phone."""

STYLE = """
:root { color-scheme: light dark; --ink: #221c2b; --soft: #5d5569; --back: #fff; --card: #f7f5fa; --line: #d9d3e2;
  --bar: #5b3f83; --loud: #8a1c1c; --loud-back: #fdeceb; }
@media (prefers-color-scheme: dark) { :root { --ink: #ece8f2; --soft: #b4abc2; --back: #17141c; --card: #221e2a;
  --line: #433b52; --bar: #b59ddb; --loud: #ffb4ab; --loud-back: #3c1715; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem 1rem 3rem; max-width: 60rem; color: var(--ink); background: var(--back);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .6rem; } h2 { font-size: 1.15rem; margin: 0; }
.loud { color: var(--loud); background: var(--loud-back); border: 2px solid; border-radius: .5rem; padding: .7rem 1rem;
  font-weight: 650; }
section { margin: 1.6rem 0; }
.query img { display: block; margin-top: .6rem; max-width: min(100%, 20rem); border-radius: .4rem; }
ol { list-style: none; margin: .8rem 0 0; padding: 0; }
li.match { display: grid; grid-template-columns: 2.2rem 11rem minmax(0, 1fr); gap: .2rem 1rem; align-items: center;
  padding: .6rem .8rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--card); margin: .5rem 0; }
.place { font-weight: 650; text-align: right; } .soft { color: var(--soft); font-size: .9rem; }
.match img { display: block; max-width: 100%; max-height: 6rem; border-radius: .3rem; margin-top: .3rem; }
audio { display: block; width: 100%; max-width: 26rem; margin-top: .3rem; }
progress { display: block; width: 100%; accent-color: var(--bar); } a { color: var(--bar); }
table { border-collapse: collapse; font-size: .92rem; } td, th { text-align: left; vertical-align: top;
  padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); }
th { min-width: 6.2rem; }
@media (max-width: 34rem) { li.match { grid-template-columns: 1.6rem minmax(0, 1fr); }
  li.match > :last-child { grid-column: 1 / -1; } }
"""


def page(found: Matches, top: int) -> str:
    """The page as HTML; `top` matches of each of the first QUERIES pictures, or songs, are on it.

    Chapter: How to read and rerun.
    """
    media = _Media(found)
    groups = list(found.table.groupby(found.query, sort=False))
    parts = "".join(_section(found, media, name, rows, top) for name, rows in groups[:QUERIES])
    more = (f'<p>Shown are the first {QUERIES} of {len(groups):,} {found.query}s; the tables hold all.</p>'
            if len(groups) > QUERIES else "")
    loud = "".join(f'<p class="loud" role="note">{_escaped(warning)}</p>' for warning in cautions(found.about))
    bad = "".join(f"<li>{_escaped(line)}</li>" for line in refusals(found))
    lost = f"<section><h2>Refused</h2><ul>{bad}</ul></section>" if bad else ""
    said = "".join(f"<tr><th>{_escaped(name)}</th><td>{_escaped(value)}</td></tr>"
                   for name, value in sentences(found.about).items())
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'">
<title>Pictures and songs, matched</title><style>{STYLE}</style></head><body><main>
<h1>Pictures and songs, matched</h1>
{loud}
{parts}{more}{lost}
<section><h2>Whose word this is</h2><table>{said}</table></section>
</main></body></html>
"""


def _section(found: Matches, media: "_Media", name: str, rows: pd.DataFrame, top: int) -> str:
    what = {"picture": "song", "song": "picture"}[found.query]
    items = "".join(_match(media, row, what) for row in rows.head(top).to_dict("records"))
    return (f'<section><div class="query"><h2>{_escaped(heading(found, name, rows, top))}</h2>'
            f'{media.of(found.query, name)}</div><ol>{items}</ol></section>')


def _match(media: "_Media", row: dict, what: str) -> str:
    cells = shown(row)
    said = (f'{cells["probability"]} <span class="soft">({cells["networks"]})</span>'
            f'<progress value="{row["probability"]:.4f}" aria-label="probability"></progress>')
    heard = f'<span class="soft"> {cells["heard"]} heard</span>' if what == "song" else ""
    return (f'<li class="match"><span class="place">{row[f"place_of_{what}"]}</span><span>{said}</span>'
            f'<div>{_escaped(row[what])}{heard}{media.of(what, row[what])}</div></li>')


class _Media:
    """Thumbnails and players. A song's player stands where it is met first; later places lead there."""

    def __init__(self, found: Matches) -> None:
        self.files: dict[str, Files] = {"picture": found.pictures, "song": found.songs}
        self.places: dict[str, str] = {}

    def of(self, what: str, path: str) -> str:
        """A picture's thumbnail or a song's player, as HTML."""
        return self._thumbnail(path) if what == "picture" else self._player(path)

    def _thumbnail(self, path: str) -> str:
        picture, data = open_upright(self.files["picture"].root / path), io.BytesIO()
        width, height = (max(1, round(SIDE * n / max(picture.size))) for n in picture.size)  # however thin it is
        picture.resize((width, height)).save(data, "JPEG", quality=80)
        return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}">'

    def _player(self, path: str) -> str:
        if place := self.places.get(path):
            return f' <a href="#{place}">play it above</a>'
        self.places[path] = place = f"song-{len(self.places) + 1}"
        songs = self.files["song"]
        row = songs.samples[songs.samples["path"] == path].iloc[0].to_dict()
        return f'<div id="{place}">{player(audio.listed(songs.root, row, CLIP), audio.SR, path)}</div>'


def _escaped(text: object) -> str:
    return html.escape(plain(text, 500), quote=True)
