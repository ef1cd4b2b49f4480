"""The pack's sources over sql, as a real department would be connected."""

from __future__ import annotations

import pytest

from connectors import registry
from connectors.sql.options import SqlOptions
from lawang.city import load_city
from lawang.settings import ROOT

PACK = ROOT / "cities" / "palembang"
SOURCES = {
    "epuskesmas": "EPUSKESMAS",
    "epuskesmas_antrean": "EPUSKESMAS",
    "epuskesmas_obat": "EPUSKESMAS",
    "pbb": "PBB",
    "pajak_daerah": "PAJAK_DAERAH",
}


@pytest.mark.parametrize("source_id", SOURCES)
def test_a_real_department_waits_for_its_address_and_password(source_id: str) -> None:
    source = load_city(PACK, env={}).sources[source_id]
    registry.bind(source)  # not a mistake of the pack
    name = f"LAWANG_{SOURCES[source_id]}"
    assert set(source.unset) == {f"{name}_URL", f"{name}_PASSWORD"}


@pytest.mark.parametrize("source_id", SOURCES)
@pytest.mark.parametrize("scheme", ["postgresql", "mysql", "oracle"])
def test_a_real_department_is_asked_at_its_own_address(source_id: str, scheme: str) -> None:
    name = f"LAWANG_{SOURCES[source_id]}"
    env = {f"{name}_URL": f"{scheme}://lawang@db.dinas.example/x", f"{name}_PASSWORD": "p@s/s"}
    options = registry.bind(load_city(PACK, env=env).sources[source_id])
    assert isinstance(options, SqlOptions)
    assert list(options.problems()) == []
    assert (options.address().host, options.address().password) == ("db.dinas.example", "p@s/s")
