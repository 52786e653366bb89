"""Little pieces of music whose expression is set by valence and arousal.

A piece is built from loops of a few bars: a pad, a bass, an accompaniment, a melody and percussion, each rendered once
for a verse and a chorus and then arranged. Loops are circular (what rings past the end sounds at the start), so they
repeat without a seam. What valence and arousal set follows the literature on cues of musical expression; key, meter,
progression, instruments, room and mixing are free of them.

Sources of the cues: Juslin and Laukka (2003, Psychological Bulletin 129; 2004, Journal of New Music Research 33) for
tempo, level, brightness, articulation and attack; Gabrielsson and Lindstroem (2010, Handbook of Music and Emotion) for
register, rhythm and dissonance; Eerola, Friberg and Bresin (2013, Frontiers in Psychology 4:487) for their additivity;
Temperley and Tan (2013, Music Perception 30) for the order of the diatonic modes from bright to dark.

Paper: stands in for the songs of Section 2.  Chapter: Building the database.
"""

from dataclasses import dataclass

import numpy as np
from scipy import fft

SAMPLE_RATE = 22_050

MODES = (  # from bright to dark, semitones above the tonic
    (0, 2, 4, 6, 7, 9, 11),  # lydian
    (0, 2, 4, 5, 7, 9, 11),  # major
    (0, 2, 4, 5, 7, 9, 10),  # mixolydian
    (0, 2, 3, 5, 7, 9, 10),  # dorian
    (0, 2, 3, 5, 7, 8, 10),  # minor
    (0, 1, 3, 5, 7, 8, 10),  # phrygian
)
PROGRESSIONS = (  # scale degrees of the chords, one a bar; every mode can play each of them
    (0, 4, 5, 3),
    (0, 5, 3, 4),
    (0, 3, 0, 4),
    (5, 3, 0, 4),
    (0, 2, 3, 4),
    (0, 6, 5, 6),
    (0, 3, 5, 4),
)
TIMBRES = {  # weights of the first harmonics, their decay (1/s) and how much faster each next one decays
    "plucked": ((1, 0.7, 0.5, 0.35, 0.3, 0.2, 0.15, 0.1), 2.2, 1.1),
    "bells": ((1, 0.1, 0.45, 0.05, 0.1, 0.25, 0.03, 0.12), 1.6, 0.6),
    "organ": ((1, 0.6, 0.35, 0.3, 0.1, 0.15, 0.05, 0.12), 0.25, 0.0),
    "reed": ((1, 0.25, 0.7, 0.2, 0.5, 0.15, 0.3, 0.1), 0.5, 0.1),
    "keys": ((1, 0.5, 0.25, 0.25, 0.12, 0.08, 0.06, 0.04), 1.4, 0.7),
}
LAYERS = ("pad", "bass", "accompaniment", "melody", "percussion")
ARRANGEMENT = (  # pattern and the gain of each layer; repeated until the piece is long enough
    ("verse", (1.0, 0.3, 0.7, 0.0, 0.2)),
    ("verse", (0.9, 1.0, 0.6, 1.0, 0.7)),
    ("reprise", (0.8, 1.0, 0.8, 1.0, 0.9)),
    ("chorus", (1.0, 1.0, 1.0, 0.9, 1.0)),
    ("verse", (0.7, 1.0, 0.9, 1.0, 0.9)),
    ("chorus", (1.0, 1.0, 1.0, 1.1, 1.0)),
    ("reprise", (1.1, 0.6, 0.6, 0.6, 0.4)),
    ("chorus", (0.9, 1.0, 1.1, 1.0, 1.0)),
)


@dataclass(frozen=True)
class Style:
    """What an artist's songs share and no emotion sets: instruments, room, tone and level of the mix."""

    melody: str
    accompaniment: str
    room_seconds: float
    room_mix: float
    tone_octaves: float
    level_db: float
    balance: tuple[float, ...]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Style":
        names = sorted(TIMBRES)
        return cls(
            melody=str(rng.choice(names)),
            accompaniment=str(rng.choice(names)),
            room_seconds=float(rng.uniform(0.5, 2.0)),
            room_mix=float(rng.uniform(0.1, 0.35)),
            tone_octaves=float(rng.normal(0, 0.25)),
            level_db=float(rng.normal(0, 1.5)),
            balance=tuple(float(gain) for gain in 2 ** rng.normal(0, 0.2, len(LAYERS))),
        )


