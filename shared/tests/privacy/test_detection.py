"""What is taken out and what stays; every name here is made up for the purpose."""

import pytest

from carefolio.privacy.firewall import firewall
from carefolio.privacy.policy import SAFE_HARBOR, PrivacyPolicy


def taken(text: str, **settings: object) -> list[tuple[str, str]]:
    return [(entity.identifier_type, text[entity.start:entity.end]) for entity in firewall(text, policy=PrivacyPolicy(**settings)).entities]


@pytest.mark.parametrize(("text", "kind", "value"), [
    ("Mr. Quillon Vasterby has a cough.", "PERSON", "Quillon Vasterby"),
    ("The patient is named Ysolde.", "PERSON", "Ysolde"),
    ("A 61-year-old woman, Brenka T., with asthma.", "PERSON", "Brenka T."),
    ("[doctor] hi , ottoline . how are you ?", "PERSON", "ottoline"),
    ("[doctor] okay so merrick is a 40 -year-old male", "PERSON", "merrick"),
    ("Reviewed by Dr. Krantwell.", "CLINICIAN", "Krantwell"),
    ("Signed Ysolde Krantwell, NP", "CLINICIAN", "Ysolde Krantwell"),
    ("Mr. Parkinson has a cough.", "PERSON", "Parkinson"),
    ("She was admitted to Marrowgate Vale Hospital.", "HOSPITAL", "Marrowgate Vale Hospital"),
    ("Seen at QVMC for pain.", "HOSPITAL", "QVMC"),
    ("LAKEMOOR FAMILY CLINIC\nThe patient is well.", "HOSPITAL", "LAKEMOOR FAMILY CLINIC"),
    ("ST. ORLAN'S HOSPITAL\nDISCHARGE SUMMARY", "HOSPITAL", "ST. ORLAN'S HOSPITAL"),
    ("He lives in Thistlecombe.", "LOCATION", "Thistlecombe"),
    ("Born in Tarnwick, OH and well.", "LOCATION", "Tarnwick, OH"),
    ("Home: 4417 Fennelbrook Lane, Apt 3", "ADDRESS", "4417 Fennelbrook Lane, Apt 3"),
    ("ZIP code 59387", "ZIP", "59387"),
    ("Seen on March 5th, 2021.", "DATE", "March 5th, 2021"),
    ("Seen on 03/05/21.", "DATE", "03/05/21"),
    ("Seen on 2021-03-05.", "DATE", "2021-03-05"),
    ("Seen in April 2023.", "DATE", "April 2023"),
    ("Seen 17-Feb-2023.", "DATE", "17-Feb-2023"),
    ("Seen last Friday.", "DATE", "last Friday"),
    ("A 93-year-old man", "AGE_OVER_89", "93-year-old"),
    ("She is aged 101.", "AGE_OVER_89", "aged 101"),
    ("Call (406) 555-0183 now", "PHONE", "(406) 555-0183"),
    ("Fax: 406-555-0176", "FAX", "406-555-0176"),
    ("Write to q.v@marrowgate.example.org.", "EMAIL", "q.v@marrowgate.example.org"),
    ("SSN 907-44-8213", "SSN", "907-44-8213"),
    ("MRN: 123-45-6789", "MRN", "123-45-6789"),
    ("medical record number is MV-7719405", "MRN", "MV-7719405"),
    ("insurance ID HPX-4482917", "HEALTH_PLAN", "HPX-4482917"),
    ("account number 77-3048812", "ACCOUNT", "77-3048812"),
    ("driver's license number is D8841207", "LICENCE", "D8841207"),
    ("VIN 1HGBH41JXMN109186", "VEHICLE", "1HGBH41JXMN109186"),
    ("pacemaker serial number PMX-55102-B", "DEVICE", "PMX-55102-B"),
    ("See https://portal.example.org/u/77", "URL", "https://portal.example.org/u/77"),
    ("from 203.0.113.47 at night", "IP", "203.0.113.47"),
    ("fingerprint record FP-88120-Q", "BIOMETRIC", "FP-88120-Q"),
    ("sample STX-9902-118 was lost", "ID", "STX-9902-118"),
    ("Letter to 88 4417 Fennelbrook Lane Suite 12, Marrow, New Zealand 6011 today", "ADDRESS",
     "88 4417 Fennelbrook Lane Suite 12, Marrow, New Zealand 6011"),
    ("Lives at 12 Rua do Fenelo 44, Porto", "ADDRESS", "12 Rua do Fenelo 44, Porto"),
    ("He is at ul. Brenkowa 7.", "ADDRESS", "ul. Brenkowa 7"),
    ("Post: Brenkagatan 14", "ADDRESS", "Brenkagatan 14"),
    ("at the corner of 7 Fennel Road and Quillby Square", "ADDRESS", "the corner of 7 Fennel Road and Quillby Square"),
    ("he lives at 44 quillstraat 9 apt 3 tarnwick", "ADDRESS", "44 quillstraat 9 apt 3 tarnwick"),
    ("USS Quillby\nFPO AE 09123", "ADDRESS", "USS Quillby\nFPO AE 09123"),
    ("She lives in Tarnwick 6011 now", "ZIP", "6011"),
    ("We meet Thursday at noon", "DATE", "Thursday"),
    ("085 175 7641-Office", "PHONE", "085 175 7641"),
    ("my iban is gb42nawi04454264788619", "ACCOUNT", "gb42nawi04454264788619"),
    ("seen by ms. Krantwell", "PERSON", "Krantwell"),
    ("Adam is a 45-year-old man.", "PERSON", "Adam"),
    ("Ms. Grace has a cough.", "PERSON", "Grace"),
    ("It was (37) 788-063 then", "PHONE", "(37) 788-063"),
    ("[doctor] hi virginia how are you today", "PERSON", "virginia"),
])
def test_an_identifier_is_taken_out_as_its_type(text, kind, value):
    assert (kind, value) in taken(text)


