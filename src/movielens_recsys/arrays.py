"""Short names for the array types that most signatures have."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
FloatArray = NDArray[np.floating]
IntArray = NDArray[np.integer]