@dataclass(frozen=True)
class Cues:
    """The expressive cues of a piece."""

    tempo: float  # beats a minute
    level_db: float  # RMS re full scale
    cutoff: float  # Hz, where the harmonics begin to fall
    register: float  # MIDI pitch about which the melody moves
    mode: int  # index into MODES
    legato: float  # sounding part of a note
    attack: float  # seconds
    density: float  # chance that a place of the rhythmic grid is struck
    roughness: float  # 0 to 1: clusters, beating, distortion
    percussion: float  # gain

    @classmethod
    def draw(cls, valence: float, arousal: float, rng: np.random.Generator) -> "Cues":
        """Each cue is a plain function of valence and arousal plus its own scatter: cues add up, none decides."""
        v, a = np.tanh(0.9 * valence) / 0.9, np.tanh(0.9 * arousal) / 0.9
        e = rng.normal(0, 1, 10)
        return cls(
            tempo=float(np.clip(94 * 2 ** (0.60 * a + 0.08 * v + 0.18 * e[0]), 48, 168)),
            level_db=float(-22 + 5.5 * a + 2.0 * e[1]),
            cutoff=float(1300 * 2 ** (1.1 * a + 0.9 * v + 0.4 * e[2])),
            register=float(66 + 8.0 * v + 2.0 * a + 2.8 * e[3]),
            mode=int(np.clip(np.rint(2.3 - 3.2 * v + 1.0 * e[4]), 0, 5)),
            legato=float(np.clip(0.85 - 0.35 * a - 0.1 * v + 0.12 * e[5], 0.3, 1.1)),
            attack=float(0.018 * 2 ** (-1.6 * a + 0.5 * e[6])),
            density=float(np.clip(0.5 + 0.35 * a + 0.05 * v + 0.11 * e[7], 0.15, 0.95)),
            roughness=float(np.clip(0.18 - 0.75 * v + 0.25 * a + 0.16 * e[8], 0.0, 1.0)),
            percussion=float(1 / (1 + np.exp(-4.5 * a + 1.0 * e[9]))),
        )


def song(valence: float, arousal: float, rng: np.random.Generator, seconds: float = 60.0,
         style: Style | None = None) -> np.ndarray:
    """A piece of music.

    Parameters
    ----------
    valence, arousal : a place in the circumplex plane; about -1 to 1, larger values saturate
    rng : decides everything else; the same generator state gives the same piece
    style : instruments and mix; drawn from `rng` if not given

    Returns
    -------
    float32 [shape=(round(seconds * 22050),)], mono, at 22,050 Hz, within (-1, 1)

    Raises
    ------
    ValueError
        If `seconds` is not positive.

    Paper: stands in for the songs of Section 2.  Chapter: Building the database.
    """
    if not seconds > 0:
        raise ValueError(f"seconds is {seconds!r}; expected a positive length")
    style = style or Style.draw(rng)
    cues = Cues.draw(valence, arousal, rng)
    patterns = _patterns(cues, style, rng)
    samples = round(seconds * SAMPLE_RATE)
    return _master(_arrange(patterns, style, samples), cues, style)


