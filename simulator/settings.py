"""What one run of the simulated departments is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lawang.domain.clock import Clock, utc_now

DEFAULT_SEED = 1671


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSettings:
    """Settings of the simulator.

    `data_dir` holds one database a department, `pack_dir` is the city they serve. `factor` scales
    the realistic volumes (1.0: 20 to 40 reports a day). `tick_s` is how often life moves on.
    """

    data_dir: Path
    pack_dir: Path
    seed: int = DEFAULT_SEED
    factor: float = 1.0
    clock: Clock = utc_now
    tick_s: float = 1.0
