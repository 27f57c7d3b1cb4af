"""Regular expressions for postal addresses and codes, as English-speaking and other countries write them.

An address has an anchor: a number before a street's name, a street's name before a number, a unit such as "Apt. 3", a box. From there it
runs over words with a capital, numbers and units to the end of the line, or over lines up to a postal code or country.
"""

from carefolio.privacy.patterns import Rules

_STREET = (r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Terrace|Ter|Way|Circle|Cir|Highway|Hwy|"
           r"Parkway|Pkwy|Square|Sq|Trail|Trl|Crescent|Close|Alley|Plaza|Row|Loop|Pike|Turnpike|Bypass|Canyon|Causeway|Cove|Creek|Crossing|"
           r"Crossroads?|Expressway|Estates?|Flats?|Forges?|Freeway|Gardens?|Glens?|Greens?|Groves?|Harbors?|Heights|Hills?|Hollow|"
           r"Junction|"
           r"Knolls?|Landing|Manor|Meadows?|Mews|Mills?|Motorway|Orchard|Pass|Path|Pines?|Radial|Ranch|Rapids?|Ridges?|Rise|Route|Shores?|"
           r"Skyway|Springs|Summit|Trace|Views?|Vista|Walk|Streets|Roads|Drives)\b\.?")
_FRONT = (r"(?:(?i:ul\.|ulica|avenue|al\.|rua|rúa|rue|avenida|av\.|calle|c/|viale|corso|piazza|paseo|strada|chaussée|chaussee|trg|praça|"
          r"travessa|carrera|"
          r"camino|carretera|ctra\.?|allée|chemin|quai|impasse|boulevard|bd|náměstí|nám\.|tř\.|utca)|Via|Largo|Str\.|Cesta|Avenue|Place|"
          r"Route|Plaza)")
"""What stands before a street's name in other languages."""
_BACK = (r"(?:str(?:aße|asse|\.)|strasse|gasse|weg|vej|vejen|vägen|väg|gatan|gata|gate|gaten|veien|vegen|veg|vegur|gade|katu|kuja|kuju|"
         r"tie|polku|laan|"
         r"straat|plein|hof|dijk|kade|singel|allee|platz|utca|braut|stígur|gränd|stien|bakken|backen|brautin|rodda|gränden|hove|torg|"
         r"torget|ring|damm|ufer|markt)")
"""What ends a street's name in other languages."""
_CAP = r"\p{Lu}[\p{L}\p{M}'’-]*(?:(?<=\b\p{L}{1,4})\.)?"
_SMALL = (r"(?:de|da|do|dos|das|la|las|los|le|les|del|della|delle|dei|di|du|des|d['’]\p{L}+|van|von|der|den|am|im|an|bei|u|v|na|nad|pod|"
          r"pri|pre|al|el|y|e|z|i|"
          r"of|the|on|upon|sur|en|ten|ter|kapu|u\.|út|utca|tér|krt\.|str|põik|tn|mnt|pst|a)(?!\p{L})")
_NAMED = rf"(?:{_CAP}|\d+(?:st|nd|rd|th))(?:[ ](?:{_CAP}|{_SMALL}|\d+(?:st|nd|rd|th))){{0,6}}"
_FRONTED = rf"{_FRONT}[ ]+(?:{_NAMED}|{_SMALL}[ ](?:\p{{Ll}}+[ ])?{_NAMED})"
_NUMBER = r"(?:(?:\d{1,6}[ ]+)?\d{1,6}[A-Za-z]?(?:[/-]\d{1,4}[A-Za-z]?)?)"
_UNIT = (r"(?:\b(?i:apt|apartment|suite|ste|unit|room|rm|floor|fl|bldg|building|box|flat)\b\.?\s*\#?(?=[\w-]*\d)[\w-]+|\b(?:Apt|Suite|"
         r"Unit|Room|Floor|Building)\b\.?\s"
         r"\#?[A-Z]\b|\#\s?\d+)")
_UNITS = rf"(?:\s*,?\s*{_UNIT})"
STATE = (r"(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])")
_COUNTRY = (r"(?i:Afghanistan|Albania|Argentina|Australia|Austria|Belgium|Brazil|Bulgaria|Canada|Chile|China|Colombia|Croatia|Cyprus|"
            r"Czech\sRepublic|"
            r"Czechia|Denmark|Egypt|Estonia|Finland|France|Germany|Greece|Greenland|Greenlander|Hungary|Iceland|India|Indonesia|Ireland|"
            r"Israel|Italy|"
            r"Japan|Kenya|Korea|Latvia|Lithuania|Luxembourg|Malta|Mexico|Morocco|Netherlands|New\sZealand|Nigeria|Norway|Pakistan|Peru|"
            r"Philippines|"
            r"Poland|Portugal|Romania|Russia|Serbia|Singapore|Slovakia|Slovenia|South\sAfrica|Spain|Sweden|Switzerland|Taiwan|Thailand|"
            r"Tunisia|Turkey|"
            r"Ukraine|United\sKingdom|United\sStates|UK|USA|Uruguay|Venezuela|Vietnam)\b(?:[ ]\(\p{Lu}\p{L}+\))?")
