"""What every benchmark stands on: the city's own pack, a real Valkey, a folder that goes away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lawang.city import City, Source, load_city
from lawang.settings import ROOT
from lawang.store.embedded import EmbeddedValkey

#: The pack of the city this program was made for.
PACK = ROOT / "cities" / "palembang"
_NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Ground:
    """A data folder and the address of the Valkey that runs in it."""

    data_dir: Path
    redis_url: str
    city: City

    @property
    def source(self) -> Source:
        """The source whose records the benchmarks make up."""
        return self.city.sources["elapor"]


@contextmanager
def open_ground() -> Iterator[Ground]:
    """A fresh installation in a temporary folder, Valkey with its append-only file on."""
    with tempfile.TemporaryDirectory(prefix="lawang-bench-") as folder:
        data_dir = Path(folder)
        valkey = EmbeddedValkey(data_dir)
        valkey.start()
        try:
            city = load_city(PACK, data_dir, env={"LAWANG_SIMULATOR_URL": _NOWHERE}, simulated=True)
            yield Ground(data_dir, valkey.url, city)
        finally:
            valkey.stop()
