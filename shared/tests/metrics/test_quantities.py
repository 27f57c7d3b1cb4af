import pytest

from carefolio.metrics.quantities import exact_numbers


def read(text):
    return [(number.value, number.unit) for number in exact_numbers(text)]


@pytest.mark.parametrize(("forms", "expected"), [
    (["5mg", "5 mg", "five mg", "5 milligrams", "5.0 MG", "０5 mg", "5,000 mcg", "0.005 g", "5000 µg", "five\u00a0mg"], [("5", "mg")]),
    (["0.50 mL", ".5 ml", "0.5 cc", "½ ml", "1/2 ml", "half a milliliter"], [("0.5", "ml")]),
    (["5-10 mg", "5 to 10 mg", "5–10 mg", "five to ten milligrams", "5 mg to 10 mg", "0.005-0.01 g"], [("5", "mg"), ("10", "mg")]),
    (["120/80", "120 / 80 mmHg", "120 over 80", "one twenty over eighty"], [("120/80", "ratio")]),
    (["3/4/2024", "03/04/24", "March 4, 2024", "mar 4 2024", "4th of March 2024", "2024-03-04", "2024-3-4"], [("2024-03-04", "date")]),
    (["76-year-old", "76 y.o.", "76yo", "seventy six years old", "seventy-six years"], [("76", "year")]),
    (["March 2024"], [("2024-03", "date")]), (["March 4", "4 march"], [("--03-04", "date")]), (["1/2/99"], [("1999-01-02", "date")]),
    (["125", "one hundred and twenty five", "one hundred twenty-five", "one twenty five"], [("125", "")]),
    (["1985", "nineteen eighty five", "1,985"], [("1985", "")]), (["2005", "two thousand and five"], [("2005", "")]),
    (["2.5 tablets", "two and a half tablets", "two point five pills"], [("2.5", "tablet")]),
    (["7 out of 10", "seven out of ten", "7/10"], [("7/10", "ratio")]), (["20 mg/5 mL"], [("20", "mg"), ("5", "ml")]),
    (["5 mg/kg", "5 milligrams per kilogram"], [("5", "mg/kg")]), (["2 packs per day", "two packs a day"], [("2", "pack")]),
    (["twice a day", "2 times a day", "2x per day"], [("2", "time")]), (["98.6 F", "98.6°F", "98.6 degrees"], [("98.6", "degree")]),
    (["7.2%", "7.2 percent"], [("7.2", "percent")]), (["70s", "seventies"], [("70", "")]), (["five and six"], [("5", ""), ("6", "")]),
])
def test_forms_of_one_quantity_are_the_same(forms, expected):
    assert {form: read(form) for form in forms} == dict.fromkeys(forms, expected)


@pytest.mark.parametrize("text", ["", "B12", "COVID-19", "q6h", "first", "5th grade", "Once she left", "someone phoned", "!?", "痛み"])
def test_what_is_no_amount_is_not_read(text):
    assert read(text) == []


def test_the_numbers_of_a_list_are_not_read():
    assert read("1. Asthma. 2.  Gout, 3 years\n 3) Fever of 101.\n10 mg.") == [("3", "year"), ("101", ""), ("10", "mg")]


def test_the_span_is_that_of_number_and_unit():
    text = "Füße: take seventy-five mg, then 3 tablets."
    assert [(text[number.start:number.end], number.text, number.is_word) for number in exact_numbers(text)] == [
        ("seventy-five mg", "seventy-five mg", True), ("3 tablets", "3 tablets", False)]


@pytest.mark.parametrize("text", ["13/45/2020", "2024-02-30"])
def test_a_date_that_does_not_exist_stands_for_itself(text):
    assert read(text) == [(text, "date")]


def test_text_before_and_after_does_not_change_what_is_read():
    for form in ("5-10 mg", "one twenty over eighty", "March 4, 2024", "76-year-old"):
        assert read(f"She said: {form}, then left.") == read(form)


@pytest.mark.parametrize("text", ["one " * 50_000, "9" * 200_000, "1/" * 100_000, "5 mg " * 40_000, "hundred and " * 18_000, "-" * 200_000])
def test_a_long_text_is_read(text):
    assert len(exact_numbers(text)) <= len(text) / 2
