"""`load_portfolio` against the database: complete, twice without change, all or nothing."""

import copy
import io
import json
from datetime import datetime

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count, Max
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.models import Organization
from calls.actions.portfolio import load_portfolio
from calls.models import Concept, ConceptItem, SupportedTechnology, Vision
from common.actors import SYSTEM
from common.errors import NotReady, Refused
from common.fiscal_year import JAPAN
from common.models import JournalEntry
from common.money import printed
from programs.actions.portfolio import SHIPPED_PORTFOLIO
from programs.models import (
    AwardNumber,
    BudgetLine,
    Emphasis,
    Headquarters,
    HQMember,
    IndicatorTarget,
    OutcomeIndicator,
    Participation,
    PolicyBasis,
    Program,
    ProgramAgency,
    Project,
    ProjectComplement,
    ResearchArea,
    StageGate,
    TrlLevel,
    UnpricedItem,
)

pytestmark = pytest.mark.django_db

AT = datetime(2026, 6, 3, 9, 0, tzinfo=JAPAN)
BYTES = SHIPPED_PORTFOLIO.read_bytes()
SHIPPED = json.loads(BYTES)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def load(data=BYTES, **options):
    return load_portfolio(data if isinstance(data, bytes) else json.dumps(data).encode(), by=SYSTEM, at=AT, **options)


@pytest.fixture
def loaded(db):
    return load()


def other_portfolio():
    """The shipped file under other ids: the test database holds the real portfolio already."""
    data = copy.deepcopy(SHIPPED)
    owned = [row for noun in ("programs", "areas", "projects", "indicator_targets") for row in data[noun]]
    owned += [row for rows in data["vision_scheme"].values() if isinstance(rows, list) for row in rows]
    for row in owned:
        for key in ("id", "parent", "program", "area"):
            if row.get(key):
                row[key] = f"other-{row[key]}"
    return data


def row_counts():
    return {model._meta.label: model._default_manager.count() for model in apps.get_models()}


def changed(change):
    data = copy.deepcopy(SHIPPED)
    change(data)
    return data


# What is there afterwards ---------------------------------------------------------------------------------------------


def test_load_brings_every_program_with_its_kind_place_and_years(loaded):
    real = Program.objects.filter(is_sample=False)
    assert list(real.order_by("position").values_list("ref", "kind", "path")) == [
        ("advanced-research-package", "package", "advanced-research-package/"),
        ("materials-dx", "umbrella", "advanced-research-package/materials-dx/"),
        ("arim", "infrastructure", "advanced-research-package/materials-dx/arim/"),
        ("materials-data-core", "data_hub", "advanced-research-package/materials-dx/materials-data-core/"),
        ("dxmt", "rd_centres", "advanced-research-package/materials-dx/dxmt/"),
        ("research-data-ecosystem", "data_ecosystem", "advanced-research-package/research-data-ecosystem/"),
        ("aip", "umbrella", "advanced-research-package/aip/"),
        ("aip-center", "research_centre", "advanced-research-package/aip/aip-center/"),
        ("aip-netlab", "strategic_basic", "advanced-research-package/aip/aip-netlab/"),
        ("q-leap", "flagship_basic", "advanced-research-package/q-leap/"),
        ("k-program", "vision_driven", "advanced-research-package/k-program/"),
    ]
    assert real.get(ref="arim").parent.ref == "materials-dx"
    ecosystem = real.get(ref="research-data-ecosystem")
    assert (ecosystem.start_fiscal_year, ecosystem.end_fiscal_year) == (2022, 2026)
    q_leap = real.get(ref="q-leap")
    assert (q_leap.area_scale_min_yen, q_leap.area_scale_max_yen) == (600_000_000, 1_200_000_000)
    assert q_leap.attributes["gate_outcomes_ja"] == ["変更", "中止"]
    assert real.get(ref="arim").attributes["structure"] == {
        "total_institutions": 25, "center_hub": 1, "hub": 5, "spoke": 19,
    }  # fmt: skip


