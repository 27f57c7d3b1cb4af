"""Regular expressions for identifiers that have a form or stand beside a cue: numbers, dates, contacts.

Each type has a tuple of (expression, score). A cue beside the value gives 0.9 or more, the form alone 0.6 to 0.8. The expressions are
written for the package ``regex``, which Presidio uses: a lookbehind may have any length. Case matters unless ``(?i:...)`` says not.
"""

Rules = tuple[tuple[str, float], ...]

_MONTH = (r"(?:(?i:Jan(?:uary)?|Feb(?:ruary)?|Apr(?:il)?|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|"
          r"Dec(?:ember)?|March)|Mar|MAR|May|MAY)\.?")
_MONTH_NAME = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_DAY = r"(?:(?:0?[1-9]|[12]\d|3[01])(?:\s?(?i:st|nd|rd|th))?)"
_YEAR = r"(?:(?:18|19|20)\d\d|['’]?\d\d(?![\d:/.%-]))"
_YEAR4 = r"(?:18|19|20)\d\d"
_DAYS = rf"{_DAY}(?:\s?(?:-|–|to|and|&)\s?{_DAY})?"
_WEEKDAY = r"(?i:Mon|Tues?|Wednes|Thurs?|Fri|Satur|Sun)(?i:days?)"
_TIME = r"(?:[T ,]{1,2}\d{1,2}:\d\d(?::\d\d)?(?:\.\d+)?(?:\s?(?i:[ap]\.?m\.?)|Z|[+-]\d\d:?\d\d)?)?"

DATES: Rules = (
    (rf"\b{_MONTH}\s?{_DAYS}\b(?:(?:\s?,\s?|\s+|\s+of\s+){_YEAR4}|\s?,?\s?['’]\d\d)?(?!\s?(?:mg|mcg|mL|ml|units|g)\b){_TIME}", 0.95),
    (rf"\b{_DAYS}[\s-]?(?:(?i:day)\s)?(?:of\s)?{_MONTH}(?:[\s,-]{{1,2}}{_YEAR}\b)?(?![a-z]){_TIME}", 0.95),
    (rf"\b{_MONTH}(?:\s?,\s?|\s+of\s+|[\s-])(?:{_YEAR4}|['’]\d\d)\b", 0.95),
    (rf"\b{_YEAR4}([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?!\d){_TIME}", 0.95),
    (rf"(?<![\d/.-])(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\1{_YEAR4}(?!\d){_TIME}", 0.95),
    (r"(?<![\d/.-])(?:0?[1-9]|1[0-2])([-/])(?:0?[1-9]|[12]\d|3[01])\1\d\d(?![\d/-])", 0.9),
    (r"(?<![\d/.-])(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|1[0-2])\1\d\d(?![\d/.-])(?!\s?(?:mg|%))", 0.7),
    (rf"(?<![\d/.-])(?:0?[1-9]|1[0-2])[/-]{_YEAR4}(?![\d/-])", 0.9),
    (r"(?<=\b(?i:on|since|dated?|until|by|from|of|visit|seen|admitted|discharged)[\s:]{1,2})"
     r"(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])(?![\d/%])(?!\s?(?i:mg|tab|dose|pain|of))", 0.8),
    (rf"\b(?i:last|next|this|this\s+past|past|on|since|by|until|every|coming)\s+{_WEEKDAY}\b", 0.7),
    (rf"(?<=\b(?i:meet|see\s(?:you|him|her)|come\sback|coming|here|again|appointment|scheduled|visit)\s(?:\w+\s)?){_WEEKDAY}\b", 0.7),
    (rf"\b{_WEEKDAY}(?=\s+(?i:at|morning|afternoon|evening|night|last|clinic)\b)", 0.7),
    (rf"\b{_WEEKDAY}\b,?\s+{_MONTH}\s?{_DAY}\b", 0.9),
    (r"\b(?i:last|next)\s+week(?:end)?\b", 0.6),
    (rf"(?<=\b(?i:in|since|last|this|next|early|late|mid|until|during|by|of|before|after|through|"
     rf"from)[\s-]){_MONTH_NAME}\b(?!\s\p{{Lu}})", 0.7),
    (r"(?<=\b(?i:in|since|last|next|early|late|until|during|by|before|after)\s)(?:january|february|april|june|july|august|september|"
     r"october|"
     r"november|december)\b", 0.7),
    (r"(?<=\b(?i:dob|d\.o\.b\.?|born|birth\s?date|date\s+of\s+birth|birthday)\W{0,4}(?i:is|on|"
     r"was)?\s?)[\d]{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}", 0.95),
)

