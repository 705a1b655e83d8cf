"""People, organizations and roles in the admin. Roles take two people: who enters them and who approves them."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ResetPasswordForm
from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actions.people import affiliate, create_person, create_user
from accounts.actions.roles import approve_tenure, end_tenure, grant_role, propose_tenure
from accounts.grants import grants_of
from accounts.models import Affiliation, Organization, Person, RoleGrant, SignInLink, User
from accounts.rules import approval_blockers, may_enter_admin, may_manage_people
from common.admin import ActionAdmin, ChoiceFilter, RecordedForm, site
from common.audit import record
from common.errors import Refused

site.may_enter = may_enter_admin
site.may_change = may_manage_people


def for_auditors(table: Any) -> Any:
    """This function will return what answers the journal: these rows, or all of a table, for auditors; else none."""
    rows = table._default_manager.all() if isinstance(table, type) else table
    return lambda user: rows.all() if grants_of(user).has("auditor") else rows.none()


site.subjects["accounts.signinlink"] = for_auditors(SignInLink)


ONCE = gettext_lazy("Another record has this number already. Search for it, and use that one.")


class OrganizationAdmin(ActionAdmin):
    """Organizations are public facts."""

    constraint_words = {"corporate_number_once": ("corporate_number", ONCE), "ror_once": ("ror", ONCE)}

    list_display = ("ref", "name_ja", "name_en", "corporate_number", "ror", "is_funding_agency", "is_sample")
    list_filter = ("is_funding_agency", "is_sample")
    fields = ("ref", "name_ja", "name_kana", "name_en", "corporate_number", "ror", "is_funding_agency", "is_sample")
    fixed = ("ref",)
    search_fields = ("search_text",)
    grams = "search_grams"

    def visible(self, user: Any) -> QuerySet[Organization]:
        """This function will return all."""
        return Organization.objects.all()


class PersonAdmin(ActionAdmin):
    """People, with or without a sign-in."""

    constraint_words = {"orcid_once": ("orcid", ONCE), "erad_number_once": ("erad_number", ONCE)}

    list_display = ("ref", "name_ja", "name_kana", "name_en", "orcid", "erad_number", "is_sample")
    list_filter = ("is_sample",)
    fields = ("ref", "name_ja", "name_kana", "name_en", "orcid", "erad_number", "is_sample")
    readonly_fields = ("ref",)
    search_fields = ("name_ja", "name_kana", "name_en", "=ref", "=orcid", "=erad_number")
    search_help_text = gettext_lazy("Part of a name, or a whole reference, ORCID or e-Rad number.")

    def visible(self, user: Any) -> QuerySet[Person]:
        """This function will return all."""
        return Person.objects.all()

    def add(self, obj: Any, typed: dict[str, Any], *, reason: str, by: Any, at: Any) -> Person:
        """This function will enter the person by the action."""
        return create_person(**{name: typed[name] for name in PERSON_FIELDS}, by=by, at=at)


PERSON_FIELDS = ("name_ja", "name_kana", "name_en", "orcid", "erad_number")


class UserForm(RecordedForm):
    """A new sign-in: for somebody who is entered already, or for a new person."""

    name_ja = forms.CharField(label=gettext_lazy("name (Japanese)"), max_length=100, required=False)
    name_kana = forms.CharField(label=gettext_lazy("name (kana)"), max_length=100, required=False)
    name_en = forms.CharField(label=gettext_lazy("name (English)"), max_length=100, required=False)
    send_mail = forms.BooleanField(
        label=gettext_lazy("Send the mail with which the person sets a password"), required=False, initial=True
    )

    def clean_email(self) -> str:
        """This function will keep addresses in small letters, since people sign in by them."""
        return str(self.cleaned_data["email"]).strip().lower()

    def clean(self) -> dict[str, Any]:
        """This function will ask for a person: one who is there, or a name."""
        typed = super().clean()
        if not self.instance.pk and bool(typed.get("person")) == bool(typed.get("name_ja")):
            self.add_error("person", _("Choose a person who is entered already, or type the name of a new one."))
        return typed


class UserAdmin(ActionAdmin):
    """Sign-ins. What somebody may do hangs on roles, never on the sign-in."""

    form = UserForm
    list_display = ("email", "person", "language", "digest", "is_active", "last_login")
    list_select_related = ("person",)
    list_filter = ("is_active", "language")
    fields = ("person", "email", "language", "digest", "is_active", "last_login", "date_joined")
    readonly_fields = ("last_login", "date_joined")
    fixed = ("person",)
    autocomplete_fields = ("person",)
    ordering = ("email",)
    search_fields = ("email", "person__name_ja", "person__name_en")
    actions = ("send_password_mail",)
    change_form_template = "admin/user_change_form.html"

    def visible(self, user: Any) -> QuerySet[User]:
        """This function will return all."""
        return User.objects.all()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """This function will ask for the person's name on a new sign-in only."""
        if obj is None:
            return ["person", "name_ja", "name_kana", "name_en", "email", "language", "send_mail", "reason"]
        return super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """This function will keep the address fixed from the first sign-in on: who changes it could sign in by it."""
        fixed = super().get_readonly_fields(request, obj)
        return [*fixed, "email"] if obj and obj.last_login else fixed

    def add(self, obj: Any, typed: dict[str, Any], *, reason: str, by: Any, at: Any) -> User:
        """This function will enter the person if need be, and open the sign-in."""
        person = typed["person"] or create_person(
            name_ja=typed["name_ja"], name_kana=typed["name_kana"], name_en=typed["name_en"], by=by, at=at
        )
        return create_user(person, email=typed["email"], language=typed["language"], by=by, at=at)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """This function will send the mail for the first password when it was asked for."""
        super().save_related(request, form, formsets, change)
        if not change and form.cleaned_data.get("send_mail"):
            self._mail_password(request, form.instance)

    def get_urls(self) -> list[Any]:
        """This function will add the address of the button that sends the mail."""
        view = self.admin_site.admin_view(self.password_mail_view)
        return [path("<int:pk>/password-mail/", view, name="accounts_user_password_mail"), *super().get_urls()]

    def password_mail_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """This function will send the mail from the user's page."""
        user = self.posted_row(request, pk)
        self.attempt(request, lambda: self._mail_password(request, user), _("The mail is on its way."))
        return self.back_to(user)

    @admin.action(
        description=gettext_lazy("Send the mail with which the person sets a password"), permissions=["change"]
    )
    def send_password_mail(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """This function will send the mail to the chosen ones."""
        for user in queryset:
            done = _("The mail to %(name)s is on its way.") % {"name": user}
            self.attempt(request, lambda user=user: self._mail_password(request, user), done)  # type: ignore[misc]

    def _mail_password(self, request: HttpRequest, user: User) -> None:
        if not user.is_active:
            raise Refused(_("This sign-in is switched off. Switch it on first."), "inactive")
        with translation.override(user.language):
            form = ResetPasswordForm({"email": user.email})
            if form.is_valid():
                form.save(request)
        record("send_password_mail", user, by=request.user, at=request.received_at)  # type: ignore[arg-type,attr-defined]


class TenureForm(RecordedForm):
    """Asks for days in order, before the database compares them with other terms."""

    def clean(self) -> dict[str, Any]:
        """This function will name the last day when it comes before the first."""
        typed = super().clean()
        starts_on = typed.get("starts_on", self.instance.starts_on)
        if starts_on and typed.get("ends_on") and typed["ends_on"] < starts_on:
            self.add_error("ends_on", _("The last day cannot be before the first."))
        return typed


class AffiliationAdmin(ActionAdmin):
    """Where people work; it gives no role."""

    form = TenureForm

    list_display = ("person", "organization", "position", "starts_on", "ends_on")
    list_select_related = ("person", "organization")
    fields = ("person", "organization", "position", "starts_on", "ends_on")
    fixed = ("person", "organization", "starts_on")
    autocomplete_fields = ("person", "organization")
    ordering = ("-id",)
    search_fields = ("person__name_ja", "person__name_en", "=person__ref", "=organization__ref")

    def visible(self, user: Any) -> QuerySet[Affiliation]:
        """This function will return all."""
        return Affiliation.objects.all()

    def add(self, obj: Any, typed: dict[str, Any], *, reason: str, by: Any, at: Any) -> Affiliation:
        """This function will enter it by the action."""
        names = ("position", "starts_on", "ends_on")
        return affiliate(typed["person"], typed["organization"], **{n: typed[n] for n in names}, by=by, at=at)


# Roles ----------------------------------------------------------------------------------------------------------------


class ApprovalFilter(ChoiceFilter):
    """Roles that wait for the second person, and those that count."""

    title = gettext_lazy("approval")
    parameter_name = "approval"
    values = (("waiting", gettext_lazy("waiting for the second person")), ("approved", gettext_lazy("approved")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """This function will compare whether somebody approved."""
        if self.value() not in ("waiting", "approved"):
            return queryset if self.value() is None else queryset.none()
        return queryset.filter(approved_by__isnull=self.value() == "waiting")


class TenureAdmin(ActionAdmin):
    """A role of any kind: entered by one, approved by another, ended with a reason. Nothing else changes."""

    form = TenureForm

    #: What the role is held for, and its further columns: fixed once it is entered.
    scope: tuple[str, ...] = ()
    #: What else names the scope, read along.
    along: tuple[str, ...] = ()
    list_filter: Any = (ApprovalFilter,)
    ordering = ("-id",)
    search_fields = ("person__name_ja", "person__name_en", "=person__ref")
    actions = ("approve",)
    change_form_template = "admin/tenure_change_form.html"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.fields = ("person", *self.scope, "starts_on", "ends_on")
        self.list_display = ("person", *self.scope, "starts_on", "ends_on", "standing", "granted_by", "approved_by")
        self.list_select_related = (
            "person", *self._related(), *self.along, "granted_by__person", "approved_by__person",
        )  # fmt: skip
        self.fixed = ("person", *self.scope, "starts_on", "granted_by", "approved_by")
        self.autocomplete_fields = ("person", *(name for name in self._related() if name in AUTOCOMPLETED))

    def _related(self) -> list[str]:
        return [name for name in self.scope if self.model._meta.get_field(name).is_relation]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """This function will show who entered and who approved a role that is there."""
        fields = super().get_fields(request, obj)
        return (
            [*fields[: len(self.fields)], "granted_by", "approved_by", *fields[len(self.fields) :]] if obj else fields
        )

    @admin.display(description=gettext_lazy("standing"))
    def standing(self, tenure: Any) -> str:
        """This function will say whether the role waits, counts, or has ended."""
        if not tenure.is_approved:
            return _("waiting for the second person")
        today = timezone.localdate()
        if tenure.ends_on and tenure.ends_on < today:
            return _("ended")
        return _("in force") if tenure.starts_on <= today else _("not begun yet")

    def add(self, obj: Any, typed: dict[str, Any], *, reason: str, by: Any, at: Any) -> Any:
        """This function will propose the role."""
        return propose_tenure(obj, by=by, at=at)

    def change(self, obj: Any, before: dict[str, Any], changed: list[str], *, reason: str, by: Any, at: Any) -> None:
        """This function will end the role; nothing else of it is open in the form."""
        if obj.ends_on is None:
            raise Refused(_("A longer term is a new role. Propose it from the day after."), "longer_term", "ends_on")
        adopt_end = end_tenure(obj, ends_on=obj.ends_on, reason=reason, by=by, at=at)
        obj.ends_on = adopt_end.ends_on

    # Approval ---------------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        """This function will add the address of the button that approves."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_approve"
        return [
            path("<int:pk>/approve/", self.admin_site.admin_view(self.approve_view), name=name),
            *super().get_urls(),
        ]

    def approve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """This function will approve from the role's page."""
        tenure = self.posted_row(request, pk)
        self._approve(request, tenure)
        return self.back_to(tenure)

    @admin.action(description=gettext_lazy("Approve"), permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """This function will approve the chosen roles that this person may approve, and say why not the others."""
        writable = set(self.writable(request.user).filter(pk__in=queryset.values("pk")).values_list("pk", flat=True))
        for tenure in queryset:
            if tenure.pk in writable:
                self._approve(request, tenure)

    def _approve(self, request: HttpRequest, tenure: Any) -> None:
        done = _("Approved: %(person)s.") % {"person": tenure.person}
        how = {"by": request.user, "at": request.received_at}  # type: ignore[attr-defined]
        self.attempt(request, lambda: approve_tenure(tenure, **how), done)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """This function will show the button, or what stands in the way of this person's approval."""
        tenure = kwargs.get("obj")
        if tenure is not None and not tenure.is_approved and self.has_change_permission(request, tenure):
            context["waits"] = True
            name = f"admin:{self.opts.app_label}_{self.opts.model_name}_approve"
            context["approve_url"] = reverse(name, args=[tenure.pk])
            context["in_the_way"] = approval_blockers(tenure, request.user)
        return super().render_change_form(request, context, *args, **kwargs)


AUTOCOMPLETED = ("organization", "project")


class RoleGrantForm(TenureForm):
    """Asks for the organization of roles that need one."""

    def clean(self) -> dict[str, Any]:
        """This function will name the field that is missing."""
        typed = super().clean()
        if typed.get("role") in RoleGrant.SCOPED and not typed.get("organization"):
            self.add_error("organization", _("Choose the organization for which this role is held."))
        return typed


class RoleGrantAdmin(TenureAdmin):
    """Global, institution and agency roles."""

    form = RoleGrantForm
    scope = ("role", "organization")
    list_filter = (ApprovalFilter, "role")

    def visible(self, user: Any) -> QuerySet[RoleGrant]:
        """This function will return all."""
        return RoleGrant.objects.all()

    def add(self, obj: Any, typed: dict[str, Any], *, reason: str, by: Any, at: Any) -> RoleGrant:
        """This function will propose the role by its own action."""
        names = ("role", "organization", "starts_on", "ends_on")
        return grant_role(typed["person"], **{name: typed[name] for name in names}, by=by, at=at)


site.register(Organization, OrganizationAdmin)
site.register(Person, PersonAdmin)
site.register(User, UserAdmin)
site.register(Affiliation, AffiliationAdmin)
site.register(RoleGrant, RoleGrantAdmin)
