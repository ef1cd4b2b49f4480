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

    `base_url` is the simulator's own address, without a slash at the end. `mqtt_port` is the port
    of the broker on 127.0.0.1 (0: none is run). `push_url` is the web process that webhooks are
    posted to ("": none are). `scenario` is what is played from the start ("": nothing),
    `scenario_speed` times as fast, `scenario_begun_min` of its minutes being over already.
    """

    data_dir: Path
    pack_dir: Path
    seed: int = DEFAULT_SEED
    factor: float = 1.0
    clock: Clock = utc_now
    tick_s: float = 1.0
    base_url: str = "http://127.0.0.1:8051"
    mqtt_port: int = 0
    push_url: str = ""
    scenario: str = ""
    scenario_speed: float = 1.0
    scenario_begun_min: float = 0.0

    @property
    def drop_dir(self) -> Path:
        """The folder into which departments put files. It need not exist yet."""
        return self.data_dir / "drop"
