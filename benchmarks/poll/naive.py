"""The other way: what one writes in an afternoon with requests and pandas.

Every ten seconds all sources are fetched by a pool of threads, made DataFrames, compared with the
frame before, and written whole by `to_sql`. It keeps connections open (a Session a thread) and has
time-outs. It does not: ask whether anything changed (ETag), place a record in a region, map or mask
anything, keep what was before, tell how old a number is, back off from what does not answer,
survive a killed process without loss or doubles, or tell anybody what changed.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import requests
from sqlalchemy import Engine, create_engine

from benchmarks.poll.mix import EVERY_S, Spot, read_list
from lawang.process import bind_to_parent

THREADS = 16
_TIMEOUT_S = 8


class NaivePoller:
    """Fetches, compares and writes; the frames before are kept in memory."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._before: dict[str, pd.DataFrame] = {}
        self._local = threading.local()
        # SQLite takes one writer at a time.
        self._writing = threading.Lock()

    def poll(self, spot: Spot) -> int | None:
        """How many rows are new or changed; None when the source did not answer."""
        try:
            frame = self._read(spot)
        except requests.RequestException:
            return None
        before = self._before.get(spot.id)
        if before is None:
            changed = len(frame)
        else:
            merged = frame.merge(before, how="left", indicator=True)
            changed = int((merged["_merge"] == "left_only").sum())
        with self._writing:
            frame.to_sql(spot.id, self._engine, if_exists="replace", index=False)
        self._before[spot.id] = frame
        return changed

    def _read(self, spot: Spot) -> pd.DataFrame:
        if spot.kind == "files":
            return pd.concat(
                [pd.read_csv(file, sep=";") for file in sorted(Path(spot.folder).glob("*.csv"))]
            )
        if spot.kind == "table":
            with contextlib.closing(sqlite3.connect(spot.file, timeout=5)) as books:
                return pd.read_sql_query("SELECT * FROM permohonan", books)
        answer = self._session().get(spot.url, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        if spot.kind == "warnings":
            return pd.DataFrame(self._read_warnings(answer.content))
        return pd.json_normalize(answer.json()["data"])

    def _read_warnings(self, index: bytes) -> Iterator[dict[str, str]]:
        for item in ElementTree.fromstring(index).iter("item"):
            link = item.findtext("link") or ""
            root = ElementTree.fromstring(self._session().get(link, timeout=_TIMEOUT_S).content)
            yield {each.tag.rpartition("}")[2]: each.text or "" for each in root.iter()}

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
        session: requests.Session = self._local.session
        return session


def main() -> None:
    """`python -m benchmarks.poll.naive LIST DATABASE`: a line of JSON after each round."""
    bind_to_parent()
    listed, database = sys.argv[1:]
    spots = read_list(Path(listed))
    poller = NaivePoller(create_engine(f"sqlite:///{database}"))
    with ThreadPoolExecutor(THREADS) as threads:
        while True:
            began, cpu_began = time.monotonic(), time.process_time()
            changed = list(threads.map(poller.poll, spots))
            told = {
                "seconds": time.monotonic() - began,
                "cpu_s": time.process_time() - cpu_began,
                "polls": len(changed),
                "changed": sum(each or 0 for each in changed),
                "failed": sum(each is None for each in changed),
            }
            print(json.dumps(told), flush=True)
            time.sleep(max(0.0, EVERY_S - (time.monotonic() - began)))


if __name__ == "__main__":
    main()
