"""Types of organisations: what FTS says in either vocabulary becomes one type of ours."""

import csv
from pathlib import Path

import pytest

from rrp_portal.reference.models import OrganisationType
from rrp_portal.reference.services import ReferenceDataMissing, organisation_type_for_fts

pytestmark = pytest.mark.django_db

CSV = Path(__file__).resolve().parents[2] / "rrp_portal/reference/data/organisation_types.csv"


@pytest.fixture
def types():
    with CSV.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            labels = [label for label in row["fts_types"].split(";") if label]
            OrganisationType.objects.create(code=row["code"], name=row["name"], fts_types=labels)


@pytest.mark.parametrize(
    ("type", "subtype", "level", "code"),
    [
        ("Governments", "National Governments", "National and Sub-National State Actors", "gov_donor"),
        ("Government", "National government", None, "gov_donor"),
        ("Government", "Local government", None, "gov_local"),
        ("Governments", "International Government Entities", "International Actors", "gov_donor"),
        ("Multilateral Organizations", "UN Agencies", "International Actors", "un_agency"),
        ("UN agency", None, None, "un_agency"),
        ("Multilateral Organizations", "Other Multilateral Organizations", "International Actors", "igo"),
        ("Inter-governmental", None, None, "igo"),
        ("NGOs", "International NGOs", "International Actors", "ingo"),
        ("NGOs", "Internationally Affiliated Organizations", "International Actors", "ingo"),
        ("NGO", "Affiliated", None, "ingo"),
        ("NGOs", "National NGOs/CSOs", "Local and National Non-State Actors", "nngo"),
        ("NGOs", None, "Local and National Non-State Actors", "nngo"),
        ("NGOs", "Local NGOs/CSOs", "Local and National Non-State Actors", "local_ngo"),
        ("NGO", "Uncategorized NGO", None, "ngo"),
        ("NGO", None, None, "ngo"),
        ("Red Cross/Red Crescent", "International Society", None, "rcrc_int"),
        ("Red Cross/Red Crescent Organizations", "Red Cross/Red Crescent National Societies", None, "rcrc_nat"),
        ("Red Cross/Red Crescent", None, None, "rcrc"),
        ("Pooled Funds", "Country-based UN Pooled Funds", "Pooled Funds", "pooled_fund"),
        ("Pooled fund", "Global", None, "pooled_fund"),
        ("Private organization/foundation", "Uncategorized", None, "private"),
        ("Private Organizations", "Local/National Private Organizations", None, "private"),
        ("A type that nobody has heard of", None, None, "other"),
    ],
)
def test_both_vocabularies_of_fts_lead_to_one_type(types, type, subtype, level, code):
    found = organisation_type_for_fts([type], [subtype] if subtype else None, [level] if level else None)

    assert found.code == code


def test_an_organisation_without_any_type_is_other(types):
    assert organisation_type_for_fts([], None, None).code == "other"


def test_the_lists_are_asked_for_where_they_are_missing():
    with pytest.raises(ReferenceDataMissing, match="load_reference"):
        organisation_type_for_fts(["NGO"], None, None)