@pytest.mark.parametrize("text", [
    "Does levodopa help in Parkinson's disease?", "A Foley catheter was placed and the Apgar score was 9.", "Babinski sign negative.",
    "History of Crohn's disease and Barrett's esophagus.", "What is the Ferriman-Gallwey score?", "Guillain-Barré syndrome after a vaccine",
    "Start Lisinopril 10 mg and Eliquis 5 mg.", "NYHA class III, LVEF 35 %, HbA1c 7.2 %", "A 65-year-old man diagnosed in 2019.",
    "Seen last year and last month.", "A 30-year-old Hispanic woman from Texas", "Blood pressure 120/80 mmHg, pulse 88.",
    "BRIEF HOSPITAL COURSE\nShe did well.", "WOUND CARE\nFOLLOW UP IN CLINIC", "HOSPITAL STAY\nTwo nights.",
    "CPT 99213, ICD-10 E11.9, SNOMED CT 73211009 and NCT01234567", "Platelets 150000 per µL and WBC 12500",
    "ADA and AHA/ACC guidelines of 2023",
    "Lasix, Coumadin and Zestril were stopped; Versed was given.", "Closed with Vicryl, dressed with Steri-Strips and a Kerlix.",
    "A Kelly clamp and the Bookwalter retractor were placed.", "DRAINS: None. PROCEDURE IN DETAIL: The patient was seen.",
    "Patient: Nope.", "Doctor: Hello, how are you?\nPatient: Never.",
    "BP 160/86 HR 100 RR 16 Wt 211", "Labs: 140 101 24 98", "ADAM protein and the GRACE score",
    "Transferred to the Intensive Care Unit and to Operating Suite #1.",
    "Varicose veins were seen in AP view.",
    "ASSESSMENT: Pneumonia. HPI: She denies pain.", "Hepatitis B vaccine and Vitamin D.",
    "5-year survival in stage IV", "1200-1500 kcal per day for 12 weeks", "",
])
def test_a_fact_stays(text):
    assert taken(text) == []


def test_a_threshold_by_type_and_words_to_keep_are_obeyed():
    text = "Miles flew to Thistlecombe."
    assert ("LOCATION", "Thistlecombe") in taken(text)
    assert "LOCATION" not in {kind for kind, _ in taken(text, thresholds={"LOCATION": 0.99})}
    assert "Thistlecombe" not in {value for _, value in taken(text, keep=("thistlecombe",))}


def test_the_table_has_all_eighteen_types_and_no_label_twice():
    assert [rule.letter for rule in SAFE_HARBOR] == list("ABCDEFGHIJKLMNOPQR")
    labels = [label for rule in SAFE_HARBOR for label in rule.types]
    assert len(labels) == len(set(labels)) == 22


def test_a_found_name_that_is_a_word_is_taken_out_in_its_own_case_only():
    values = [value for _, value in taken("Mr. Brown has a brown mole. BROWN was told.")]
    assert values == ["Brown", "BROWN"]
