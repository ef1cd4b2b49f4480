"""The commands about the morning brief: `lawang brief make | list | send`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lawang.domain.errors import LawangError, StoreError
from lawang.settings import Settings

if TYPE_CHECKING:
    from brief.office import BriefDesk
    from lawang.store.briefs import BriefStore, Letter

brief_cli = typer.Typer(
    help="The morning brief: make it, list those that were made, send one.", no_args_is_help=True
)

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder of the embedded stores (LAWANG_DATA_DIR).")
]
Day = Annotated[
    datetime | None,
    typer.Option("--day", formats=["%Y-%m-%d"], help="The morning it is for; else today's."),
]


@brief_cli.command()
def make(
    day: Day = None,
    again: Annotated[
        bool, typer.Option("--again", help="Another edition of a brief that is there.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Also write its files into this folder.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make the brief of a morning and store it. Nothing is sent; see `send`."""
    from lawang.domain.clock import utc_now
    from lawang.store.briefs import BriefFile

    with _office(data_dir) as (desk, store):
        made = desk.make(utc_now(), None if day is None else day.date(), again=again)
        if made is None:
            raise LawangError("this brief is there already; --again adds an edition to it")
        for brief in made:
            print(f"{brief.day}  edition {brief.edition}  {brief.language}  {brief.title}")
            for kind in BriefFile if folder else ():
                assert folder is not None
                folder.mkdir(parents=True, exist_ok=True)
                file = folder / f"lawang-jabo-{brief.day}-{brief.language}.{kind}"
                file.write_bytes(store.file(brief, kind))
                print(f"  {file}")


@brief_cli.command("list")
def list_briefs(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 14,
    data_dir: DataDir = None,
) -> None:
    """The briefs that were made, and to whom each went."""
    from layouts.words import DEFAULT_LANGUAGE

    with _office(data_dir) as (_, store):
        for brief in store.recent(DEFAULT_LANGUAGE, limit):
            print(
                f"{brief.day}  edition {brief.edition}  made {brief.made_at:%Y-%m-%d %H:%M} UTC  "
                f"{len(brief.sentences)} sentences"
            )
            for each in store.letters(brief.day):
                if each.edition == brief.edition and each.language == brief.language:
                    print(f"  {each.state:<8} {each.recipient}  {each.error}".rstrip())


@brief_cli.command()
def send(day: Day = None, data_dir: DataDir = None) -> None:
    """Send the newest edition of a morning to those of LAWANG_BRIEF_TO who have not got it.

    Ends with 1 where somebody did not get it.
    """
    from brief.mail import Postman
    from lawang.domain.clock import utc_now
    from lawang.store.briefs import MailState
    from layouts.words import DEFAULT_LANGUAGE

    with _office(data_dir) as (desk, store):
        if desk.mail is None:
            raise LawangError("no mail server is named: set LAWANG_SMTP_URL (docs/brief.md)")
        now = utc_now()
        wanted = day.date() if day else desk.composer.today(now)
        brief = store.find(wanted, DEFAULT_LANGUAGE)
        if brief is None:
            raise LawangError(f"no brief was made for {wanted}; `lawang brief make` makes one")
        desk.queue(brief, now)
        listed = desk.mail.recipients

        def letters() -> list[Letter]:
            return [
                each
                for each in store.letters(wanted)
                if (each.language, each.edition) == (brief.language, brief.edition)
                and each.recipient in listed
            ]

        open_ones = [each for each in letters() if each.state is not MailState.SENT]
        desk.send(Postman(desk.mail), open_ones, now)
        after = letters()
        for each in after:
            print(f"{each.state:<8} {each.recipient}  {each.error}".rstrip())
    if any(each.state is not MailState.SENT for each in after):
        raise typer.Exit(1)


@contextmanager
def _office(data_dir: Path | None) -> Iterator[tuple[BriefDesk, BriefStore]]:
    """What the commands work on; live state is not needed. Raises LawangError."""
    from brief.mail import read_mail_settings
    from brief.office import BriefDesk, read_time
    from lawang.city import load_city
    from lawang.store.engine import migrate, open_engine
    from lawang.store.history import History

    settings = Settings() if data_dir is None else Settings(data_dir=data_dir)
    if (
        not settings.database_url.get_secret_value()
        and not (settings.data_dir / "history.sqlite3").exists()
    ):
        raise LawangError(
            f"there is no installation in {settings.data_dir}: start `lawang up` there first, or "
            "name its folder with --data-dir"
        )
    city = load_city(settings.pack_dir, settings.data_dir, simulated=settings.demo)
    engine = open_engine(settings.sql_url)
    try:
        migrate(engine)
        history = History(engine)
        mail = read_mail_settings(settings)
        yield BriefDesk(city, history, at=read_time(settings), mail=mail), history.briefs
    except StoreError as error:
        raise LawangError(f"history does not answer ({error.kind}: {error.detail})") from None
    finally:
        engine.dispose()