def test_load_brings_every_budget_line_exactly_as_printed(loaded):
    lines = BudgetLine.objects.filter(program__is_sample=False)
    assert lines.count() == sum(len(program["budget_lines"]) for program in SHIPPED["programs"]) == 27
    kinds = {"initial_proposal": "予", "initial": "前", "supplementary": "補"}
    assert [
        f"{line.program.ref} {line.fiscal_year} {kinds[line.kind]} {printed(line.amount_yen, line.printed_unit)}"
        for line in lines.select_related("program").order_by("program__position", "-fiscal_year", "kind")
    ] == [
        "advanced-research-package 2022 予 639億円", "advanced-research-package 2021 前 627億円",
        "advanced-research-package 2021 補 1,366億円",
        "materials-dx 2022 予 5,152百万円", "materials-dx 2021 前 3,809百万円", "materials-dx 2021 補 7,134百万円",
        "arim 2022 予 1,733百万円", "arim 2021 前 1,713百万円", "arim 2021 補 3,606百万円",
        "materials-data-core 2022 予 850百万円", "materials-data-core 2021 前 1,156百万円",
        "materials-data-core 2021 補 2,600百万円",
        "dxmt 2022 予 1,361百万円", "dxmt 2021 前 43百万円",
        "research-data-ecosystem 2022 予 991百万円",
        "aip 2022 予 10,707百万円", "aip 2021 前 10,861百万円", "aip 2021 補 320百万円",
        "aip-center 2022 予 3,249百万円", "aip-center 2021 前 3,249百万円", "aip-center 2021 補 320百万円",
        "aip-netlab 2022 予 7,458百万円", "aip-netlab 2021 前 7,612百万円",
        "q-leap 2022 予 3,650百万円", "q-leap 2021 前 3,500百万円", "q-leap 2018 予 2,200百万円",
        "k-program 2021 補 125,000百万円",
    ]  # fmt: skip


def test_load_keeps_every_flag_note_and_source_of_a_budget_line(loaded):
    for program in SHIPPED["programs"]:
        for line in program["budget_lines"]:
            kept = BudgetLine.objects.get(
                program__ref=program["id"], fiscal_year=line["fiscal_year"], kind=line["kind"]
            )
            for flag in ("is_estimate", "includes_predecessor", "is_new", "tax_included"):
                assert getattr(kept, flag) == line[flag], (program["id"], line)
            assert kept.note == (line["note"] or "")
            assert kept.source == line.get("source", program["source"])
    new = BudgetLine.objects.filter(is_new=True, program__is_sample=False)
    assert set(new.values_list("program__ref", "fiscal_year")) == {("q-leap", 2018), ("research-data-ecosystem", 2022)}


def test_load_brings_policy_bases_with_the_words_that_the_document_quotes(loaded):
    bases = PolicyBasis.objects.all()
    assert bases.count() == 10
    assert list(bases.filter(quotation_ja="").values_list("document_ja", flat=True)) == [
        "量子科学技術(光・量子技術)の新たな推進方策"
    ]
    ecosystem = bases.get(program__ref="research-data-ecosystem", document_ja="経済財政運営と改革の基本方針2021")
    assert ecosystem.decided_by_ja == "閣議決定"
    assert ecosystem.decided_on == "2021-06-18"
    assert ecosystem.quotation_ja == (
        "研究の生産性を高めるため、研究DXを推進するとともに、研究を支える専門職人材の配置を促進する。"
    )


def test_load_brings_unpriced_items_emphases_and_capacity(loaded):
    assert (
        list(UnpricedItem.objects.filter(program__ref="materials-dx").values_list("name_ja", flat=True))
        == (SHIPPED["programs"][1]["unpriced_items_ja"])
    )
    emphases = Emphasis.objects.filter(program__ref="q-leap")
    assert list(emphases.values_list("fiscal_year", "text_ja")) == [
        (2022, "産学官連携や海外との共同研究等の国際連携を通じた研究開発の加速"),
        (2022, "量子技術を活用して社会課題解決や新産業創出等を担う人材の育成強化"),
    ]
    capacity = OutcomeIndicator.objects.filter(program__ref="arim", kind="capacity").order_by("ref")
    assert list(capacity.values_list("name_ja", "targets__value", "unit", "direction", "period")) == [
        ("先端共用設備", 1000, "台", "at_least", "none"),
        ("利用支援体制", 500, "名", "about", "none"),
    ]


def test_load_brings_indicator_targets_with_the_term_as_printed(loaded):
    targets = IndicatorTarget.objects.filter(indicator__program__ref="materials-dx").order_by("calendar_year")
    assert list(
        targets.values_list("indicator__ref", "term_ja", "value", "indicator__unit", "calendar_year", "is_approximate")
    ) == [
        ("facility-uses-per-year", "初期(2022年頃)", 3000, "件/年", 2022, True),
        ("data-items-per-year", "長期(2025年頃)", 1_000_000, "件/年", 2025, True),
    ]