_CODE = (r"(?:\d{5}(?:-\d{3,4})?|\d{4}(?:[ ]?[A-Z]{2}\b)?(?:-\d{3})?|\d{3}[ ]\d{2}|\d{2}-\d{3}|[A-Z]\d[A-Z][ ]\d[A-Z]\d|"
         r"[A-Z]{1,2}\d[A-Z\d]?[ ]\d[A-Z]{2}|(?<=\n[>\s]*)\d{3})(?![\d/]|[ ]?(?:mg|mcg|mL|ml|g|units?|%|patients|participants|people|"
         r"years?|days?|weeks?|mmHg|cm|mm)\b)")
_SEP = r"[ ]*(?:,[ ]*)?(?:\n[>\s]*(?:,[ ]*)?)?"
_PIECE = rf"(?>{_UNIT}|(?!\p{{L}}+[ ]?:)(?:{_CAP}|\(\p{{Lu}}\p{{L}}+\))|nan\b|\d[\d-]*\b(?![/%]))"
_LINES = rf"(?:{_SEP}(?:{_PIECE}|{_SMALL}\b)){{0,12}}?{_SEP}(?:{_COUNTRY}(?:{_SEP}{_CODE})?|{_CODE})"
_LINE = rf"(?:[ ]*,?[ ]+(?:{_PIECE}|{_SMALL}(?=[ ]\p{{Lu}}))){{0,9}}"
_LOWER_LINE = r"(?:[ ,]+[\p{Ll}\d][\p{L}\d.-]*){0,6}(?=[ ]*(?:$|[.?]))"
TAIL = rf"(?:{_LINES}|{_LINE})"
_CUE = (r"(?<=\b(?i:address(?:es)?|lives?|lived|living|resid(?:es|ing)|located|home|stays|staying|moved|ship|send|deliver(?:ed)?|return|"
        r"taxi|office\sis|"
        r"arrived|one|letter|live)\b[^.\n\d]{0,40})")
_BEGIN = rf"(?:\b{_CAP}(?:[ ]{_CAP})?[ ]and[ ])?"
"""The other street of a corner."""

