"""The harmonic part of a sound, as librosa.effects.harmonic computes it, bit for bit.

Harmonic-percussive separation compares two running medians of the magnitudes, over 31 frames and over 31 bins. They
are three quarters of the plain recipe's time. Here 16 neighbouring medians are one selection network: they share the
sorting of the values their windows have in common, and one instruction compares 16 columns of the spectrogram.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.base import BaseContext
from numba.core.typing import Signature
from numba.extending import intrinsic

from acp_lib.features.fast.compiled import compiled
from acp_lib.features.fast.stft import BLOCK, istft

TAPS = 31
_GROUP = (TAPS + 1) // 2  # medians computed together
_LANES = 16  # columns computed together

Step = tuple[bool, int, int]
"""Whether the lower or the higher of two values is meant, and their numbers."""


def harmonic(length: int, spectrum: np.ndarray, magnitude: np.ndarray, transposed: np.ndarray) -> np.ndarray:
    """Harmonic part of a signal of `length` samples: float32 (length,).

    `spectrum` and `magnitude` are (frames, bins); `transposed` is the magnitude's contiguous transpose.
    """
    along_time = running_median(magnitude)
    along_frequency = np.ascontiguousarray(running_median(transposed).T)
    parts = (spectrum, magnitude, along_time, along_frequency)
    runs = (slice(i, i + BLOCK) for i in range(0, len(spectrum), BLOCK))
    return istft((_masked(*(part[run] for part in parts)) for run in runs), length)


@compiled
def _masked(spectrum: np.ndarray, magnitude: np.ndarray, harmonic: np.ndarray, percussive: np.ndarray) -> np.ndarray:
    # librosa.util.softmask with power 2, then magnitude times mask times phase, with the same roundings
    out = np.empty_like(spectrum)
    tiny = np.float32(1.1754944e-38)
    zero, half, one = np.float32(0), np.float32(0.5), np.float32(1)
    for i in range(spectrum.shape[0]):
        for j in range(spectrum.shape[1]):
            h, p, m = harmonic[i, j], percussive[i, j], magnitude[i, j]
            z = max(h, p)
            small = z < tiny
            z = one if small else z
            h, p = (h / z) * (h / z), (p / z) * (p / z)
            mask = half if small else h / (one if small else h + p)
            m_nonzero = one if m == zero else m
            scale = m * mask
            out[i, j] = complex(scale * (spectrum[i, j].real / m_nonzero), scale * (spectrum[i, j].imag / m_nonzero))
    return out


def running_median(x: np.ndarray) -> np.ndarray:
    """Median of the 31 rows around each row of float32 (rows, columns), mirrored at the ends like scipy.ndimage's."""
    rows, columns = x.shape
    mirrored = np.pad(np.arange(rows), TAPS // 2, mode="symmetric")
    mirrored = np.pad(mirrored, (0, -rows % _GROUP))  # the last group computes rows that are cut off again
    if columns < _LANES:
        x = np.pad(x, ((0, 0), (0, _LANES - columns)))
    return _running_median(x, mirrored)[:rows, :columns]


@compiled
def _running_median(x: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    rows, columns = len(mirrored) - TAPS + 1, x.shape[1]
    out = np.empty((rows, columns), np.float32)
    for row in range(0, rows, _GROUP):
        for left in range(0, columns, _LANES):
            left = min(left, columns - _LANES)  # the last columns are computed twice rather than by themselves
            target = out.ctypes.data + 4 * (row * columns + left)
            source, numbers = x.ctypes.data + 4 * left, mirrored.ctypes.data + 8 * row
            _median_group(source, numbers, target, 4 * columns)  # type: ignore  # numba itself passes the context
    return out


@intrinsic
def _median_group(context: BaseContext, x: types.Type, rows: types.Type, out: types.Type,
                  stride: types.Type) -> tuple[Signature, Callable]:
    """The network on 16 columns as straight vector code: rows x[rows[0]] ... x[rows[45]] into 16 rows from out.

    All arguments are addresses, but for the bytes from row to row. A loop over the operations would take five times as
    long: what passes from one comparison to the next stays in registers here.
    """

    def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature,
                 arguments: Sequence[ir.Value]) -> ir.Value:
        x, rows, out, stride = arguments
        integer, vector = ir.IntType(64), ir.VectorType(ir.FloatType(), _LANES)
        numbers = builder.inttoptr(rows, integer.as_pointer())

        def row(base: ir.Value, number: ir.Value) -> ir.Value:
            return builder.inttoptr(builder.add(base, builder.mul(number, stride)), vector.as_pointer())

        inputs = [builder.load(builder.gep(numbers, [integer(k)])) for k in range(TAPS + _GROUP - 1)]
        values = [builder.load(row(x, number), align=4) for number in inputs]
        steps, medians = median_network()
        for lower, a, b in steps:
            less = builder.fcmp_ordered("<", values[a], values[b])
            pair = (values[a], values[b]) if lower else (values[b], values[a])
            values.append(builder.select(less, *pair))
        for k, median in enumerate(medians):
            builder.store(values[median], row(out, integer(k)), align=4)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp, types.intp), generate