def test_load_brings_areas_and_the_projects_that_they_print(loaded):
    printed_counts = {"flagship": "flagship_count", "basic": "basic_count", "human_resources": "human_resources_count"}
    for area in ResearchArea.objects.filter(is_sample=False):
        counted = dict(area.projects.values_list("kind").annotate(n=Count("pk")).values_list("kind", "n"))
        assert {kind: counted.get(kind, 0) for kind in printed_counts} == {
            kind: getattr(area, name) for kind, name in printed_counts.items()
        }
    assert Project.objects.filter(program__ref="q-leap").count() == 26
    assert Project.objects.filter(program__ref="dxmt", kind="centre").count() == 5
    assert ResearchArea.objects.get(ref="ql4").themes_ja == {
        "human_resources": "量子技術に関する共通的な教育プログラムの開発"
    }


def test_load_gives_each_project_its_lead_and_each_flagship_an_empty_headquarters(loaded):
    leads = Participation.objects.filter(project__is_sample=False, role="lead", ends_on=None)
    assert dict(leads.values_list("project__ref", "organization__ref")) == {
        project["id"]: project["lead_institution"] for project in SHIPPED["projects"]
    }
    headquarters = Headquarters.objects.filter(project__is_sample=False)
    assert set(headquarters.values_list("project__ref", flat=True)) == {
        "ql1-f1", "ql1-f2", "ql2-f1", "ql2-f2", "ql3-f1",
    }  # fmt: skip
    assert not HQMember.objects.filter(headquarters__in=headquarters).exists()
    assert set(Project.objects.filter(program__ref="q-leap", target_trl=6).values_list("kind", flat=True)) == {
        "flagship"
    }


def test_load_links_basic_research_to_the_flagships_of_its_area_and_says_that_pairs_are_not_sourced(loaded):
    links = ProjectComplement.objects.filter(basic__is_sample=False)
    assert links.count() == 6 * 2 + 7 * 2 + 4 * 1
    assert set(links.filter(basic__ref="ql3-b1").values_list("flagship__ref", flat=True)) == {"ql3-f1"}
    assert all("組合せは示していません" in note for note in links.values_list("note", flat=True))


def test_load_marks_agencies_and_what_they_run(loaded):
    real = ProgramAgency.objects.filter(program__is_sample=False)
    assert sorted(real.values_list("program__ref", "organization__ref")) == [
        ("aip-netlab", "jst"), ("k-program", "jst"), ("k-program", "nedo"),
    ]  # fmt: skip
    agencies = Organization.objects.filter(is_funding_agency=True, is_sample=False)
    assert set(agencies.values_list("ref", flat=True)) == {"jst", "nedo"}


def test_load_brings_the_vision_scheme_and_leaves_what_is_not_sourced_empty(loaded):
    assert dict(Vision.objects.values_list("ref", "technology_count")) == {"vision-1": 27, "vision-2": 23}
    assert Vision.objects.get(ref="vision-2").domains_ja == []
    assert SupportedTechnology.objects.filter(is_sample=False, vision=None).count() == 4
    assert Concept.objects.filter(is_sample=False, technologies=None).count() == 14
    haps = Concept.objects.get(ref="concept-haps")
    assert (haps.agency.ref, haps.ceiling_yen) == ("nedo", 8_000_000_000)
    assert (haps.period_from, haps.period_to, haps.period_years) == ("2024-04", "2029-03", 5)
    assert list(
        ConceptItem.objects.filter(concept__ref="concept-cyber").values_list("numbers", "ceiling_yen", "period_to")
    ) == [([1, 2, 3], 29_000_000_000, "2029-06"), ([4], 3_000_000_000, "2027-06")]
    scheme = Program.objects.get(ref="k-program").attributes
    assert scheme["vision_scheme_award_number_pattern"] == "JPMJKP + 2-digit year + letter + digit"


