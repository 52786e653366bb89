"""The tensors of a TensorFlow checkpoint, read without TensorFlow; nothing in it is run.

An index, which is a table of LevelDB, tells of each tensor its type, its shape, and where it lies in the data.

Source: TensorFlow's tensor_bundle.proto and LevelDB's table_format.md.  Chapter: Then and now.
"""

from collections.abc import Iterator

import numpy as np

FOOTER = 48
FLOAT = 1


def read(index: bytes, data: bytes) -> dict[str, np.ndarray]:
    """The float32 tensors of a checkpoint of one shard, by their names.

    Parameters
    ----------
    index : what the file .index holds; data : and the file .data-00000-of-00001

    Raises
    ------
    ValueError
        If that is no such checkpoint.
    """
    try:
        return dict(_tensors(index, data))
    except (IndexError, KeyError, ValueError, UnicodeDecodeError, TypeError) as error:
        raise ValueError(f"an index of {len(index)} bytes with {len(data)} bytes of data is no TensorFlow checkpoint "
                         f"of one shard ({error}); get the file again") from None


def _tensors(index: bytes, data: bytes) -> Iterator[tuple[str, np.ndarray]]:
    footer, at = index[-FOOTER:], 0
    found = []
    for _ in range(4):  # where the index of the index and the index lie
        value, at = _number(footer, at)
        found.append(value)
    for _, place in _entries(index, *found[2:]):
        start, at = _number(place, 0)
        for name, about in _entries(index, start, _number(place, at)[0]):
            entry = _fields(about)
            if name and entry.get(1, [FLOAT])[0] == FLOAT:
                sizes = _fields(entry[2][0]).get(2, []) if 2 in entry else []
                shape = [_fields(size).get(1, [0])[0] for size in sizes]
                yield name.decode(), np.frombuffer(data, "<f4", int(np.prod(shape)),
                                                   entry.get(4, [0])[0]).reshape(shape)


def _entries(table: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block, whose keys are told by what they add to the one before."""
    block, kind = table[start:start + size], table[start + size]
    if kind:
        raise ValueError(f"block {start} is compressed")
    end, at, key = len(block) - 4 - 4 * int.from_bytes(block[-4:], "little"), 0, b""
    while at < end:
        shared, at = _number(block, at)
        new, at = _number(block, at)
        length, at = _number(block, at)
        key, at = key[:shared] + block[at:at + new], at + new
        yield key, block[at:at + length]
        at += length


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    value, shift = 0, 0
    while True:
        byte = data[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at


def _fields(message: bytes) -> dict[int, list]:
    """The fields of a protocol buffer by their numbers."""
    at = 0
    found: dict[int, list] = {}
    while at < len(message):
        tag, at = _number(message, at)
        kind = tag & 7
        value: int | bytes
        if kind == 0:
            value, at = _number(message, at)
        else:
            size, at = _number(message, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            value, at = message[at:at + size], at + size
        found.setdefault(tag >> 3, []).append(value)
    return found
