"""One file -> records. Pure: no clock, no network, no memory."""

from __future__ import annotations

from functools import partial

from connectors.tabular.options import TabularOptions
from connectors.tabular.rows import judge_header, make_rows, wanted_columns
from connectors.tabular.tables import BadFile, read_tables
from lawang.connector import Answer, Parsed
from lawang.domain.errors import RetryLater
from lawang.domain.incident import Reject
from lawang.domain.privacy import mask
from lawang.mapping import map_rows

#: An answer of this type is no file, but the sentence why there is none.
PROBLEM = "application/x-lawang-problem"
#: An answer of this type only brings what is to be remembered of files.
BOOKKEEPING = "application/x-lawang-bookkeeping"
_LONGEST_NAME = 120


def parse_answer(options: TabularOptions, answer: Answer) -> Parsed:
    """The records of one file, whose name is `answer.kind`.

    A file that cannot be used is one reject, `bad_file`, so that the others go on. Raises
    RetryLater("garbage") only where a web server said something else in place of a file.
    """
    if answer.content_type == BOOKKEEPING:
        return Parsed()
    if answer.content_type == PROBLEM:
        return _bad_file(answer.kind, answer.body.decode("utf-8", "replace"))
    if answer.content_type.partition(";")[0].strip().lower() in ("text/html", "application/json"):
        raise RetryLater("garbage", f"a web page of {len(answer.body)} bytes in place of a file")
    wanted = wanted_columns(options)
    judge = partial(judge_header, wanted=wanted, height=options.header_rows)
    try:
        tables = read_tables(answer.body, options, judge)
        made = {table.sheet: make_rows(table, options, wanted, answer.kind) for table in tables}
        if all(rows is None for rows in made.values()):
            raise BadFile(f"no line holds the columns {', '.join(sorted(wanted))}")
        rows = [row for each in made.values() for row in each or ()]
        if len(rows) > options.max_rows:
            raise BadFile(f"it has more than {options.max_rows} rows")
    except BadFile as error:
        return _bad_file(answer.kind, str(error))
    parsed = map_rows(rows, options)
    # A cover sheet has no table; one that was asked for by its name must.
    for sheet, found in made.items():
        if options.sheets and found is None:
            parsed.rejects.extend(
                _bad_file(answer.kind, f"sheet {sheet!r} has no line of column names").rejects
            )
    return parsed


def _bad_file(name: str, problem: str) -> Parsed:
    """The reject of a whole file. A name may hold a person's number, so it is masked."""
    shown = mask(name)[:_LONGEST_NAME] or "the file"
    return Parsed(rejects=[Reject(reason="bad_file", detail=f"{shown}: {problem}")])