_OVER_89 = r"(?:9\d|1[01]\d|12[0-5])"
AGES: Rules = (
    (rf"(?<![\d.])\b{_OVER_89}[\s-]{{0,2}}(?i:years?|yrs?)[\s-]{{1,2}}(?i:old|of\s+age|young)\b", 0.95),
    (rf"(?<![\d.])\b{_OVER_89}[\s-]?(?i:y/?\s?o|y\.o\.?|yr\s?old|yo)\b", 0.95),
    (rf"\b(?i:aged?|age\s+of|age\s+is|age\s*[:=])\s*{_OVER_89}\b(?!%|\.?\d)", 0.9),
    (rf"(?<=\b(?i:turned|is|was)\s){_OVER_89}(?=\s+(?i:years?|yrs?)\b|\s*[.,]?\s+(?i:and)\s+(?i:lives|retired))", 0.7),
    (rf"(?<=\b(?i:turned)\s){_OVER_89}\b", 0.8),
    (r"\b(?i:ninety(?:[\s-](?:one|two|three|four|five|six|seven|eight|nine))?|(?:a|"
     r"one)\s+hundred(?:\s+and\s+\w+)?)[\s-]years?[\s-]old\b", 0.95),
    (rf"(?<![\d.])\b{_OVER_89}(?=\s?[MF]\b)", 0.6),
    (r"\b(?i:nonagenarian|centenarian)\b", 0.9),
)

_PHONE_CUE = r"(?i:phone|telephone|tel|cell|mobile|call|contact|reach|reached|number|desk|office|home|work|pager|ph|text|dial|line)"
CONTACTS: dict[str, Rules] = {
    "EMAIL": ((r"[\p{L}\d._%+'-]+\s?@\s?[\p{L}\d-]+(?:\.[\p{L}\d-]+)*\.\p{L}{2,}", 0.98),),
    "URL": ((r"\b(?i:https?|ftp)://[^\s<>\"')\]]+[^\s<>\"')\].,;:!?]", 0.98),
            (r"\b(?i:www)\.[^\s<>\"')\]]+[^\s<>\"')\].,;:!?]", 0.98),
            (r"(?<![@\w.])[A-Za-z\d][A-Za-z\d-]+(?:\.[A-Za-z\d-]+)*\.(?:com|org|net|edu|gov|io|info|biz|health|co\.uk|us|de|"
             r"fr)\b(?:/[^\s<>\"')]*)?",
             0.8)),
    "IP": ((r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.]\d)", 0.9),
           (r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}(?![\w:])", 0.95),
           (r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){1,6}:(?:[0-9a-fA-F]{1,4}:){0,5}[0-9a-fA-F]{1,4}(?![\w:])", 0.8)),
    "FAX": ((r"(?<=\b(?i:fax|facsimile)\W{0,3}(?:(?i:number|no|is|at|to|line)\W{0,3}){0,2})\+?\(?\d[\d\s().-]{5,18}\d(?:\s?x\d+)?", 0.97),
            (r"\+?\(?\d[\d\s().-]{5,18}\d(?=\s?[-(]?\s?(?i:fax)\b)", 0.95)),
    "PHONE": (
        (rf"(?<=\b{_PHONE_CUE}\W{{0,4}}(?:(?i:number|no|is|at|on|to|me|him|her|them|us|home|cell|work)\W{{0,3}}){{0,3}})"
         r"\+?\(?\d[\d\s().-]{5,18}\d(?:\s?(?i:x|ext\.?)\s?\d+)?(?![\d-])", 0.93),
        (r"(?<![\w.-])(?:\+?1[\s.-]?)?\(?[2-9]\d\d\)?[\s.-]{1,2}\d{3}[\s.-]\d{4}(?:\s?(?i:x|ext\.?)\s?\d+)?(?![\d-])", 0.8),
        (r"(?<![\w.])\+\d{1,3}[\s.-]?\(?\d[\d\s().-]{6,16}\d(?!\d)", 0.85),
        (r"(?<![\w.-])001[-\s.]\d{3}[-\s.]\d{3}[-\s.]\d{4}(?:x\d+)?", 0.85),
        (r"(?<![\w.-])0\d{1,4}[\s-]\d{2,4}[\s-]\d{2,4}(?:[\s-]\d{2,4})*(?![\d-])", 0.65),
        (r"(?<![\w.-])\+?\(?\d[\d\s().-]{5,16}\d(?:x\d+)?(?=\s?[-(,]?\s?(?i:office|home|mobile|cell|work|desk|direct)\b)", 0.85),
        (r"(?<![\w.,/:$%-])(?=(?:[ ().-]*\d){8,13}(?![\w.,/%-]*\d))(?:\(\d{2,5}\)[ ]?\d{2,5}|\d{3,5}[.-]\d{2,5})"
         r"(?:[ .-]\d{2,5}){0,4}(?![\w/%])", 0.6),
        (r"(?<![\w.-])[2-9]\d{2}[-.]\d{4}(?![\d-])", 0.6)),
    "SSN": ((r"(?<![\w-])\d{3}[- ]\d{2}[- ]\d{4}(?![\d-])", 0.85),
            (r"(?<=\b(?i:SSN|social\s+security(?:\s+(?:number|no|#))?|soc\.?\s?sec\.?)\W{0,4}(?:(?i:is|number|no|ending|in|last|"
             r"four)\W{0,3}){0,4})"
             r"[\dxX*]{3,}[\d -]*\d", 0.97)),
}
