"""Research areas (技術領域), their directors over time, officers, advisers and deputies."""

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from accounts.models import BilingualName, SampleMark, Tenure
from common.sample import no_sample_on_real, same_sample_mark
from common.search import GinIndex, folded_column, grams_column
from programs.models.program import Program

_REAL_AREA = no_sample_on_real("area_id", "programs_researcharea", "person_id", "accounts_person")


class ResearchArea(BilingualName, SampleMark):
    """An area of a program. The counts are what the source prints; the dates say since when it belongs (構成領域)."""

    ref = models.SlugField(_("reference"), max_length=64, unique=True)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="areas", verbose_name=_("program"))
    number = models.PositiveSmallIntegerField(_("number"))
    joined_on = models.DateField(_("part of the program from"), null=True, blank=True)
    left_on = models.DateField(_("part of the program until"), null=True, blank=True)
    flagship_count = models.PositiveSmallIntegerField(_("Flagship projects as printed"), null=True, blank=True)
    basic_count = models.PositiveSmallIntegerField(_("basic projects as printed"), null=True, blank=True)
    human_resources_count = models.PositiveSmallIntegerField(
        _("human resources projects as printed"), null=True, blank=True
    )
    themes_ja = models.JSONField(_("themes by kind of project"), default=dict, blank=True)
    source = models.CharField(_("source"), max_length=300, blank=True, default="")
    search_text = folded_column("name_ja", "name_en", "ref")
    search_grams = grams_column("name_ja", "name_en", "ref")

    class Meta:
        verbose_name = _("research area")
        verbose_name_plural = _("research areas")
        ordering = ["program_id", "number"]
        constraints = [models.UniqueConstraint(fields=["program", "number"], name="area_number_once")]
        indexes = [GinIndex(fields=["search_grams"], name="area_grams")]
        triggers = [same_sample_mark("program_id", "programs_program")]


def _never_two_at_once(name: str, scope: str) -> ExclusionConstraint:
    # A one-point int8range stands in for btree_gist's equality, so that no extension is needed.
    return ExclusionConstraint(
        name=name,
        expressions=[
            (Func(F(scope), F(scope), Value("[]"), function="int8range"), "&&"),
            (
                Func(F("starts_on"), F("ends_on"), Value("[]"), function="daterange", output_field=DateRangeField()),
                "&&",
            ),
        ],
        violation_error_message=_("There is already somebody in this role during these dates. End that term first."),
    )


class AreaDirector(Tenure):
    """A program director's (PD) term: one per area at a time, the database refuses two."""

    area = models.ForeignKey(
        ResearchArea, on_delete=models.PROTECT, related_name="directors", verbose_name=_("research area")
    )

    class Meta(Tenure.Meta):
        verbose_name = _("program director's term")
        verbose_name_plural = _("program directors' terms")
        ordering = ["area_id", "-starts_on"]
        constraints = [*Tenure.Meta.constraints, _never_two_at_once("one_director_at_a_time", "area")]
        triggers = [_REAL_AREA]


class AreaOfficer(Tenure):
    """A program officer's (PO) term."""

    area = models.ForeignKey(
        ResearchArea, on_delete=models.PROTECT, related_name="officers", verbose_name=_("research area")
    )

    class Meta(Tenure.Meta):
        verbose_name = _("program officer's term")
        verbose_name_plural = _("program officers' terms")
        triggers = [_REAL_AREA]


class AreaAdviser(Tenure):
    """A network lab area's research supervisor (研究総括) or adviser (領域アドバイザー)."""

    class Capacity(models.TextChoices):
        SUPERVISOR = "supervisor", _("research supervisor")
        ADVISER = "adviser", _("area adviser")

    area = models.ForeignKey(
        ResearchArea, on_delete=models.PROTECT, related_name="advisers", verbose_name=_("research area")
    )
    capacity = models.CharField(_("capacity"), max_length=12, choices=Capacity.choices)

    class Meta(Tenure.Meta):
        verbose_name = _("area adviser")
        verbose_name_plural = _("area advisers")
        triggers = [_REAL_AREA]


def _stands_in_for_another() -> pgtrigger.Trigger:
    """Refuses a deputy for oneself, and a sample person who would stand in for a real one's role."""
    return pgtrigger.Trigger(
        name="stands_in_for_another",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        declare=[("holder", "bigint"), ("area_is_sample", "boolean"), ("person_is_sample", "boolean")],
        func="""
            SELECT term.person_id, area.is_sample INTO holder, area_is_sample
                FROM (SELECT id, person_id, area_id, TRUE AS directs FROM programs_areadirector
                      UNION ALL SELECT id, person_id, area_id, FALSE FROM programs_areaofficer) AS term
                JOIN programs_researcharea AS area ON area.id = term.area_id
                WHERE term.id = COALESCE(NEW.director_id, NEW.officer_id)
                    AND term.directs = (NEW.director_id IS NOT NULL);
            IF holder = NEW.person_id THEN
                RAISE EXCEPTION 'nobody stands in for himself or herself'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'deputy_of_another';
            END IF;
            SELECT is_sample INTO person_is_sample FROM accounts_person WHERE id = NEW.person_id;
            IF person_is_sample AND NOT area_is_sample THEN
                RAISE EXCEPTION 'a sample person cannot stand in for a real role'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'programs_deputy_sample_mark';
            END IF;
            RETURN NEW;
        """,
    )


class Deputy(Tenure):
    """Somebody who holds the rights of a director or an officer who is away or conflicted, from a day to a day."""

    director = models.ForeignKey(
        AreaDirector, null=True, blank=True, on_delete=models.PROTECT, related_name="deputies",
        verbose_name=_("stands in for the director"),
    )  # fmt: skip
    officer = models.ForeignKey(
        AreaOfficer, null=True, blank=True, on_delete=models.PROTECT, related_name="deputies",
        verbose_name=_("stands in for the officer"),
    )  # fmt: skip

    class Meta(Tenure.Meta):
        verbose_name = _("deputy")
        verbose_name_plural = _("deputies")
        constraints = [
            *Tenure.Meta.constraints,
            models.CheckConstraint(
                name="deputy_of_one_role",
                condition=Q(director__isnull=False, officer__isnull=True)
                | Q(director__isnull=True, officer__isnull=False),
            ),
            models.CheckConstraint(name="deputy_has_an_end", condition=Q(ends_on__isnull=False)),
        ]
        triggers = [_stands_in_for_another()]
