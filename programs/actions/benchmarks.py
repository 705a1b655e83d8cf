"""Benchmarks are opened, then values are added to them; nothing is overwritten, a correction is a new value."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import User
from common.audit import record
from common.errors import Blocker, NotAllowed, NotReady, Refused
from common.states import locked
from common.text import clean_line
from programs.models import Benchmark, BenchmarkValue, Project, ResearchArea
from programs.rules.benchmarks import may_benchmark, may_keep


@transaction.atomic
def open_benchmark(
    owner: Project | ResearchArea, *, name_ja: str, name_en: str = "", unit: str, direction: str, by: User, at: datetime
) -> Benchmark:
    """This function will open a benchmark of a project or an area. Raises `NotAllowed`, or `Refused` for a name twice."""
    row = locked(type(owner), owner.pk)
    if not may_benchmark(by, row):
        raise NotAllowed(_("Benchmarks are kept by the principal investigator, the HQ and the program director."))
    name = clean_line(name_ja).strip()
    link = {"project": row} if isinstance(row, Project) else {"area": row}
    if not name:
        raise Refused(_("Enter what is measured."), "required", "name_ja")
    if Benchmark.objects.filter(**link, name_ja=name).exists():
        raise Refused(_("There is a benchmark with this name already."), "name_taken", "name_ja")
    if direction not in Benchmark.Direction.values:
        raise Refused(_("Choose whether higher or lower is better."), "required", "direction")
    made = Benchmark.objects.create(
        **link, name_ja=name, name_en=clean_line(name_en).strip(), unit=clean_line(unit).strip(), direction=direction
    )
    record("open_benchmark", row, by=by, at=at, after={"benchmark": made.name_ja, "unit": made.unit})
    return made


@transaction.atomic
def add_benchmark_value(
    benchmark: Benchmark,
    *,
    holder: str,
    value: Decimal,
    on: date,
    source: str,
    holder_name: str = "",
    corrects: BenchmarkValue | None = None,
    by: User,
    at: datetime,
) -> BenchmarkValue:
    """This function will add a value of a day with its source; `corrects` is the value it replaces.

    Raises `NotAllowed`, or `NotReady` with what is wrong in which field.
    """
    row = locked(Benchmark, benchmark.pk)
    if not may_keep(by, row):
        raise NotAllowed(_("Benchmarks are kept by the principal investigator, the HQ and the program director."))
    said, who = clean_line(source).strip(), clean_line(holder_name).strip()
    if blockers := _blockers(row, holder, on, said, who, corrects, localdate(at)):
        raise NotReady(_("Not saved. Correct what is marked."), blockers)
    made = BenchmarkValue.objects.create(
        benchmark=row, holder=holder, holder_name=who, value=value, on=on, source=said, by_label=by.actor_label,
        recorded_at=at, corrects=corrects,
    )  # fmt: skip
    owner = row.project or row.area
    assert owner is not None
    after = {"benchmark": row.name_ja, "holder": holder, "value": f"{value.normalize():f} {row.unit}".strip()}
    after |= {"on": on.isoformat(), "source": said}
    before = {"value": f"{corrects.value.normalize():f} {row.unit}".strip()} if corrects else {}
    record("add_benchmark_value", owner, by=by, at=at, before=before, after=after)
    return made


def _blockers(
    benchmark: Benchmark, holder: str, on: date, source: str, who: str, corrects: BenchmarkValue | None, today: date
) -> list[Blocker]:
    found = []
    if holder not in BenchmarkValue.Holder.values:
        found.append(Blocker("holder", "required", _("Choose whose value it is.")))
    if on > today:
        found.append(Blocker("on", "future", _("The day lies in the future. Enter the day of the measurement.")))
    if not source:
        message = _("Say where the value comes from: a paper with its DOI, a report, a measurement record.")
        found.append(Blocker("source", "required", message))
    if holder == BenchmarkValue.Holder.WORLD and not who:
        found.append(Blocker("holder_name", "required", _("Name who reached the world's best value.")))
    if corrects is not None and (
        corrects.benchmark_id != benchmark.pk
        or corrects.holder != holder
        or BenchmarkValue.objects.filter(corrects=corrects).exists()
    ):
        message = _("This value cannot be corrected: it was corrected already or belongs elsewhere.")
        found.append(Blocker("corrects", "not_correctable", message))
    return found
