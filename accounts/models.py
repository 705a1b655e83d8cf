"""People, organizations and role grants, and the abstracts that role tables in other apps are built on."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from common.identifiers import (
    validate_corporate_number,
    validate_erad_number,
    validate_orcid,
    validate_ror,
)
from common.refs import ref_default
from common.search import GinIndex, folded_column, grams_column


class BilingualName(models.Model):
    """`name_ja` is required; `name_en` may stay blank and falls back to the Japanese name."""

    name_ja = models.CharField(_("name (Japanese)"), max_length=200)
    name_en = models.CharField(_("name (English)"), max_length=200, blank=True, default="")

    class Meta:
        abstract = True

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_en if self.name_en and get_language() == "en" else self.name_ja

    def __str__(self) -> str:
        return self.name


class SampleMark(models.Model):
    """Sample records are marked; the database checks that no real record points at a sample."""

    is_sample = models.BooleanField(_("sample"), default=False)

    class Meta:
        abstract = True


class Organization(BilingualName, SampleMark):
    """A university, institute, company, agency or ministry."""

    ref = models.SlugField(_("reference"), max_length=64, unique=True)
    name_kana = models.CharField(_("name (kana)"), max_length=200, blank=True, default="")
    corporate_number = models.CharField(
        _("corporate number"), max_length=13, blank=True, default="", validators=[validate_corporate_number]
    )
    ror = models.CharField(_("ROR"), max_length=9, blank=True, default="", validators=[validate_ror])
    is_funding_agency = models.BooleanField(_("funding agency"), default=False)
    search_text = folded_column("name_ja", "name_en", "name_kana")
    search_grams = grams_column("name_ja", "name_en", "name_kana")

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        ordering = ["name_kana", "name_ja"]
        constraints = [
            models.UniqueConstraint(
                fields=["corporate_number"], name="corporate_number_once", condition=~Q(corporate_number="")
            ),
            models.UniqueConstraint(fields=["ror"], name="ror_once", condition=~Q(ror="")),
        ]
        indexes = [GinIndex(fields=["search_grams"], name="organization_grams")]


class Person(SampleMark):
    """Somebody who is named in the system, with or without a sign-in."""

    ref = models.CharField(_("reference"), max_length=16, unique=True, default=ref_default("PSN"), editable=False)
    name_ja = models.CharField(_("name (Japanese)"), max_length=100)
    name_kana = models.CharField(_("name (kana)"), max_length=100, blank=True, default="")
    name_en = models.CharField(_("name (English)"), max_length=100, blank=True, default="")
    orcid = models.CharField(_("ORCID"), max_length=19, blank=True, default="", validators=[validate_orcid])
    erad_number = models.CharField(
        _("e-Rad researcher number"), max_length=8, blank=True, default="", validators=[validate_erad_number]
    )

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["name_kana", "name_ja"]
        constraints = [
            models.UniqueConstraint(fields=["orcid"], name="orcid_once", condition=~Q(orcid="")),
            models.UniqueConstraint(fields=["erad_number"], name="erad_number_once", condition=~Q(erad_number="")),
        ]

    @property
    def name(self) -> str:
        return self.name_en if self.name_en and get_language() == "en" else self.name_ja

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Users sign in with their mail address."""

    def get_queryset(self) -> models.QuerySet[User]:
        """This function will read the person along: every page names whoever is signed in."""
        return super().get_queryset().select_related("person")

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> User:
        """This function will create a user; without a password the account can only be entered by link or passkey."""
        user = self.model(email=self.normalize_email(email).lower(), **extra)
        user.set_password(password) if password else user.set_unusable_password()
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A sign-in. Roles hang on the person, never on the sign-in; there is no superuser at run time."""

    class Digest(models.TextChoices):
        EACH = "each", _("each mail at once")
        DAILY = "daily", _("one digest a day")

    email = models.EmailField(_("mail address"), unique=True)
    person = models.OneToOneField(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="user", verbose_name=_("person")
    )
    language = models.CharField(
        _("language"), max_length=8, choices=[("ja", "日本語"), ("en", "English")], default="ja"
    )
    digest = models.CharField(_("mails"), max_length=8, choices=Digest.choices, default=Digest.EACH)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(_("created at"), auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [models.CheckConstraint(name="no_superuser", condition=Q(is_superuser=False))]

    def __str__(self) -> str:
        return self.person.name if self.person_id and self.person else self.email

    @property
    def actor_kind(self) -> str:
        return "person"

    @property
    def actor_id(self) -> str:
        return str(self.pk)

    @property
    def actor_label(self) -> str:
        return str(self)

    @property
    def is_sample(self) -> bool:
        return bool(self.person and self.person.is_sample)


class Tenure(models.Model):
    """A role somebody holds from a day to a day (both included); role tables are built on it."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", verbose_name=_("person"))
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"), null=True, blank=True)
    granted_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("granted by")
    )
    approved_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("approved by")
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(class)s_dates_in_order", condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on"))
            ),
            models.CheckConstraint(
                name="%(class)s_two_people",
                condition=Q(granted_by__isnull=True) | Q(approved_by__isnull=True) | ~Q(granted_by=F("approved_by")),
            ),
        ]

    def __str__(self) -> str:
        return str(self.person)

    @property
    def is_approved(self) -> bool:
        """A grant counts from its approval by a second person."""
        return self.approved_by_id is not None


