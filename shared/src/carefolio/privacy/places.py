"""Rules that find hospitals and places by the noun that ends them or the verb that leads to them."""

from carefolio.privacy.patterns import Rules

_STATES = (r"(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]|"
           r"Alabama|Alaska|"
           r"Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|Hawaii|Idaho|Illinois|Indiana|Iowa|Kansas|"
           r"Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|Mississippi|Missouri|Montana|Nebraska|Nevada|"
           r"New\sHampshire|New\sJersey|New\sMexico|New\sYork|North\sCarolina|North\sDakota|Ohio|Oklahoma|Oregon|Pennsylvania|"
           r"Rhode\sIsland|South\sCarolina|South\sDakota|Tennessee|Texas|Utah|Vermont|Virginia|Washington|West\sVirginia|Wisconsin|"
           r"Wyoming)")
_CAP = r"(?:(?:St|Mt|Ft|Sta|Ste)\.?[ ])?\p{Lu}[\p{L}\d'’&-]*(?:(?<=\b\p{Lu}\p{L}{1,3})\.(?=[ ]\p{Lu}\p{L}+))?"
_LINK = r"(?:of|and|de|la|del|du|the|for|at|in|&|upon|y)"
PLACE = rf"{_CAP}(?:[ ](?:{_LINK}[ ]){{0,2}}{_CAP}){{0,5}}"
_FACILITY = (r"(?:Hospitals?|Hosp\.?|Clinics?|Medical\s(?:Center|Centre|Group|Campus|College)|Med(?:ical)?\.?\s?(?:Ctr|Center|Cntr)\.?|"
             r"Health\s?[Cc]are|Health(?:\s(?:Center|Centre|System|Network|Services|Partners|Clinic|Plaza))?|Infirmary|Hospice|Sanatorium|"
             r"Nursing\s(?:Home|Facility)|Rehab(?:ilitation)?(?:\s(?:Center|Hospital|Facility))?|Cancer\s(?:Center|Institute|Centre)|"
             r"Heart\s(?:Center|Institute)|Institute|University|College|Medicine|Memorial|General|Presbyterian|Pharmacy|Surgery\sCenter|"
             r"Surgical\sCenter|Urgent\sCare|Family\sPractice|Associates|Pediatrics|Children['’]s|Eye\sCenter|Dialysis|Center|Centre|"
             r"School|Elementary|Church|Prison|Jail|Shelter|Manor|Laborator(?:y|ies)|Labs?|Imaging|Radiology)")
_LOWER_FACILITY = (r"(?:hospitals?|clinics?|office|branch|campus|medical\scenter|health\scenter|facility|location|center|ED|ER|hosp|"
                  r"med\sctr)")
_LETTERHEAD = (r"(?:^|\n)[ \t]*\K(?!(?:BRIEF|PRIOR|PAST|DISCHARGE|COURSE|HOSPITAL|CLINIC|OUTPATIENT|INPATIENT|EMERGENCY|PRESENT|REASON|"
               r"PLAN|FOLLOW|RETURN|REFERRAL|HISTORY|DATE|DATES|THE|IN|FROM|SUMMARY|CURRENT|PREVIOUS|RECENT)\b)"
               r"(?:ST\.[ ])?\p{Lu}{3,}(?:['’]S)?(?:[ ](?:OF|AND|THE|&|\p{Lu}{3,}(?:['’]S)?)){0,4}?[ ]"
               r"(?:HOSPITALS?|CLINICS?|MEDICAL[ ](?:CENTER|CENTRE|GROUP)|INFIRMARY|"
               r"HEALTH[ ](?:CENTER|CENTRE|SYSTEM)|HEALTHCARE|HOSPICE|NURSING[ ]HOME)\b(?![ ](?:COURSE|STAY|DAY|ADMISSION|VISIT|NOTE))")
_WENT = (r"(?i:at|@|admitted\sto|transferred\s(?:to|from)|discharged\s(?:from|to)|referred\s(?:from|to)|sent\sto|visited|visiting|"
         r"presented\sto|"
         r"treated\sin|seen\sin|admitted\sin|hospitali[sz]ed\s(?:in|at)|works?\s(?:at|for)|employed\sby|attends|checked\sinto|"
         r"checked\sin\sat|"
         r"brought\sto|taken\sto|admitted|transferred\sinto|currently\sat|care\sat|via)")
_LIVES = (r"(?i:from|in|near|outside|around|live[sd]?\sin|living\sin|resid(?:es|ed|ing)\s(?:in|at|near)|residents?\sof|native\sof|born\sin|"
          r"raised\sin|moved\s(?:to|from)|grew\sup\sin|travel(?:l)?(?:ed|ing|s)?\s(?:to|from|in)|based\sin|located\s(?:in|at)|city\sof|"
          r"town\sof|county\sof|arrived\s(?:in|from)|flew\s(?:to|from)|went\sto|trip\sto|visit(?:ed|ing)?\sto|hometown\sof|conference\sin)")

HOSPITALS: Rules = (
    (rf"\b(?:{_CAP}[ ](?:{_LINK}[ ]){{0,2}}){{1,5}}{_FACILITY}\b\.?(?:[ ](?:of|at|in)[ ](?:the[ ])?{_CAP}(?:[ ]{_CAP}){{0,2}}|"
     rf"[ ]{_FACILITY}\b|[ ]{_CAP})*"
     rf"(?:,[ ]{_STATES}\b)?", 0.85),
    (rf"\b{PLACE}[ ]{_LOWER_FACILITY}\b(?![ ](?:guideline|trial|visit))", 0.85),
    (rf"(?<![\w]){_WENT}\s(?:(?:the|our|a|an|his|her|their|my)\s)?(?:(?:ED|ER|ICU|emergency\sroom|emergency\sdepartment)\s(?:at|of|"
     rf"in)\s)?\K{PLACE}"
     rf"(?:,[ ]{_STATES}\b)?", 0.8),
    (_LETTERHEAD, 0.85),
)

LOCATIONS: Rules = (
    (rf"\b{_CAP}(?:[ ]{_CAP}){{0,3}},[ ]?{_STATES}\b(?!\s?[-+])(?:[ ]\d{{5}}(?:-\d{{4}})?)?", 0.85),
    (rf"\b{_LIVES}\s(?:(?:the|our|downtown|suburban|rural|nearby|greater)\s)?\K{PLACE}(?:,[ ]?{_STATES}\b)?", 0.65),
    (rf"\b(?:in|from|near|of)\s\K{_CAP}(?:[ ]{_CAP})?[ ](?:County|Township|Borough|Parish|Valley|Heights|Village|Beach|Springs|"
     rf"Falls|Hills)\b", 0.8),
    (rf"\b(?i:city|town|county|hometown|village|place\sof\sbirth|birthplace|location|residence)\s?:\s?\K{PLACE}", 0.9),
)
