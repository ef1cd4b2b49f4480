"""Opens what a process of an installation works on: the city, history and live state."""

from __future__ import annotations

from dataclasses import dataclass

from lawang.city import City, load_city
from lawang.domain.errors import SettingsError
from lawang.settings import Settings
from lawang.store.embedded import find_address
from lawang.store.engine import migrate, open_engine
from lawang.store.history import History
from lawang.store.live import LiveStore


@dataclass(frozen=True, slots=True)
class Installation:
    """One process's view of the installation."""

    settings: Settings
    city: City
    history: History
    redis_url: str

    def open_live(self) -> LiveStore:
        """A synchronous connection to live state."""
        return LiveStore(self.redis_url, self.city.slug)

    def close(self) -> None:
        """Give connections back."""
        self.history.close()


def open_installation(settings: Settings) -> Installation:
    """Read the pack, open history (bringing its tables up to date) and find live state.

    Raises PackError, SettingsError or StoreError with what to do about it.
    """
    city = load_city(settings.pack_dir, settings.data_dir, simulated=settings.demo)
    redis_url = find_redis(settings)
    engine = open_engine(settings.sql_url)
    migrate(engine)
    return Installation(settings, city, History(engine), redis_url)


def find_redis(settings: Settings) -> str:
    """The address of live state: the given one, or the embedded server `lawang up` runs here."""
    given = settings.redis_url.get_secret_value()
    if given:
        return given
    found = find_address(settings.data_dir)
    if found is None:
        raise SettingsError(
            f"No live state: nothing runs on the data folder {settings.data_dir}. Start "
            "`lawang up` there (it brings its own Valkey), or set LAWANG_REDIS_URL."
        )
    return found
