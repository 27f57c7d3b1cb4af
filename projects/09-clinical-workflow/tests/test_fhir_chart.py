"""Charts out of bundles: what is read, what is left out and why, and that nothing makes the reader fail."""

import copy
import random

import orjson
import pytest

from clinical_workflow.data import listed_files, load_bundles
from clinical_workflow.features import build_stay
from clinical_workflow.fhir.chart import MOST_ENTRIES, UnreadableBundleError, read_bundle, read_entries, read_resources
from clinical_workflow.fhir.coverage import measure_coverage

from .hospital_examples import NOW, needs_published_charts, resources, spoil


def entries(*found):
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in found]}


def test_a_made_up_chart_is_read_whole(charts):
    chart = read_entries(charts[0])
    assert chart.flaws == ()
    assert chart.patient()["id"] == "made-up-000"
    assert sum(map(len, chart.resources.values())) == len(charts[0]["entry"])


def test_another_patients_resources_are_left_out(charts):
    own, other = (resources(chart, "Patient", "Condition") for chart in charts[:2])
    chart = read_resources([*own, *other], patient_id="made-up-000")
    assert {one["subject"]["reference"] for one in chart.of("Condition")} == {"Patient/made-up-000"}
    assert chart.patient()["id"] == "made-up-000"
    assert chart.flaw_counts()["other-patient"] == len(other)


def test_what_was_entered_in_error_is_left_out(charts):
    found = resources(charts[0], "Patient", "Condition", "Observation", "MedicationRequest")
    conditions = [one for one in found if one["resourceType"] == "Condition"]
    status = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
    conditions[0]["verificationStatus"] = {"coding": [{"system": status, "code": "entered-in-error"}]}
    conditions[1]["verificationStatus"] = {"coding": [{"system": status, "code": "refuted"}]}
    next(one for one in found if one["resourceType"] == "Observation")["status"] = "entered-in-error"
    chart = read_resources(found)
    assert chart.flaw_counts()["entered-in-error"] == 2
    assert chart.flaw_counts()["refuted"] == 1
    assert len(chart.of("Condition")) == len(conditions) - 2


@pytest.mark.parametrize(("change", "kind"), [
    ({"class": [{"coding": [{"code": "IMP"}]}]}, "other-version"), ({"actualPeriod": {"start": "2026-01-01"}}, "other-version"),
    ({"status": 7}, "invalid"), ({"subject": 5}, "invalid"), ({"surprise": 1}, "invalid"),
    ({"resourceType": "Spaceship"}, "unknown-type"), ({"period": {"start": "yesterday"}}, "invalid")])
def test_what_is_not_r4_is_named_without_its_values(charts, change, kind):
    patient, encounter = resources(charts[0], "Patient")[0], resources(charts[0], "Encounter")[0]
    chart = read_resources([patient, encounter | change])
    assert [flaw.kind for flaw in chart.flaws] == [kind]
    assert "yesterday" not in chart.flaws[0].why


def test_deleted_doubled_and_dangling_are_named(charts):
    patient, condition = resources(charts[0], "Patient")[0], resources(charts[0], "Condition")[0]
    bundle = entries(patient, condition, condition)
    bundle["entry"] += [{"request": {"method": "DELETE", "url": "Condition/gone"}}, {"resource": None}, None]
    counts = read_entries(bundle).flaw_counts()
    assert counts == {"dangling-reference": 1, "duplicate": 1, "no-resource": 3}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"7", b'"x"', b'{"resourceType": "Patient"}', b'{"resourceType": "Bundle"}',
                                     b'{"resourceType": "Bundle", "entry": {}}', b'{"resourceType": "Bundle", "entry": []}',
                                     b"\xff\xfe", b'{"resourceType": "Bundle", "entry": [1, "x", {"resource": []}]}'])
def test_what_is_no_bundle_is_refused_in_one_line(content):
    with pytest.raises(UnreadableBundleError) as caught:
        read_bundle(content)
    assert "\n" not in str(caught.value)


def test_a_bundle_that_is_too_large_is_refused():
    with pytest.raises(UnreadableBundleError, match="more than"):
        read_entries({"resourceType": "Bundle", "entry": [None] * (MOST_ENTRIES + 1)})


def test_a_huge_chart_goes_through(charts):
    patient, test = resources(charts[0], "Patient")[0], resources(charts[0], "Observation")[0]
    chart = read_entries(entries(patient, *({**test, "id": f"test-{number}"} for number in range(5000))))
    assert len(chart.of("Observation")) == 5000


def test_patients_are_missing_or_many(charts):
    assert read_entries(entries(*resources(charts[0], "Condition"))).patient() is None
    assert read_entries(entries(*resources(charts[0], "Patient"), *resources(charts[1], "Patient"))).patient() is None


@pytest.mark.parametrize("seed", range(12))
def test_spoilt_charts_go_through_or_are_refused(charts, seed):
    chance = random.Random(seed)
    try:
        chart = read_entries(spoil(copy.deepcopy(charts[seed % 6]), chance))
    except UnreadableBundleError:
        return
    measure_coverage(chart, now=NOW)
    for encounter in chart.of("Encounter"):
        orjson.dumps(build_stay(chart, encounter, now=NOW).request)


@pytest.mark.real_data
@needs_published_charts()
def test_every_published_chart_goes_through_without_a_flaw():
    bundles = load_bundles()
    assert len(bundles.content) == len(listed_files()) == 30
    for content in bundles.content.values():
        chart = read_bundle(content)
        assert chart.flaws == ()
        assert chart.patient()
        for encounter in chart.of("Encounter"):
            assert build_stay(chart, encounter, now=NOW).request["encounter"]["age"]
