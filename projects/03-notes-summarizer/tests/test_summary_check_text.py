"""What is no note is refused, with words that quote nothing of it."""

import pytest

from carefolio.exceptions import UnsuitableTextError
from notes_summarizer.summary.check_text import check_text
from notes_summarizer.summary.settings import SummarySettings

SETTINGS = SummarySettings(maximum_bytes=2000, chunk_characters={"extractive": 1000},
                           maximum_items=dict.fromkeys(("extractive", "openai", "local"), 8),
                           item_characters=dict.fromkeys(("extractive", "openai", "local"), 200),
                           written_characters=2000, support_threshold=0.55, neighbours=1, foreign_share=0.08,
                           summary_prompt="summary_v1", section_prompt="section_v1", note_prompt="note_v1")


@pytest.mark.parametrize(("note", "words"), [
    ("", "must hold text; got nothing"), (" \n\t ", "must hold text; got 4 blank characters"),
    ("PK\x03\x04\x00\x00secretword", "control character 0x03"), ("A note\x00secretword", "control character 0x0"),
    (b"\xff\xfe\x00secretword", "must be text in UTF-8; byte 0 of"), ("secretword \ud800 pain", "character 11 cannot"),
    ("\ufffd\ufffd\ufffd secretword pain", "that no encoding gives"), ("1234 5678 --", "without a letter"),
    ("secretword " * 200, "must have at most 2,000 bytes; got 2,200"), ("\u00e9" * 1001, "got 2,002"),
])
def test_what_is_no_text_is_refused_without_quoting_it(note: str | bytes, words: str) -> None:
    with pytest.raises(UnsuitableTextError, match=words) as caught:
        check_text(note, SETTINGS)
    assert "secretword" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("note", [
    "HTN, DM2, CKD3, on ASA.", "Pt c/o CP x3d. No SOB. EKG NSR. Trop neg x2. D/C home.", "A&O x3. PERRLA. CTAB. RRR. NTND.", "NKDA",
    "Na 138 K 4.1 Cl 102 HCO3 24 BUN 12 Cr 0.9 Glu 110 WBC 8.2 Hgb 13.1 Plt 240",
    "Lisinopril 20 mg, metoprolol 50 mg bid, atorvastatin 40 mg",
    "Noncontributory.", "Appendectomy 1988. Cholecystectomy 1992.", "COPD exac. Nebs, pred 40 qd x5d, azithro.",
    "Se\u00f1or Garc\u00eda has a cough and no fever.",
    "G3P2 @ 38w2d, SROM 0400, ctx q3min, cervix 4/80/-1",
])
def test_terse_english_passes(note: str) -> None:
    assert check_text(note, SETTINGS) == note
    assert check_text(note.encode(), SETTINGS) == note


@pytest.mark.parametrize(("note", "language"), [
    ("El paciente refiere dolor tor\u00e1cico desde hace tres d\u00edas. Niega fiebre.", "Spanish"),
    ("Le patient se plaint d'une douleur thoracique depuis trois jours.", "French"),
    ("Der Patient klagt \u00fcber Brustschmerzen seit drei Tagen. Kein Fieber.", "German"),
    ("O paciente refere dor no peito h\u00e1 tr\u00eas dias. Nega febre.", "Portuguese"),
    ("Пациент жалуется на боль в груди", "Russian"),
    ("\u60a3\u8005\u4e3b\u8bc9\u80f8\u75db\u4e09\u5929\uff0c\u65e0\u53d1\u70ed\u3002", "Chinese"),
    ("Doctor: \u00bfTiene fiebre?\nPaciente: No, doctor.\nDoctor: \u00bfTos?\nPaciente: S\u00ed.", "Spanish"),
])
def test_another_language_is_refused_by_name(note: str, language: str) -> None:
    with pytest.raises(UnsuitableTextError, match=f"must be in English; it seems to be in {language}"):
        check_text(note, SETTINGS)
