"""What the machine says of itself: real sensors where there are any, and a card that lacks some."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import psutil
import pynvml
import pytest

from movielens_recsys.training.hardware_monitor import (
    LABELS,
    Gpu,
    Sensors,
    as_rows,
    as_text,
    current_gpu,
    device_memory_share,
    overall,
)


class Nvml:
    """NVML of a card in a machine that we do not have; ``unsupported`` are the functions that it lacks."""

    NVMLError = pynvml.NVMLError
    NVML_TEMPERATURE_GPU = pynvml.NVML_TEMPERATURE_GPU

    def __init__(self, *unsupported: str) -> None:
        self._unsupported = unsupported

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("nvml") and name in self._unsupported:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return super().__getattribute__(name)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:
        return SimpleNamespace(gpu=87, memory=40)

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        return SimpleNamespace(total=80 * 2**30, free=20 * 2**30, used=60 * 2**30)

    def nvmlDeviceGetTemperature(self, handle: int, sensor: int) -> int:
        return 61

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:
        return 312_500


def test_this_machine_is_read() -> None:
    sensors = Sensors()
    ballast = bytearray(b"x" * 50_000_000)
    reading = sensors.read()
    assert {"cpu_percent", "process_cpu_percent", "process_memory_bytes", "memory_share"} <= reading.keys()
    assert reading.keys() <= LABELS.keys()
    assert len(ballast) < reading["process_memory_bytes"] < psutil.virtual_memory().total
    assert 0 < reading["memory_share"] <= 1
    assert 0 <= reading["cpu_percent"] <= 100
    assert device_memory_share(reading) == reading["memory_share"]


def test_a_gpu_reports_every_quantity_in_its_unit() -> None:
    reading = Gpu(Nvml(), 0).read()
    assert reading == {
        "gpu_percent": 87.0,
        "gpu_memory_bytes": 60 * 2**30,
        "gpu_memory_share": 0.75,
        "gpu_temperature_celsius": 61.0,
        "gpu_power_watts": 312.5,
    }
    assert reading.keys() <= LABELS.keys()
    assert device_memory_share({**reading, "memory_share": 0.2}) == 0.75


@pytest.mark.parametrize(
    ("lacking", "absent"),
    [
        ("nvmlDeviceGetUtilizationRates", {"gpu_percent"}),
        ("nvmlDeviceGetMemoryInfo", {"gpu_memory_bytes", "gpu_memory_share"}),
        ("nvmlDeviceGetTemperature", {"gpu_temperature_celsius"}),
        ("nvmlDeviceGetPowerUsage", {"gpu_power_watts"}),
    ],
)
def test_quantities_that_a_gpu_cannot_report_are_left_out(lacking: str, absent: set[str]) -> None:
    everything = Gpu(Nvml(), 0).read()
    assert everything.keys() - Gpu(Nvml(lacking), 0).read().keys() == absent


def test_a_process_without_a_gpu_reads_none() -> None:
    assert current_gpu() is None


def test_the_summary_of_a_run_is_weighted_by_readings() -> None:
    events = [
        {"readings": 1, "quantities": {"cpu_percent": [10.0, 10.0]}},
        {
            "readings": 3,
            "quantities": {
                "cpu_percent": [50.0, 90.0],
                "gpu_power_watts": [200.0, 250.0],
            },
        },
    ]
    assert overall(events) == {
        "cpu_percent": (40.0, 90.0),
        "gpu_power_watts": (200.0, 250.0),
    }
    assert as_rows(events)[1] == ("GPU power", "200 W", "250 W")
    assert as_rows([{"readings": 1, "quantities": {"of_later_versions": [1.0, 1.0]}}]) == []
    assert [as_text(name, 1.0) for name in LABELS]