ADDRESSES: Rules = (
    (rf"{_BEGIN}\b{_NUMBER}[ ]+(?:(?:[NSEW]\.?|North|South|East|West)[ ]+)?(?:(?:{_CAP}|\d+(?:st|nd|rd|"
     rf"th))[ ]+){{1,4}}{_STREET}{_UNITS}{{0,4}}{TAIL}", 0.95),
    (rf"{_BEGIN}\b{_NUMBER}[ ]+{_FRONTED}(?:,?[ ]\d{{1,5}}[A-Za-z]?\b\.?)?{_UNITS}{{0,4}}{TAIL}", 0.8),
    (rf"{_BEGIN}\b{_FRONTED}(?:,?[ ]\d{{1,5}}[A-Za-z]?\b\.?){_UNITS}{{0,4}}{TAIL}", 0.8),
    (rf"\b{_NUMBER}[ ]+{_FRONT}[ ]+(?:\p{{L}}+\.?[ ]){{1,5}}?\d{{1,5}}\b{_UNITS}{{0,4}}(?:{_LINES}|{_LOWER_LINE})?", 0.8),
    (rf"{_BEGIN}(?:\b{_NUMBER}[ ]+)?\b(?:{_CAP}[ ])?\p{{Lu}}\p{{L}}+{_BACK}[ ]\d{{1,5}}[A-Za-z]?\b\.?{_UNITS}{{0,4}}{TAIL}", 0.8),
    (rf"\b{_NUMBER}[ ]+\p{{Ll}}{{2,}}{_BACK}[ ]\d{{1,5}}[a-z]?\b{_UNITS}{{0,4}}(?:{_LINES}|{_LOWER_LINE})?", 0.8),
    (rf"\b{_NUMBER}[ ]+{_NAMED}(?:[ ]\d{{1,5}}[A-Za-z]?\b\.?)?{_UNITS}{{1,4}}{TAIL}", 0.85),
    (rf"(?:\b{_NUMBER}[ ]+)?\b{_NAMED}[ ]\d{{1,5}}\b\.?(?:[ ]{_NAMED})?{_UNITS}{{1,4}}{_LINES}", 0.8),
    (rf"(?<![\d/.])\b\d{{2,6}}[ ]+{_NAMED}[ ]\d{{1,5}}\b\.?{_LINES}", 0.7),
    (rf"\b\d{{1,6}}(?:[ ]\d+)?(?:[ ]\p{{L}}+\.?){{1,5}}(?:[ ]\d+)?(?:[ ](?:suite|apt\.?|unit)[ ]\d+){{1,4}}(?:{_LINES}|"
     rf"{_LOWER_LINE})?", 0.8),
    (rf"{_CUE}\b\d{{1,6}}(?:[ ]\d+)?(?:[ ]\p{{Ll}}+){{1,3}}(?:[ ]\d+)?{_SEP}(?:(?!and\b|who\b|"
     rf"years?\b)\p{{Ll}}+[ ,\n]*){{1,3}}(?:,[ ]*\p{{Ll}}{{2,3}}\b)?{_SEP}{_CODE}", 0.8),
    (rf"{_CUE}{_CAP}[ ]\d{{1,5}}\b\.?(?={_SEP}(?:\n|$)|[.,]|[ ]street){_UNITS}{{0,4}}{TAIL}", 0.8),
    (rf"(?<![\d/.])\b\d{{2,6}}[ ]+{_NAMED}[ ]\d{{1,5}},[ ]{_NAMED}", 0.75),
    (rf"{_CUE}\b(?i:the\scorner\sof[ ])?{_NUMBER}[ ]+{_NAMED}(?:[ ]\d{{1,5}}\b\.?)?{_UNITS}{{0,4}}{TAIL}", 0.85),
    (rf"\b(?:{_CAP}[ ]){{1,3}}(?:Street|Avenue|Road|Boulevard|Lane|Drive|Terrace|Parkway|Blvd|Ave|Rd|Ln)\b(?![ ]\p{{Lu}}\w*[ ]?(?:Clinic|"
     rf"Hosp))"
     rf"{_UNITS}?", 0.7),
    (rf"^[> \t]*\K{_NUMBER}[ ]+{_NAMED}(?:[ ]\d+)?{_UNITS}{{0,4}}(?=[ ]*$)(?:{_LINES})?", 0.6),
    (rf"\b(?i:the\scorner\sof)[ ](?:{_PIECE}|{_SMALL}|\p{{Ll}}{{2,4}}\.)(?:[ ](?:{_PIECE}|{_SMALL})){{0,6}}(?:[ ]and[ ](?:{_PIECE}|"
     rf"{_SMALL})(?:[ ](?:{_PIECE}|{_SMALL})){{0,5}})?", 0.8),
    (r"\b(?i:P\.?\s?O\.?\s?Box)\s?\#?\d+", 0.95),
    (rf"(?<!\b(?i:operat\w+|procedure|endoscopy|radiology|surgical|birthing)\s)\b(?:Apt|Apartment|Suite|"
     rf"Ste)\b\.?\s?\#?\d+[A-Za-z]?\b{TAIL}", 0.85),
    (r"\b(?i:(?:PSC|Unit|CMR)\s\d+,?\sBox\s\d+(?:\s+(?:APO|FPO|DPO)\sA[AEP]\s\d{5})?)", 0.95),
    (rf"(?:\b(?:USS|USNS|USNV|USCGC)\s{_CAP}(?:[ ]{_CAP})?\s+)?\b(?i:APO|FPO|DPO)\s(?i:A[AEP])\s\d{{5}}\b", 0.95),
)

ZIPS: Rules = (
    (r"(?<=\b(?i:zip|zip\s?code|postal\s?code|postcode)\W{0,3}(?:(?i:of|is|code)\s)?)\d{3,5}(?:-\d{4})?\b", 0.95),
    (rf"(?<=\b{STATE},?\s)\d{{5}}(?:-\d{{4}})?\b", 0.9),
    (rf"(?<=\b(?:in|at|from|near|to)\s{_NAMED},?\s)(?!(?:19|20)\d\d\b)(?:\d{{5}}|\d{{4}}(?:-\d{{3}})?|\d{{3}}\s\d{{2}}|"
     rf"\d{{2}}-\d{{3}})\b(?!\s?(?:mg|mcg|ml|mL|units|%|patients|participants))", 0.7),
    (r"\b[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}\b", 0.7),
    (r"\b[ABCEGHJ-NPRSTVXY]\d[A-Z]\s\d[A-Z]\d\b", 0.7),
)
