"""Loads a whole portfolio file in one transaction: everything in it, or nothing and a list of what is wrong."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from calls.actions.visions import load_vision_scheme, scheme_clashes
from calls.vision_scheme import read_vision_scheme
from common.actors import Actor
from common.audit import record_many
from common.errors import Blocker, NotReady, Refused
from common.loading import Ledger
from common.reading import parse_json
from programs.actions.portfolio import clashes, load_programs
from programs.portfolio import read_portfolio

#: Two loads at once would each create what the other is about to.
_LOAD_LOCK = 7_301_002


def load_portfolio(data: bytes, *, by: Actor, at: datetime, dry_run: bool = False) -> Ledger:
    """This function will load a portfolio file (UTF-8 JSON) and tell what was created, changed and left.

    Raises `Refused` for a file that is no JSON and `NotReady`, with a path in the file for each problem, for one that
    does not fit; then nothing is written. A dry run does the same work and takes it back.
    """
    portfolio = read_portfolio(parse_json(data))
    scheme = read_vision_scheme(portfolio)
    if portfolio.problems:
        raise _nothing_loaded(portfolio.problems)
    agencies = {row.operated_by.casefold() for row in portfolio.programs if row.operated_by}
    agencies |= {row.agency for row in scheme.concepts} if scheme else set()
    ledger = Ledger()
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOAD_LOCK])
            problems = clashes(portfolio) + (scheme_clashes(scheme) if scheme else [])
            if problems:
                raise _nothing_loaded(problems)
            load_programs(portfolio, ledger, agencies)
            if scheme:
                load_vision_scheme(scheme, ledger)
            record_many("load_portfolio", ledger.changes(), by=by, at=at)
            if dry_run:
                transaction.set_rollback(True)
    except IntegrityError as error:
        raise Refused(
            _("The database refused the file, and nothing was loaded: %(reason)s")
            % {"reason": str(error).splitlines()[0]},
            "database",
        ) from error
    return ledger


def _nothing_loaded(problems: list[Blocker]) -> NotReady:
    return NotReady(
        _("Nothing was loaded. Correct these places in the file (%(count)s) and load it again.")
        % {"count": len(problems)},
        problems,
    )
