"""Everything that differs between two installations, from the environment (prefix `LAWANG_`)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

#: Where the program's own files lie: a checkout, or site-packages when installed as a wheel.
ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Settings of one installation. Empty addresses mean the embedded server and file."""

    model_config = SettingsConfigDict(env_prefix="LAWANG_", extra="ignore")

    city: str = Field("palembang", description="The city pack: a folder of cities/, or a path.")
    data_dir: Path = Field(
        Path("data"), description="Where the embedded stores and imported boundaries are kept."
    )
    redis_url: SecretStr = Field(
        SecretStr(""), description="A Redis or Valkey server; empty: the embedded one."
    )
    database_url: SecretStr = Field(
        SecretStr(""), description="A SQLAlchemy address; empty: SQLite in the data folder."
    )
    host: str = Field("127.0.0.1", description="The address the web process listens on.")
    port: int = Field(8050, description="The port the web process listens on.")
    allowed_hosts: str = Field(
        "", description="Further host names under which browsers reach this server, by commas."
    )
    allow_framing_by: str = Field(
        "", description="An origin that may frame the pages; empty: none."
    )
    simulator_url: str = Field(
        "", description="Set in a demonstration: sources are read from the simulated departments."
    )
    operator_token: SecretStr = Field(
        SecretStr(""),
        description="The operator's key, to act from elsewhere and to open /screens there, of 20 "
        "characters or more; empty: only from this machine.",
    )
    walls: Literal["open", "token"] = Field(
        "open",
        description="open: who reaches the server sees the walls; token: walls, their stream and "
        "heartbeats need a screen's key (lawang screens token new), except at this machine.",
    )
    smtp_url: SecretStr = Field(
        SecretStr(""),
        description="Where the morning brief is handed in: smtp://user:password@host:587 (STARTTLS "
        "is demanded), smtps:// or, for a relay on this machine, smtp+plain://; empty: not sent.",
    )
    brief_from: str = Field("", description="The sender's address of the morning brief.")
    brief_to: str = Field("", description="Who gets the morning brief: addresses, by commas.")
    brief_at: str = Field("06:00", description="When it is made, in the city's own time (HH:MM).")
    tiles: SecretStr = Field(
        SecretStr(""),
        description="Pictures of the ground beneath the map: a .pmtiles or .mbtiles file, "
        "https://host/{z}/{x}/{y}.png, or wms:https://host/wms?layers=a; empty: the pack's lines.",
    )
    tiles_attribution: str = Field(
        "", description="Whose pictures they are, shown on the map; empty: what the file says."
    )
    log_format: str = Field("console", description="console or json.")

    @property
    def demo(self) -> bool:
        """Whether the sources are the simulated departments."""
        return bool(self.simulator_url)

    @property
    def pack_dir(self) -> Path:
        """The folder of the city pack."""
        given = Path(self.city)
        return given if given.is_dir() and given.is_absolute() else ROOT / "cities" / self.city

    @property
    def sql_url(self) -> str:
        """The address of history."""
        given = self.database_url.get_secret_value()
        return given or f"sqlite:///{(self.data_dir / 'history.sqlite3').resolve()}"
