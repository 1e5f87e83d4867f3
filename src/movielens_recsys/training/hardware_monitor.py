"""Hardware monitor of a run that trains: CPU, memory and GPU.

| quantity | what it is |
| --- | --- |
| cpu_percent | all CPU cores of the machine; 100 is all of them |
| process_cpu_percent | the process that trains; 100 is one core |
| process_memory_bytes | its resident memory |
| memory_share | main memory in use, or this process's share of its container's limit if that is more |
| cpu_temperature_celsius | the hottest sensor of the CPU |
| gpu_percent | time in which the GPU computed anything |
| gpu_memory_bytes, gpu_memory_share | the GPU's memory in use, by all processes |
| gpu_temperature_celsius, gpu_power_watts | the GPU |

A quantity that the machine cannot measure is left out. GPUs need the package nvidia-ml-py.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from statistics import fmean
from typing import Any

import psutil

from movielens_recsys.training.memory_estimate import main_memory

Summary = tuple[float, float]
"""Mean and largest value of a quantity."""

LABELS = {
    "cpu_percent": "CPU, all cores",
    "process_cpu_percent": "CPU, this process (100 % is one core)",
    "process_memory_bytes": "memory of this process",
    "memory_share": "main memory in use",
    "cpu_temperature_celsius": "CPU temperature",
    "gpu_percent": "GPU",
    "gpu_memory_bytes": "GPU memory",
    "gpu_memory_share": "GPU memory in use",
    "gpu_temperature_celsius": "GPU temperature",
    "gpu_power_watts": "GPU power",
}
_CPU_SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "cpu-thermal")


class Sensors:
    """Reads every available quantity; percentages are of the time since the reading before."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._limit_bytes = main_memory()
        self._gpu: Gpu | None = None
        self._read_cpu()  # a percentage needs a reading before it

    def read(self) -> dict[str, float]:
        """Return the quantities by name, in percent, bytes, shares, degrees Celsius and watts."""
        self._gpu = self._gpu or current_gpu()
        gpu = self._gpu.read() if self._gpu else {}
        return {**self._read_cpu(), **self._read_memory(), **_cpu_temperature(), **gpu}

    def _read_cpu(self) -> dict[str, float]:
        return {
            "cpu_percent": psutil.cpu_percent(),
            "process_cpu_percent": self._process.cpu_percent(),
        }

    def _read_memory(self) -> dict[str, float]:
        resident, machine = self._process.memory_info().rss, psutil.virtual_memory()
        in_use = 1 - machine.available / machine.total
        return {
            "process_memory_bytes": float(resident),
            "memory_share": max(in_use, resident / self._limit_bytes),
        }


class Gpu:
    """One NVIDIA GPU, read through NVML; ``nvml`` is the module pynvml."""

    def __init__(self, nvml: Any, handle: Any) -> None:
        self._nvml, self._handle = nvml, handle

    def read(self) -> dict[str, float]:
        """Return the quantities that this GPU reports."""
        values: dict[str, float] = {}
        nvml, handle = self._nvml, self._handle
        with suppress(nvml.NVMLError):
            values["gpu_percent"] = float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
        with suppress(nvml.NVMLError):
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
            values["gpu_memory_bytes"] = float(memory.used)
            values["gpu_memory_share"] = memory.used / memory.total
        with suppress(nvml.NVMLError):
            degrees = nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)
            values["gpu_temperature_celsius"] = float(degrees)
        with suppress(nvml.NVMLError):
            values["gpu_power_watts"] = nvml.nvmlDeviceGetPowerUsage(handle) / 1000
        return values


def current_gpu() -> Gpu | None:
    """Return the GPU that this process trains on; None before it does, or if NVML cannot be used."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    try:
        import pynvml
    except ImportError:
        return None
    uuid = torch.cuda.get_device_properties(0).uuid
    with suppress(pynvml.NVMLError):
        pynvml.nvmlInit()
        for prefix in ("GPU-", "MIG-"):
            with suppress(pynvml.NVMLError):
                return Gpu(pynvml, pynvml.nvmlDeviceGetHandleByUUID(f"{prefix}{uuid}"))
    return None


def device_memory_share(reading: Mapping[str, float]) -> float | None:
    """Return the fraction in use of the memory that training depends on: the GPU's, else main memory."""
    return reading.get("gpu_memory_share", reading.get("memory_share"))


def summarize(readings: Sequence[Mapping[str, float]]) -> dict[str, Summary]:
    """Return mean and largest value of each quantity, to four digits.

    >>> summarize([{"cpu_percent": 40.0}, {"cpu_percent": 60.0, "gpu_percent": 99.0}])
    {'cpu_percent': (50.0, 60.0), 'gpu_percent': (99.0, 99.0)}
    """
    names = dict.fromkeys(name for reading in readings for name in reading)
    columns = {name: [reading[name] for reading in readings if name in reading] for name in names}
    return {
        name: (_four_digits(fmean(values)), _four_digits(max(values))) for name, values in columns.items()
    }


def overall(events: Sequence[Mapping[str, Any]]) -> dict[str, Summary]:
    """Return mean and largest value of each quantity over a run, from the data of its events."""
    weights: dict[str, float] = {}
    found: dict[str, Summary] = {}
    for event in events:
        for name, (mean, largest) in event["quantities"].items():
            so_far, largest_so_far = found.get(name, (0.0, largest))
            weights[name] = weights.get(name, 0.0) + event["readings"]
            share = event["readings"] / weights[name]
            found[name] = (so_far + share * (mean - so_far), max(largest, largest_so_far))
    return found


def as_rows(events: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Return label, mean and largest value over a run, formatted for display."""
    return [
        (LABELS[name], as_text(name, mean), as_text(name, largest))
        for name, (mean, largest) in overall(events).items()
        if name in LABELS
    ]


def as_text(name: str, value: float) -> str:
    """Return a quantity with its unit, for display.

    >>> as_text("memory_share", 0.4139), as_text("gpu_memory_bytes", 2.5e9), as_text("gpu_power_watts", 212.4)
    ('41 %', '2.50 GB', '212 W')
    """
    kind = name.rpartition("_")[2]
    if kind == "bytes":
        return f"{value / 1e9:.2f} GB"
    scaled = 100 * value if kind == "share" else value
    unit = {"percent": "%", "share": "%", "celsius": "°C", "watts": "W"}[kind]
    return f"{scaled:.0f} {unit}"


def _four_digits(value: float) -> float:
    return float(f"{value:.4g}")


def _cpu_temperature() -> dict[str, float]:
    read: Callable[[], Mapping[str, Sequence[Any]]] = getattr(psutil, "sensors_temperatures", dict)
    try:
        found = read()
    except (OSError, ValueError):  # sensors that come and go, or return text
        return {}
    degrees = [sensor.current for name in _CPU_SENSORS for sensor in found.get(name, ())]
    return {"cpu_temperature_celsius": float(max(degrees))} if degrees else {}
