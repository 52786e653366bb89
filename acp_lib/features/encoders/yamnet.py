"""YAMNet's embedding: 1024 numbers of a piece of music, the mean over 16 stretches of 0.975 s from all of it.

The network hears 16,000 Hz; its own log-mel spectrum is part of the file, which holds weights of 8 bits. What is
shorter than a stretch is followed by silence.

Source: Plakal and Ellis (2020), YAMNet, TensorFlow models.  Chapter: Then and now.
"""

from pathlib import Path

import numpy as np

from acp_lib.features import audio
from acp_lib.features.encoders.files import Encode, given, spread

SR = 16000
WINDOW = 15600
STRETCHES = 16
EMBEDDING = "yamnet_frames/global_average_pooling2d/Mean"
FILE = "yamnet.tflite"


def weights(folder: Path) -> Path:
    """`yamnet.tflite` in the folder; raises ValueError without it."""
    return given(folder, FILE, "the TFLite classifier of google/yamnet, as Kaggle and MediaPipe have it")


def encoder(folder: Path) -> Encode:
    """From a manifest row to its vector: float32 (1024,).

    Raises
    ------
    ImportError
        Without LiteRT.
    ValueError
        Without the file, or if that is another network.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise ImportError("YAMNet needs LiteRT: pip install 'acp-lib[encoders]'") from None
    path = weights(folder)
    net = Interpreter(str(path), num_threads=1, experimental_preserve_all_tensors=True)  # the embedding is no output
    net.allocate_tensors()
    places = [tensor["index"] for tensor in net.get_tensor_details() if tensor["name"] == EMBEDDING]
    takes = net.get_input_details()[0]
    if len(places) != 1 or takes["shape"][-1] != WINDOW:
        raise ValueError(f"{path} takes {takes['shape'].tolist()} and has {len(places)} tensors {EMBEDDING}; expected "
                         f"YAMNet, which takes {WINDOW} samples and has one")

    def heard(window: np.ndarray) -> np.ndarray:
        net.set_tensor(takes["index"], window.reshape(takes["shape"]))
        net.invoke()
        return net.get_tensor(places[0])[0]

    def encode(root: Path, row: dict) -> np.ndarray:
        y = audio.load(root / row["path"], start=row["start"], duration=row["duration"], sr=SR)
        return np.stack([heard(window) for window in windows(y)]).mean(0, dtype=np.float64).astype(np.float32)

    return encode


def windows(y: np.ndarray) -> np.ndarray:
    """Samples (n,) cut into stretches, of which STRETCHES are heard (k, 15600)."""
    y = np.pad(y, (0, max(WINDOW - len(y), 0)))
    return spread(y[:len(y) // WINDOW * WINDOW].reshape(-1, WINDOW), STRETCHES)
