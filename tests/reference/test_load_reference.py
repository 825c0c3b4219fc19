"""The lists that the portal ships: loaded by one command, safe to repeat, edited in the administration without being lost."""

from io import StringIO

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.utils import translation

from rrp_portal.reference.models import (
    GOVERNMENT_TYPES,
    Bureau,
    Country,
    Currency,
    GlobalCluster,
    OrganisationType,
    OutcomeArea,
    PopulationGroup,
    Sector,
)
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def load(**options):
    out = StringIO()
    call_command("load_reference", stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def loaded():
    return load()


def test_the_second_run_changes_nothing_and_says_so(loaded):
    again = load()

    assert "countries: 251 created, 0 updated, 0 unchanged" in loaded
    assert "countries: 0 created, 0 updated, 251 unchanged" in again
    assert again.endswith("Nothing changed: the lists are up to date.\n")
    assert "Nothing changed" not in loaded


def test_a_country_has_its_codes_its_bureau_and_its_name_in_six_languages(loaded):
    chad = Country.objects.get(iso3="TCD")

    assert (chad.iso2, chad.m49, chad.fts_id) == ("TD", 148, 44)
    assert (chad.bureau.code, chad.region) == ("WCA", "Central Africa and the Great Lakes")
    assert chad.names == {"en": "Chad", "fr": "Tchad", "es": "Chad", "ru": "Чад", "ar": "تشاد", "zh-hans": "乍得"}
    with translation.override("fr"):
        assert chad.local_name == "Tchad"


def test_every_country_has_six_names_and_every_host_country_a_bureau(loaded):
    languages = {"en", "fr", "es", "ru", "ar", "zh-hans"}

    assert [country.pk for country in Country.objects.all() if country.names.keys() != languages] == []
    hosts = ["UGA", "COD", "TUR", "IRN", "PAK", "COL", "DEU", "SDN", "MRT", "LBN", "BGD", "ETH", "POL", "KEN", "NER"]
    assert Country.objects.filter(pk__in=hosts, bureau=None).count() == 0
    assert Bureau.objects.count() == 7


@pytest.mark.parametrize(
    ("iso3", "name"),
    [
        ("COD", "Democratic Republic of the Congo"),
        ("PSE", "State of Palestine"),
        ("MMR", "Myanmar"),
        ("TUR", "Türkiye"),
        ("XKX", "Kosovo (S/RES/1244 (1999))"),
    ],
)
def test_countries_are_called_what_the_united_nations_call_them(loaded, iso3, name):
    assert Country.objects.get(pk=iso3).name == name


def test_currencies_have_names_and_those_that_ended_are_retired(loaded):
    assert Currency.objects.get(pk="XAF").names["fr"] == "franc CFA (BEAC)"
    assert Currency.objects.active().filter(pk__in=["USD", "EUR", "SSP", "SDG", "MRU", "VES", "ZWG"]).count() == 7
    assert Currency.objects.get(pk="HRK").retired_on.year == 2023
    assert not Currency.objects.filter(pk__in=["XXX", "XAU", "XTS"]).exists()


@pytest.mark.requirement("I1")
def test_no_type_of_government_may_own_a_requirement_and_each_refusal_says_what_to_do(loaded):
    governments = OrganisationType.objects.filter(code__in=GOVERNMENT_TYPES)

    assert governments.count() == 3
    assert not governments.filter(may_own_requirement=True).exists()
    assert all("national plan" in type.why_no_requirement for type in governments)
    assert "register of development finance" in OrganisationType.objects.get(pk="mdb").why_no_requirement
    assert "allocates" in OrganisationType.objects.get(pk="pooled_fund").why_no_requirement
    assert not OrganisationType.objects.filter(may_own_requirement=False, why_no_requirement="").exists()
    assert not OrganisationType.objects.filter(may_own_requirement=True).exclude(why_no_requirement="").exists()


@pytest.mark.requirement("R22", "G97")
def test_types_of_organisations_carry_localisation_and_iati_codes(loaded):
    local = OrganisationType.objects.filter(localisation="local").values_list("code", flat=True)

    assert set(local) == {"nngo", "local_ngo", "rlo", "wrlo", "rcrc_nat"}
    assert OrganisationType.objects.get(pk="gov_local").iati_code == "11"
    assert OrganisationType.objects.get(pk="ingo").iati_code == "21"


@pytest.mark.requirement("I2", "I3")
def test_population_groups_know_in_which_plans_they_may_stand(loaded):
    eligibility = dict(PopulationGroup.objects.values_list("code", "eligibility"))

    assert (eligibility["IDP"], eligibility["RDP"], eligibility["MIG"]) == ("never", "never", "rmrp_only")
    assert set(PopulationGroup.objects.filter(shown_apart=True).values_list("code", flat=True)) == {"HST"}
    assert PopulationGroup.objects.filter(eligibility="every_plan").count() == 8


def test_sectors_have_subsectors_outcome_areas_and_global_clusters(loaded):
    protection = Sector.objects.get(code="PROT")

    assert list(protection.subsectors.order_by("position").values_list("code", flat=True)) == [
        "CP",
        "GBV",
        "REG",
        "PSEA",
        "AAP",
    ]
    areas = Sector.objects.get(code="ENEN").outcome_areas.order_by("position").values_list("code", flat=True)
    assert list(areas) == ["OA8", "OA9", "OA13"]
    assert OutcomeArea.objects.count() == 21
    assert GlobalCluster.objects.get(fts_id=13).sector.code == "GBV"
    assert GlobalCluster.objects.get(fts_id=26479).sector.code == "MULT"
    rrp = Sector.objects.filter(position__lt=900, parent=None)
    assert rrp.count() == 13
    with translation.override("zh-hans"):
        assert Sector.objects.get(code="WASH").local_name == "水、环境卫生和个人卫生"


def test_an_entry_that_drifted_is_put_right(loaded):
    Country.objects.filter(pk="TCD").update(region="Nowhere")
    Sector.objects.get(code="WASH").outcome_areas.clear()

    again = load()

    assert "countries: 0 created, 1 updated, 250 unchanged" in again
    assert Country.objects.get(pk="TCD").region == "Central Africa and the Great Lakes"
    assert Sector.objects.get(code="WASH").outcome_areas.get().code == "OA12"


def test_what_a_person_edited_in_the_administration_stays_until_it_is_given_up(loaded):
    sector = Sector.objects.get(code="FOOD")
    sector.name = "Food assistance"
    sector.save()
    LogEntry.objects.create(
        user=make_user(),
        content_type=ContentType.objects.get_for_model(Sector),
        object_id=str(sector.pk),
        object_repr="Food",
        action_flag=CHANGE,
    )

    again = load()

    assert "1 kept as edited here (FOOD)" in again
    assert Sector.objects.get(code="FOOD").name == "Food assistance"
    load(overwrite=True)
    assert Sector.objects.get(code="FOOD").name == "Food security"


def test_entries_that_the_portal_does_not_ship_stay(loaded):
    Sector.objects.create(code="MIRP", name="Something local")

    load()

    assert Sector.objects.filter(code="MIRP").exists()