@lru_cache
def median_network(taps: int = TAPS) -> tuple[list[Step], list[int]]:
    """Minima and maxima that turn taps + group - 1 values into group = (taps + 1) / 2 running medians.

    Returns the steps and the numbers of the medians. Values are numbered, first the inputs, then one a step; a step
    (lower, a, b) makes the lower or the higher of values a and b. `taps` is one less than a power of two.

    The group's windows share a core of `group` values, sorted once. Then the group is halved again and again; each half
    adds the sorted values that its own windows share beyond the core. Of 2q values that can still be a median and q new
    ones only the middle q can. That is 28 steps a median for 31 taps; a network for a single median takes about 250.
    """
    group = (taps + 1) // 2
    if group < 1 or group & (group - 1) or taps % 2 == 0:
        raise ValueError(f"taps is {taps}; expected one less than a power of two")
    steps: list[Step] = []
    numbers: dict[Step, int] = {}

    def step(lower: bool, a: int, b: int) -> int:
        key = (lower, min(a, b), max(a, b))
        if key not in numbers:  # neighbouring halves ask for the same sorted values
            numbers[key] = taps + group - 1 + len(steps)
            steps.append(key)
        return numbers[key]

    def exchange(a: int, b: int) -> tuple[int, int]:
        return step(True, a, b), step(False, a, b)

    def ascending(first: int, n: int) -> list[int]:
        return [first] if n == 1 else merge(ascending(first, n // 2), ascending(first + n // 2, n // 2))

    def merge(a: list[int], b: list[int]) -> list[int]:  # Batcher's odd-even merge of two ascending lists
        if len(a) == 1:
            return list(exchange(a[0], b[0]))
        even, odd = merge(a[::2], b[::2]), merge(a[1::2], b[1::2])
        return [even[0], *(v for pair in zip(odd[:-1], even[1:], strict=True) for v in exchange(*pair)), odd[-1]]

    def middle(a: list[int], b: list[int]) -> list[int]:  # of ascending lists of 2q and q the middle q, ascending
        q = len(b)
        upper = [step(False, u, v) for u, v in zip(a[:q], reversed(b), strict=True)] + a[q:]
        return bitonic([step(True, u, v) for u, v in zip(upper[:q], upper[q:], strict=True)])

    def bitonic(values: list[int]) -> list[int]:  # a list that falls, then rises, into ascending order
        n = len(values) // 2
        if n == 0:
            return values
        low, high = zip(*(exchange(u, v) for u, v in zip(values[:n], values[n:], strict=True)), strict=True)
        return bitonic(list(low)) + bitonic(list(high))

    def halve(first: int, last: int, kept: list[int]) -> list[int]:  # medians first .. last - 1, from what is left
        if last - first == 1:
            return kept
        q = (last - first) // 2
        before, after = ascending(first + q - 1, q), ascending(first + taps, q)
        return halve(first, first + q, middle(kept, before)) + halve(first + q, last, middle(kept, after))

    return steps, halve(0, group, ascending(group - 1, group))
