"""Short names for the array types that most signatures have, and for the errors of damaged array files."""

from __future__ import annotations

import tokenize
import zipfile
import zlib

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
FloatArray = NDArray[np.floating]
IntArray = NDArray[np.integer]

NPZ_ERRORS = (
    *(OSError, EOFError, MemoryError, NotImplementedError, RuntimeError, SyntaxError),
    *(ValueError, KeyError, TypeError, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
"""What `numpy.load`, `zipfile` and `zlib` raise for a damaged ``.npy`` or ``.npz`` file."""
