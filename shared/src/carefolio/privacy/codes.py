"""Regular expressions for numbers and codes of patients, plans, accounts, licences, vehicles and devices.

A cue names the type, whatever the code looks like. A code without a cue is an identifier if its form is that of one, and unless a word
before it says that it is public: a CPT, ICD, LOINC, NDC or trial number, or a unit after it says that it measures something.
"""

from carefolio.privacy.patterns import Rules

_SEPARATOR = (r"(?:\s*(?:(?i:\(?id(?:entifier|entification)?\)?|number|num|nos?\b\.?|card|code|plan|policy)|\#)){0,3}"
              r"[\s:;=\#.()\[\]-]{0,4}(?:(?i:is|was|as|of|under|ending(?:\s+in)?)\s)?\s?")
_CODE = r"\#?(?=[\w./-]*\d)[A-Za-z\d]+(?:[-./_][A-Za-z\d]+|[ ](?=\d{2,4}\b(?![ ]?(?:mg|mL|ml|%|year)))\d+)*"
_NO_MEASURE = r"(?!\s?(?:mg|mcg|mL|ml|mmHg|%|days?|weeks?|months?|years?|times)\b)"


def _after(cue: str, score: float = 0.95, *, shortest: int = 3) -> tuple[str, float]:
    """Match a code behind its cue; ``\\K`` leaves the cue out of the match."""
    return rf"\b(?:{cue}){_SEPARATOR}(?<![A-Za-z\d])\K(?=[\w./\#-]{{{shortest},}}){_CODE}{_NO_MEASURE}", score


CODES: dict[str, Rules] = {
    "MRN": (_after(r"(?i:MRN|MR|med(?:ical)?\.?\s?rec(?:ord)?s?\.?|chart|record|hospital\s(?=number|no)|unit\s(?=number|no)|"
                   r"(?:patient|pt)(?:'s)?\s(?=id|number|no\b|\#)|case\s(?=number|no\b|id|\#)|file\s(?=number|no\b|id|\#)|"
                   r"encounter|accession|specimen|visit\s(?=number|no\b|id|\#)|EMPI|CSN)"),),
    "HEALTH_PLAN": (_after(r"(?i:insurance|insurer|ins\.?|health\s?plan|policy|member(?:ship)?|subscriber|beneficiary|medicare|medicaid|"
                           r"group\s(?=number|no\b|id|\#)|payer|payor|plan|coverage|HICN?|MBI|HPBN)"),),
    "ACCOUNT": (_after(r"(?i:iban|account|acct\.?|a/c|billing|invoice|routing|bank|claim|receipt|order\s(?=number|no\b|id|\#)|(?:credit|"
                       r"debit)\scard|card)"),
                (r"\b[A-Z]{2}\d{2}[ ]?(?:[A-Z\d]{4}[ ]?){2,7}[A-Z\d]{1,4}\b", 0.8),
                (r"(?<![\w.-])(?:\d[ -]?){12,18}\d(?![\w-])", 0.8)),
    "LICENCE": (_after(r"(?i:licen[sc]es?|lic\.?|DEA|NPI|certificate|cert\.?|passport|driver'?s?|DL|registration|credential|permit)"),),
    "VEHICLE": (_after(r"(?i:VIN|licen[sc]e\splate|number\splate|plate|vehicle|registration\splate|car\s(?=number|no\b|id|\#))", 0.97),
                (r"\b(?=[A-HJ-NPR-Z\d]*\d)(?=[A-HJ-NPR-Z\d]*[A-HJ-NPR-Z])[A-HJ-NPR-Z\d]{11}\d{6}\b", 0.8)),
    "DEVICE": (_after(r"(?i:device|serial|s/n|SN|UDI|implant(?:ed)?|pacemaker|defibrillator|ICD\s(?=serial|device|model)|pump|stent|"
                      r"prosthesis|"
                      r"model\s(?=number|no\b|serial)|lot)", 0.95, shortest=5),),
    "BIOMETRIC": (_after(r"(?i:biometric|finger\s?print|voice\s?print|retina(?:l)?\sscan|iris\sscan|face\s?print|"
                         r"genome\sprofile)(?:\s(?:record|scan|template))?", 0.95, shortest=4),),
    "ID": (_after(r"(?i:id|identifier|identification|ident\.?|reference|ref\.?|subject|participant|study\s(?=id|number|no\b|\#)|"
                  r"case|employee|"
                  r"badge|ticket|confirmation|login|username|user)", 0.8, shortest=4),
           (r"(?<![\w.-])\#?[A-Z]{1,6}[-_\#/]?\d{4,}(?:[-_][A-Z\d]+)*\b", 0.7),
           (r"(?<![\w.-])\#?[A-Z]{2,6}(?:-[A-Z\d]{1,6})?-\d{3,}(?:-[A-Z\d]+)*\b", 0.7),
           (r"(?<![\w.,-])\#?\d{3,}-[A-Z]{1,5}\b(?!-)", 0.7),
           (r"(?<![\w.,-])\#?\d{4,}[A-Z]{1,5}\b(?!-)", 0.65),
           (r"(?<![\w.,/-])\#?\d{2,}(?:-\d{2,}){2,}(?![\w-])", 0.75),
           (r"(?<![\w.,/$€£-])\#?\d{3,6}-\d{4,6}(?![\w-])", 0.65),
           (r"(?<![\w.,/$€£-])\#?\d{7,}(?![\w,.%-]*[\d%])", 0.7),
           (r"(?<![\w])\#\s?\d{4,}\b", 0.7),
           (r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b", 0.95)),
}

PUBLIC_CODE = (r"(?i:\b(?:CPT|HCPCS|ICD(?:-?(?:9|10|11))?(?:-(?:CM|PCS))?|LOINC|SNOMED(?:[\s-]CT)?|RxNorm|RxCUI|NDC|PMID|PMCID|DOI|"
               r"ISBN|ISSN|"
               r"OMIM|CAS|NCT|EudraCT|ISRCTN|UMLS|CUI|ATC|MeSH|DRG|FDA|ICPC|dbSNP|ClinVar|EC|arXiv|trial)(?:\s(?:code|number|no|"
               r"id))?s?[\s:\#.-]*)$")
"""What stands before a code that names a thing in medicine and nobody's record."""

PUBLIC_FORM = r"NCT\d{8}|rs\d{3,}|PMC\d+|ISRCTN\d+|(?:COVID|SARS-CoV|IL|HLA|CD|BRCA|HPV|H\dN\d|ISO|EN|CTLA|PD|HER)-?\d{1,5}"
"""What such a code looks like when it stands alone."""

MEASURE_AFTER = (r"\s?(?:(?i:mg|mcg|µg|ug|ng|pg|g|kg|ml|dl|l|mmol|µmol|umol|mol|iu|units?|u|meq|mosm|kcal|cal|cells?|copies|"
                 r"platelets?|cm|mm|m|km|"
                 r"hz|steps|patients?|participants?|people|adults|children|women|men|cases|deaths|persons?|subjects|individuals|"
                 r"years?|days?|weeks?|months?|"
                 r"hours?|minutes|dollars|usd|per)\b|[%/×])")
"""What stands after a number that measures or counts."""
