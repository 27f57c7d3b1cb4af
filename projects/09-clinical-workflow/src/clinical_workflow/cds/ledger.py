"""What was asked, said and answered, in a SQLite file: the shadow log, the feedback, and the tokens that were used.

It holds no identifier of a patient, a person or a stay, and no comment: a card's uuid, what kind it was, the risk rounded to a percent, and
what became of it. Several processes may write it.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carefolio.exceptions import ConfigError

FILE = "ledger.sqlite"
_TABLES = """
CREATE TABLE IF NOT EXISTS calls (id INTEGER PRIMARY KEY, at REAL NOT NULL, service TEXT NOT NULL, mode TEXT NOT NULL,
    status INTEGER NOT NULL, ms REAL NOT NULL, cards INTEGER NOT NULL, note TEXT NOT NULL, risk REAL, assumed INTEGER, model TEXT);
CREATE TABLE IF NOT EXISTS cards (uuid TEXT PRIMARY KEY, call INTEGER NOT NULL REFERENCES calls(id), at REAL NOT NULL,
    service TEXT NOT NULL, topic TEXT NOT NULL, indicator TEXT NOT NULL, shown INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS suggestions (uuid TEXT PRIMARY KEY, card TEXT NOT NULL REFERENCES cards(uuid));
CREATE TABLE IF NOT EXISTS feedback (card TEXT PRIMARY KEY REFERENCES cards(uuid), at REAL NOT NULL, outcome TEXT NOT NULL, reason TEXT,
    commented INTEGER NOT NULL, taken INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (hash BLOB PRIMARY KEY, until REAL NOT NULL);
CREATE TABLE IF NOT EXISTS switches (at REAL NOT NULL, service TEXT NOT NULL, mode TEXT NOT NULL, why TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Call:
    """One call of a service, as the ledger keeps it.

    ``mode`` is ``off``, ``shadow`` or ``show``; ``note`` a few fixed words; ``assumed`` the number of columns that the chart did not hold.
    """

    service: str
    mode: str
    status: int
    ms: float
    note: str
    risk: float | None = None
    assumed: int | None = None
    model: str | None = None


@dataclass(frozen=True)
class KeptCard:
    """One card, as the ledger keeps it; ``topic`` says what it is about in one word."""

    uuid: str
    topic: str
    indicator: str
    suggestions: tuple[str, ...]


@dataclass(frozen=True)
class KeptFeedback:
    """What became of a card, as the ledger keeps it."""

    card: str
    outcome: str
    reason: str | None
    commented: bool
    suggestions: tuple[str, ...]


class Ledger:
    """An open ledger.

    Parameters
    ----------
    folder : Path
        Where its file is, or is made.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=5.0, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(f"the ledger {self.path} cannot be opened ({error}); give a folder that can be written.") from None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def take_once(self, issuer: str, token_id: str, until: float) -> bool:
        """Remember a token.

        Parameters
        ----------
        issuer : str
            Who signed it.
        token_id : str
            Its ``jti``.
        until : float
            Seconds since 1970 until which it could be used.

        Returns
        -------
        bool
            False if it was taken before.
        """
        digest = hashlib.sha256(f"{len(issuer)}:{issuer}{token_id}".encode()).digest()
        with self._lock:
            self._db.execute("DELETE FROM tokens WHERE until < ?", (time.time(),))
            return self._db.execute("INSERT OR IGNORE INTO tokens VALUES (?, ?)", (digest, until)).rowcount == 1

    def record(self, call: Call, cards: Sequence[KeptCard]) -> None:
        """Keep a call and the cards that it made, shown or not.

        Parameters
        ----------
        call : Call
            The call.
        cards : sequence of KeptCard
            Its cards.
        """
        now, risk = time.time(), None if call.risk is None else round(call.risk, 2)
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            made = self._db.execute("INSERT INTO calls (at, service, mode, status, ms, cards, note, risk, assumed, model) "
                                    "VALUES (?,?,?,?,?,?,?,?,?,?)",
                                    (now, call.service, call.mode, call.status, call.ms, len(cards), call.note, risk, call.assumed,
                                     call.model))
            for card in cards:
                self._db.execute("INSERT INTO cards VALUES (?,?,?,?,?,?,?)", (card.uuid, made.lastrowid, now, call.service, card.topic,
                                                                            card.indicator, call.mode == "show"))
                self._db.executemany("INSERT INTO suggestions VALUES (?,?)", [(one, card.uuid) for one in card.suggestions])

    def answer(self, service: str, answers: Sequence[KeptFeedback]) -> list[str]:
        """Keep what became of cards: all of it, or nothing.

        Parameters
        ----------
        service : str
            Service that made them.
        answers : sequence of KeptFeedback
            One a card; a later one takes the place of an earlier one.

        Returns
        -------
        list of str
            What does not fit: empty if it was kept.
        """
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            faults = [fault for answer in answers if (fault := self._fault(service, answer))]
            if faults:
                return faults
            self._db.executemany("INSERT OR REPLACE INTO feedback VALUES (?,?,?,?,?,?)", [
                (one.card, time.time(), one.outcome, one.reason, one.commented, len(one.suggestions)) for one in answers])
        return []

    def _fault(self, service: str, answer: KeptFeedback) -> str | None:
        shown = self._db.execute("SELECT shown FROM cards WHERE uuid = ? AND service = ?", (answer.card, service)).fetchone()
        if shown is None or not shown[0]:
            return "a card is named that this service has not shown"
        known = {row[0] for row in self._db.execute("SELECT uuid FROM suggestions WHERE card = ?", (answer.card,))}
        return None if set(answer.suggestions) <= known else "a suggestion is named that the card does not hold"

    def note_switch(self, service: str, mode: str, why: str) -> None:
        """Keep that a service was switched.

        Parameters
        ----------
        service : str
            Its id, or ``"all"``.
        mode : str
            To what.
        why : str
            Who and why, in a few words.
        """
        with self._lock:
            self._db.execute("INSERT INTO switches VALUES (?,?,?,?)", (time.time(), service, mode, why[:200]))

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Read.

        Parameters
        ----------
        query : str
            A SELECT of this project's own.
        values : sequence, optional
            Its parameters.

        Returns
        -------
        list of tuple
            The rows.
        """
        with self._lock:
            return self._db.execute(query, values).fetchall()