def test_load_brings_the_nine_levels_with_level_six_in_the_words_of_the_source(loaded):
    levels = TrlLevel.objects.filter(scale__is_default=True)
    assert list(levels.values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert list(levels.filter(is_provisional_translation=False).values_list("number", "name_ja")) == [
        (6, "プロトタイプによる実証")
    ]


def test_load_invents_nothing_on_real_programs(loaded):
    assert not StageGate.objects.filter(program__is_sample=False).exists()
    assert not AwardNumber.objects.filter(project__is_sample=False).exists()
    assert not Participation.objects.filter(program__is_sample=False).exists()


# Twice, dry, changed --------------------------------------------------------------------------------------------------


def test_load_writes_one_journal_row_for_each_owner(loaded):
    newest = JournalEntry.objects.aggregate(newest=Max("pk"))["newest"]
    load(other_portfolio())
    rows = JournalEntry.objects.filter(pk__gt=newest, action="load_portfolio", at=AT)
    assert dict(rows.values_list("subject_type").annotate(n=Count("pk"))) == {
        "programs.program": 11, "programs.researcharea": 4, "programs.project": 31, "programs.outcomeindicator": 4,
        "calls.vision": 2, "calls.supportedtechnology": 4, "calls.concept": 14,
    }  # fmt: skip
    q_leap = rows.get(subject_type="programs.program", subject_ref="other-q-leap")
    assert (q_leap.actor_kind, q_leap.before) == ("system", {})
    assert q_leap.after["budgetline"]["2022 initial_proposal"]["amount_yen"] == 3_650_000_000
    assert q_leap.after["parent"] == "other-advanced-research-package"


def test_load_twice_changes_nothing_and_writes_no_journal(loaded):
    before = row_counts()
    again = load()
    assert not again.has_changes
    assert again.left == 232
    assert row_counts() == before


def test_load_dry_run_tells_the_same_and_writes_nothing():
    before = row_counts()
    told = load(other_portfolio(), dry_run=True)
    assert row_counts() == before
    done = load(other_portfolio())
    assert row_counts() != before
    assert told.lines == done.lines
    assert len(done.lines) == 232 - 19 - 19 - 5  # organizations, scale and cost categories are there already


def test_load_when_a_figure_changed_then_only_that_is_changed_and_told(loaded):
    newest = JournalEntry.objects.aggregate(newest=Max("pk"))["newest"]
    told = load(changed(lambda data: data["programs"][9]["budget_lines"][0].update(amount_yen=3_651_000_000)))
    assert [(line.verb, line.label, line.before, line.after) for line in told.lines] == [
        ("changed", "q-leap 2022 initial_proposal", {"amount_yen": 3_650_000_000}, {"amount_yen": 3_651_000_000})
    ]
    entry = JournalEntry.objects.get(pk__gt=newest)
    assert (entry.subject_ref, entry.before, entry.after) == (
        "q-leap",
        {"budgetline": {"2022 initial_proposal": {"amount_yen": 3_650_000_000}}},
        {"budgetline": {"2022 initial_proposal": {"amount_yen": 3_651_000_000}}},
    )


def test_load_never_overwrites_what_people_filled_in_where_the_file_knows_nothing(loaded):
    Project.objects.filter(ref="ql1-b2").update(title_ja="量子ソフトウェアの研究")
    Organization.objects.filter(ref="riken").update(ror="01sjwvz98", name_en="RIKEN")
    assert not load().has_changes
    assert Project.objects.get(ref="ql1-b2").title_ja == "量子ソフトウェアの研究"
    assert Organization.objects.get(ref="riken").name_en == "RIKEN"


def test_load_when_people_handed_over_the_lead_then_it_stays_handed_over(loaded):
    old = Participation.objects.get(project__ref="ql1-b2", role="lead")
    old.ends_on = AT.date()
    old.save()
    Participation.objects.create(project=old.project, role="lead", organization=Organization.objects.get(ref="nii"))
    assert not load().has_changes


def test_load_when_a_program_moves_then_everything_below_moves_along(loaded):
    own = Program.objects.create(
        ref="own", name_ja="自前", kind="rd_centres", parent=Program.objects.get(ref="dxmt"),
        path="advanced-research-package/materials-dx/dxmt/own/",
    )  # fmt: skip
    load(changed(lambda data: data["programs"][4].update(parent="aip")))
    own.refresh_from_db()
    assert own.path == "advanced-research-package/aip/dxmt/own/"
    load(changed(lambda data: data["programs"][4].update(parent=None)))
    dxmt = Program.objects.get(ref="dxmt")
    assert (dxmt.parent, dxmt.path) == (None, "dxmt/")


def test_load_takes_as_many_queries_for_many_projects_as_for_few():
    few, many = other_portfolio(), other_portfolio()
    many["projects"] += [{**many["projects"][2], "id": f"extra-{n}"} for n in range(300)]
    with CaptureQueriesContext(connection) as for_few:
        load(few, dry_run=True)
    with CaptureQueriesContext(connection) as for_many:
        load(many, dry_run=True)
    assert len(for_many) == len(for_few) <= 80


# Refused --------------------------------------------------------------------------------------------------------------


def test_load_when_anything_is_wrong_then_nothing_is_written_and_all_is_named():
    def change(data):
        data["programs"][3]["budget_lines"][0]["amount_yen"] = "850"
        data["vision_scheme"]["concepts"][0]["agency"] = "JAXA"
        data["vision_scheme"]["technologies"][0]["vision"] = "vision-9"
        data["vision_scheme"]["concepts"][1]["technologies"] = ["tech-x"]
        data["vision_scheme"]["concepts"][9]["period"]["from"] = "2024/04"
        data["vision_scheme"]["visions"][0]["colour"] = "blue"

    before = row_counts()
    with pytest.raises(NotReady) as refusal:
        load(changed(change))
    assert {blocker.field for blocker in refusal.value.blockers} == {
        "programs[3].budget_lines[0].amount_yen",
        "vision_scheme.concepts[0].agency",
        "vision_scheme.technologies[0].vision",
        "vision_scheme.concepts[1].technologies[0]",
        "vision_scheme.concepts[9].period.from",
        "vision_scheme.visions[0].colour",
    }
    assert row_counts() == before


def test_load_when_the_scheme_has_no_program_then_it_is_refused():
    with pytest.raises(NotReady) as refusal:
        load(changed(lambda data: data["programs"][10].update(kind="package")))
    assert [(blocker.field, blocker.code) for blocker in refusal.value.blockers] == [
        ("vision_scheme", "vision_program")
    ]


def test_load_when_ids_and_numbers_belong_to_others_then_each_place_is_named(twin):
    load()
    Organization.objects.filter(ref="riken").update(corporate_number="7000012050002")
    AwardNumber.objects.create(project=Project.objects.get(ref="ql1-f1"), number="JPMXS0118067394")

    def change(data):
        data["organizations"][0]["corporate_number"] = "7000012050002"
        data["projects"][1]["award_numbers"] = ["JPMXS0118067394"]
        data["projects"].append({**data["projects"][0], "id": "sample-ql1-f1"})
        data["areas"][0]["id"] = "ql-one"
        for project in data["projects"]:
            project["area"] = "ql-one" if project["area"] == "ql1" else project["area"]

    before = row_counts()
    with pytest.raises(NotReady) as refusal:
        load(changed(change))
    assert {(blocker.field, blocker.code) for blocker in refusal.value.blockers} == {
        ("organizations[0].corporate_number", "taken"),
        ("projects[1].award_numbers[0]", "taken"),
        ("projects[31].id", "sample_record"),
        ("areas[0].number", "taken"),
    }
    assert row_counts() == before


def test_load_when_the_database_refuses_then_it_is_said_and_nothing_stays(loaded):
    Program.objects.create(ref="squatter", name_ja="同じ道", kind="package", path="other-advanced-research-package/")
    before = row_counts()
    with pytest.raises(Refused, match="The database refused the file, and nothing was loaded"):
        load(other_portfolio())
    assert row_counts() == before


# The command ----------------------------------------------------------------------------------------------------------


def run(*args, **options):
    out = io.StringIO()
    call_command("load_portfolio", *map(str, args), stdout=out, **options)
    return out.getvalue()


def test_command_tells_lines_and_counts_then_no_change(tmp_path):
    file = tmp_path / "portfolio.json"
    file.write_text(json.dumps(other_portfolio()), "utf-8")
    first = run(file)
    assert "+ program other-q-leap\n" in first
    assert "budget line: 27 created, 0 changed, 0 left" in first
    assert "organization: 0 created, 0 changed, 19 left" in first
    assert run() == "No change: all 232 records are as the file says.\n"


def test_command_with_dry_run_says_that_nothing_was_written(tmp_path):
    file = tmp_path / "portfolio.json"
    file.write_text(json.dumps(other_portfolio()), "utf-8")
    before = row_counts()
    assert "This would be done; nothing was written:" in run(file, dry_run=True)
    assert row_counts() == before


def test_command_when_a_row_is_bad_then_it_prints_its_path_and_what_to_do(tmp_path):
    file = tmp_path / "portfolio.json"
    data = changed(lambda data: data["programs"][3]["budget_lines"][0].update(amount_yen=-1))
    file.write_text(json.dumps(data), "utf-8")
    with pytest.raises(CommandError) as refusal:
        run(file)
    assert str(refusal.value) == (
        f"{file}: Nothing was loaded. Correct these places in the file (1) and load it again.\n"
        "  programs[3].budget_lines[0].amount_yen: A negative amount needs is_reduction: true. Add it, or remove the "
        "minus sign."
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [(b'{\n "programs": [,]\n}', "line 2, column 15"), (b"\xff\xfe{", "The file is not UTF-8: line 1.")],
)
def test_command_when_the_file_is_no_json_then_it_names_the_line(tmp_path, content, message):
    file = tmp_path / "portfolio.json"
    file.write_bytes(content)
    with pytest.raises(CommandError, match=message):
        run(file)


def test_command_when_the_file_is_missing_or_a_folder_then_it_says_so(tmp_path):
    with pytest.raises(CommandError, match="There is no file"):
        run(tmp_path / "nowhere.json")
    with pytest.raises(CommandError, match="cannot be read"):
        run(tmp_path)