def _arrange(patterns: dict[str, np.ndarray], style: Style, samples: int) -> np.ndarray:
    length = patterns["verse"].shape[1]
    fade = round(0.04 * SAMPLE_RATE)
    rise = np.linspace(0, 1, fade, dtype=np.float32)
    piece = np.zeros((-(-samples // length) + 1) * length, np.float32)
    for k in range(-(-samples // length)):
        name, gains = ARRANGEMENT[k % len(ARRANGEMENT)]
        # not a matrix product, whose last bits hang on the number of threads
        bars = np.einsum("i,ij->j", np.float32(np.multiply(gains, style.balance)), patterns[name])
        at = k * length
        piece[at : at + length] = bars
        if k:  # the loop's own end fades in under the end of the one before: no click, and the downbeat stays sharp
            piece[at - fade : at] = piece[at - fade : at] * (1 - rise) + bars[-fade:] * rise
    return piece[:samples]


def _master(piece: np.ndarray, cues: Cues, style: Style) -> np.ndarray:
    """Level, a soft limiter and fades."""
    rms = np.sqrt(np.mean(np.square(piece, dtype=np.float64)))
    piece = piece * np.float32(10 ** ((cues.level_db + style.level_db) / 20) / max(rms, 1e-9))
    piece = np.float32(0.95) * np.tanh(piece / np.float32(0.95))
    for edge, length in ((slice(None), 1.0), (slice(None, None, -1), 3.0)):
        n = min(round(length * SAMPLE_RATE), len(piece) // 3)
        piece[edge][:n] *= np.sin(np.linspace(0, np.pi / 2, n, dtype=np.float32)) ** 2
    return piece


def _patterns(cues: Cues, style: Style, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Verse, its reprise with another melody, and chorus: each layers x samples."""
    beats = int(rng.choice((3, 4), p=(0.3, 0.7)))
    band = _Band(cues, style, beats, int(rng.integers(12)), rng)
    verse, chorus = (PROGRESSIONS[i] for i in rng.choice(len(PROGRESSIONS), 2, replace=False))
    patterns = {"verse": band.play(verse, lift=0), "chorus": band.play(chorus, lift=2)}
    patterns["reprise"] = patterns["verse"].copy()
    patterns["reprise"][3] = band.melody(verse, lift=0)
    return patterns


class _Band:
    """Plays one pattern of four bars; the notes it has played once it keeps."""

    def __init__(self, cues: Cues, style: Style, beats: int, key: int, rng: np.random.Generator):
        self.cues, self.style, self.beats, self.key, self.rng = cues, style, beats, key, rng
        self.step = 15 / cues.tempo  # a semiquaver, seconds
        self.steps = 4 * beats * 4
        self.samples = fft.next_fast_len(round(self.steps * self.step * SAMPLE_RATE), real=True)
        self.cutoff = cues.cutoff * 2**style.tone_octaves
        self.notes: dict[tuple, np.ndarray] = {}
        self.grid = rng.permutation(16)  # the order in which this song fills its bars
        self.room = self._room()

    def play(self, chords: tuple[int, ...], lift: int) -> np.ndarray:
        """The layers of a pattern, in the order of `LAYERS`."""
        return np.stack([self.pad(chords), self.bass(chords), self.accompaniment(chords), self.melody(chords, lift),
                         self.percussion()])

    def pitch(self, degree: int, near: float) -> int:
        """The scale degree in the octave that comes nearest to a pitch, so that register does not follow the key."""
        pitch = self.key + MODES[self.cues.mode][degree % 7]
        return pitch + 12 * round((near - pitch) / 12)

    def pad(self, chords: tuple[int, ...]) -> np.ndarray:
        """Chords as bands of random phase about each harmonic, which is what an ensemble sounds like."""
        out = np.zeros(self.samples, np.float32)
        bar = self.samples // 4
        ramp = max(round(min(0.3, 8 * self.cues.attack) * SAMPLE_RATE), 64)
        for k, degree in enumerate(chords):
            spectrum = np.zeros(self.samples // 2 + 1, np.complex64)
            for interval in (0, 2, 4):
                self._band(spectrum, self.pitch(degree + interval, self.cues.register - 10), 1.0)
            self._band(spectrum, self.pitch(degree, self.cues.register - 10) + 1, 0.8 * self.cues.roughness)
            self._band(spectrum, self.pitch(degree, self.cues.register - 10) + 6, 0.6 * self.cues.roughness)
            wave = fft.irfft(spectrum, self.samples)
            gate = np.zeros(self.samples, np.float32)
            gate[: bar + ramp] = 1
            gate[:ramp] = np.linspace(0, 1, ramp)
            gate[bar : bar + ramp] = np.linspace(1, 0, ramp)
            out += np.roll(wave * gate, k * bar)
        return 0.16 * out / max(float(np.sqrt(np.mean(out**2))), 1e-9)

    def _band(self, spectrum: np.ndarray, pitch: int, gain: float) -> None:
        f0 = 440 * 2 ** ((pitch - 69) / 12)
        width = 0.003 + 0.008 * self.cues.roughness
        for k in range(1, 9):
            centre = k * f0 * self.samples / SAMPLE_RATE
            half = max(2, int(3 * width * centre))
            lo, hi = int(centre) - half, int(centre) + half
            if hi >= len(spectrum):
                break
            bins = np.arange(lo, hi)
            shape = np.exp(-0.5 * ((bins - centre) / (width * centre)) ** 2) / np.sqrt(width * centre)
            phase = np.exp(2j * np.pi * self.rng.random(len(bins)))
            spectrum[lo:hi] += gain * k**-1.0 / (1 + (k * f0 / self.cutoff) ** 2) * shape * phase

    def bass(self, chords: tuple[int, ...]) -> np.ndarray:
        out = np.zeros(self.samples, np.float32)
        near = min(self.cues.register - 26, 43)
        every = 2 if self.cues.density > 0.65 else 4 if self.cues.density > 0.4 else 4 * self.beats
        for k, degree in enumerate(chords):
            for step in range(0, 4 * self.beats, every):
                strong = 1.0 if step == 0 else 0.7
                self._strike(out, k * 4 * self.beats + step, self.pitch(degree, near), every, "keys", 0.35 * strong)
        return out

    def accompaniment(self, chords: tuple[int, ...]) -> np.ndarray:
        """Broken chords."""
        out = np.zeros(self.samples, np.float32)
        struck = self._rhythm(0.8 * self.cues.density)
        shape = self.rng.permutation(8)
        for k, degree in enumerate(chords):
            for n, step in enumerate(struck):
                pitch = self.pitch(degree + (0, 2, 4, 7)[shape[n % 8] % 4], self.cues.register + 3)
                gain = 0.16 * (1.2 if step % 4 == 0 else 0.9)
                self._strike(out, k * 4 * self.beats + step, pitch, 3, self.style.accompaniment, gain)
        return self._reverberate(out)

    def melody(self, chords: tuple[int, ...], lift: int) -> np.ndarray:
        """A walk on the scale that meets the chord on strong places."""
        out = np.zeros(self.samples, np.float32)
        motif = self._rhythm(0.6 * self.cues.density)
        for k, degree in enumerate(chords):
            place = degree + int(self.rng.choice((0, 2, 4)))
            for n, step in enumerate(motif):
                if step % 8 == 0:
                    place = degree + int(self.rng.choice((0, 2, 4)))
                else:
                    place += int(self.rng.choice((-2, -1, 1, 2)))
                length = (motif[n + 1] if n + 1 < len(motif) else 4 * self.beats) - step
                pitch = self.pitch(place, self.cues.register + 4 + lift)
                self._strike(out, k * 4 * self.beats + step, pitch, length, self.style.melody, 0.26)
        return self._reverberate(out)

    def percussion(self) -> np.ndarray:
        out = np.zeros(self.samples, np.float32)
        t = np.arange(round(0.25 * SAMPLE_RATE)) / SAMPLE_RATE
        kick = np.sin(2 * np.pi * (45 * t + 6 * (1 - np.exp(-t * 30)))) * np.exp(-t * 16)
        noise = np.diff(self.rng.normal(0, 1, len(t) + 1))
        snare, hat = 0.3 * noise * np.exp(-t * 22), 0.1 * np.diff(noise, prepend=0) * np.exp(-t * 60)
        struck = self._rhythm(self.cues.density)
        for bar in range(4):
            for step in range(4 * self.beats):
                at = (bar * 4 * self.beats + step) * self.step
                if step in (0, 10) and (step == 0 or self.cues.density > 0.5):
                    _add(out, kick * 0.9, at)
                if step % 8 == 4 and self.cues.density > 0.35:
                    _add(out, snare, at)
                if step in struck:
                    _add(out, hat * (1.0 if step % 2 == 0 else 0.6), at)
        return out * np.float32(0.8 * self.cues.percussion)

    def _rhythm(self, density: float) -> list[int]:
        """Places of a bar that are struck: strong ones first, then in the song's own order."""
        bar = 4 * self.beats
        weight = {s: (0 if s == 0 else 1 if s % 4 == 0 else 2 if s % 2 == 0 else 3) for s in range(bar)}
        order = sorted(range(bar), key=lambda s: (weight[s], self.grid[s % 16]))
        return sorted(order[: max(1, round(density * bar))])

    def _strike(self, out: np.ndarray, step: int, pitch: int, steps: int, timbre: str, gain: float) -> None:
        key = (pitch, steps, timbre)
        if key not in self.notes:
            self.notes[key] = self._note(pitch, max(0.09, steps * self.step * self.cues.legato), timbre)
        _add(out, self.notes[key] * np.float32(gain), step * self.step)

    def _note(self, pitch: int, sounding: float, timbre: str) -> np.ndarray:
        """Harmonics by the recurrence sin(k+1)x = 2 cos x sin kx - sin(k-1)x: one sine and one cosine a note."""
        weights, decay, faster = TIMBRES[timbre]
        release = 0.08 + 0.25 * self.cues.legato
        t = np.arange(round((sounding + release) * SAMPLE_RATE)) / SAMPLE_RATE
        f0 = 440 * 2 ** ((pitch - 69) / 12)
        vibrato = 0.002 * np.sin(2 * np.pi * 5 * t) if timbre in ("reed", "organ") else 0
        x = 2 * np.pi * f0 * t + vibrato
        last, now, twice = (part.astype(np.float32) for part in (np.zeros(len(t)), np.sin(x), 2 * np.cos(x)))
        dim = np.exp(-faster * t).astype(np.float32)
        envelope = np.exp(-decay * t).astype(np.float32)
        wave = np.zeros(len(t), np.float32)
        for k, weight in enumerate(weights, start=1):
            if k * f0 > 0.45 * SAMPLE_RATE:
                break
            wave += np.float32(weight / (1 + (k * f0 / (2 * self.cutoff)) ** 2)) * envelope * now
            envelope = envelope * dim
            last, now = now, twice * now - last
        drive = 1 + 5 * self.cues.roughness**2
        wave = np.tanh(drive * wave) / np.float32(drive**0.6)
        rise = np.minimum(1, t / max(self.cues.attack, 0.003))
        fall = np.clip((t[-1] - t) / release, 0, 1)
        return (wave * rise * fall).astype(np.float32)

    def _room(self) -> np.ndarray:
        """The spectrum of a room: the sound itself and a tail of decaying noise."""
        t = np.arange(self.samples) / SAMPLE_RATE
        tail = self.rng.normal(0, 1, self.samples) * np.exp(-6.9 * t / self.style.room_seconds)
        tail[: round(0.012 * SAMPLE_RATE)] = 0
        tail = np.convolve(tail, np.ones(6) / 6, "same")
        tail *= self.style.room_mix / np.sqrt(np.sum(tail**2))
        tail[0] += 1
        return fft.rfft(tail.astype(np.float32)).astype(np.complex64)

    def _reverberate(self, dry: np.ndarray) -> np.ndarray:
        return fft.irfft(fft.rfft(dry) * self.room, self.samples)


def _add(out: np.ndarray, sound: np.ndarray, seconds: float) -> None:
    """Add a sound to a loop; what passes the end goes on at the start."""
    at = round(seconds * SAMPLE_RATE) % len(out)
    while len(sound):
        n = min(len(sound), len(out) - at)
        out[at : at + n] += sound[:n]
        sound, at = sound[n:], 0