class SecondPerson(models.Model):
    """Whatever needs two people: who proposed and who approved must differ, in the database too."""

    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("proposed by"))
    approved_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("approved by")
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(class)s_second_person",
                condition=Q(approved_by__isnull=True) | ~Q(proposed_by=F("approved_by")),
            )
        ]


class Recusal(models.Model):
    """An exclusion beside an object: this person sees nothing that is not public of it, whatever the roles."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", verbose_name=_("person"))
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"), null=True, blank=True)
    source_ref = models.CharField(_("from the conflict"), max_length=32)

    class Meta:
        abstract = True


class Affiliation(Tenure):
    """Where a person works."""

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="affiliations", verbose_name=_("organization")
    )
    position = models.CharField(_("position"), max_length=100, blank=True, default="")

    class Meta(Tenure.Meta):
        verbose_name = _("affiliation")
        verbose_name_plural = _("affiliations")


class RoleGrant(Tenure):
    """A global, institution or agency role. Roles on a program, area, project or panel live with their object."""

    class Role(models.TextChoices):
        MINISTRY_STAFF = "ministry_staff", _("ministry staff")
        SECRETARIAT = "secretariat", _("evaluation secretariat")
        APPROVER = "approver", _("approver")
        CABINET_OFFICE = "cabinet_office", _("Cabinet Office")
        USER_MINISTRY = "user_ministry", _("user ministry")
        SECURITY_OFFICER = "security_officer", _("security unit")
        AUDITOR = "auditor", _("auditor")
        EVALUATOR = "evaluator", _("evaluator")
        PANEL_CHAIR = "panel_chair", _("panel chair")
        AGENCY_STAFF = "agency_staff", _("agency staff")
        INSTITUTION_OFFICE = "institution_office", _("institution's office")
        INSTITUTION_ACCOUNTANT = "institution_accountant", _("institution's accountant")

    SCOPED = ("agency_staff", "institution_office", "institution_accountant", "user_ministry")

    role = models.CharField(_("role"), max_length=32, choices=Role.choices)
    organization = models.ForeignKey(
        Organization,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="role_grants",
        verbose_name=_("scope (organization)"),
    )

    class Meta(Tenure.Meta):
        verbose_name = _("role grant")
        verbose_name_plural = _("role grants")
        constraints = [
            *Tenure.Meta.constraints,
            models.CheckConstraint(
                name="rolegrant_known",
                condition=Q(
                    role__in=[
                        "ministry_staff", "secretariat", "approver", "cabinet_office", "user_ministry",
                        "security_officer", "auditor", "evaluator", "panel_chair", "agency_staff",
                        "institution_office", "institution_accountant",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="rolegrant_has_scope",
                condition=~Q(role__in=["agency_staff", "institution_office", "institution_accountant"])
                | Q(organization__isnull=False),
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["person", "role"], name="rolegrant_person")]

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.person, self.get_role_display(), self.organization) if part)


class SignInLink(models.Model):
    """A one-time sign-in address for sample people; only its hash is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, verbose_name=_("user"))
    token_hash = models.CharField(_("hash"), max_length=64, unique=True)
    expires_at = models.DateTimeField(_("valid until"))
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)

    class Meta:
        verbose_name = _("sign-in link")
        verbose_name_plural = _("sign-in links")

    def __str__(self) -> str:
        return str(self.user)
