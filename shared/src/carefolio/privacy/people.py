"""Rules that find people by what stands around a name: a title, a cue, an initial, an age, a degree.

Each rule marks the name with ``\\K`` or a lookahead, so that titles stay in the text ("Dr. [CLINICIAN_1]").
"""

from carefolio.privacy.patterns import Rules

_WORD = r"(?:(?:O|D|Mc|Mac|De|Le|La|Di|Van|St)['’.]?\s?)?\p{Lu}\p{L}*\p{Ll}[\p{L}'’]*(?:-\p{Lu}\p{L}+)*(?<!['’]s)(?<!['’])"
_CAPS = r"\p{Lu}{3,}(?:-\p{Lu}{2,})*"
_INITIAL = r"\p{Lu}\b\.?"
_PARTICLE = r"(?:(?:de|da|di|del|della|la|le|van|von|der|den|ter|bin|ibn|al|el|dos|du)\s)"
_PART = rf"(?:{_PARTICLE}{{0,2}}(?:{_WORD}|{_INITIAL}))"
NAME = rf"(?:{_WORD}|{_INITIAL})(?:[ ]{_PART}){{0,3}}"
FULL_NAME = rf"(?:{_WORD})(?:[ ]{_PART}){{1,3}}"
_LOWER = r"[a-z][a-z'’-]{2,}"
_CLINICAL_TITLE = r"(?:[Dd]rs?\.?|DR\.?|Doctor|Prof\.?|Professor|Nurse|Surgeon|Physician)"
_SOCIAL_TITLE = (r"(?:M(?:r|rs|s|x)\.?|MR\.?|MRS\.?|MS\.|Miss|Sir|Madam|Rev\.?|Reverend|Father|Rabbi|Imam|Judge|Officer|Sgt\.?|"
                r"Capt\.?|Captain|Col\.?|Lt\.?)")
_DEGREE = r"(?:M\.?D|D\.?O|R\.?N|N\.?P|P\.?A(?:-C)?|Ph\.?D|FACP|FACC|FACS|MBBS|CRNA|DPM|DDS|PharmD|LCSW|MSN|BSN)\b"
_AGED = r"(?:is|was|['’]s)\s(?:an?|the)\s(?:[\w-]+\s){0,3}?\d{1,3}[\s-]{0,2}(?:year|yr|y/?o|month|week|day)"
_TURN = (r"(?:how|what|good|nice|it|i|so|thank|welcome|come|you|tell|let|can|do|are|have|did|when|where|is\sit|like|for\syour|great)\b")
"""What a speaker says after calling someone by name, in a transcript without commas."""
_CLINICIAN_CUE = (r"(?i:(?:seen|treated|referred|reviewed|followed|evaluated|examined|diagnosed|consulted|performed|signed|dictated|"
                  r"ordered|prescribed|assessed|attended|interpreted|operated(?:\son)?)(?:\s\w+)?\sby|attending|surgeon|physician|"
                  r"provider|cardiologist|oncologist|neurologist|pcp|resident|dictating|cc)")
_PATIENT_CUE = (r"(?i:patients?|pt|pts|named?|name['’]s|name\sis|called?|known\sas|identified\sas|client|veteran|case\sof|"
                r"notes?\s(?:of|for)|"
                r"regarding|re|mother|father|son|daughter|wife|husband|brother|sister|spouse|partner|guardian|aunt|uncle|grandmother|"
                r"grandfather|caregiver|neighbou?r|friend|witness|contact|beneficiary|dear|hi|hello|hey|attn|i\sam|i['’]m|this\sis|"
                r"signed|sincerely|regards|thanks|like|directed\sby|author|written\sby|says|said|told|met|not\sby|producer|beneficiary)")
_STRONG_CUE = (r"(?i:named|name['’]s|(?:my|his|her|their|your|the|full|first|last|patient|patient['’]s|pt|maiden)\sname\??(?:\s?:|"
               r"\sis|\swas)?|"
               r"name\s?:|patient\s?:|pt\s?:|called?\s(?:him|her|me)|named\s(?:him|her)|nickname[d]?|known\sas|goes\sby|i\sam|i['’]m|"
               r"mr\.?\sand\smrs\.?|spouse\s?:|next\sof\skin\s?:?|emergency\scontact\s?:?|author\s?:|user\s?:|dear|attn:?)")

CLINICIANS: Rules = (
    (rf"\b{_CLINICAL_TITLE}(?<=[.\s]|\b)(?![\p{{L}}])\s{{0,2}}(?:{_SOCIAL_TITLE}\s)?\K(?:{NAME}|{_CAPS}(?:[ ]{_CAPS})?)", 0.95),
    (rf"\b(?i:drs?)\s?\.?\s\K{_LOWER}\b", 0.96),
    (rf"\b{FULL_NAME}(?=\s?,?\s{_DEGREE})", 0.95),
    (rf"\b{_CLINICIAN_CUE}\s?[:,]?\s(?:(?:Dr|Mr|Ms|Mrs)\.?\s)?\K{FULL_NAME}", 0.8),
)

PEOPLE: Rules = (
    (rf"\b{_SOCIAL_TITLE}\s{{1,2}}\K(?:{NAME}|{_CAPS}(?:[ ]{_CAPS})?)", 0.95),
    (rf"\b(?:mr|mrs|ms|miss)\s?\.?\s\K(?:{_LOWER}\b|{NAME})", 0.96),
    (rf"\b{_STRONG_CUE}\s{{0,2}}[\"“]?\K(?:{NAME}|{_CAPS}(?:[ ]{_CAPS})?)", 0.9),
    (rf"\b{_PATIENT_CUE}\s?[:,]?\s\K{FULL_NAME}", 0.62),
    (rf"\b{_WORD}[ ]{_INITIAL}(?:[ ]{_WORD})?(?=$|[\s,.;:)'’?])", 0.75),
    (rf"\b{_INITIAL}[ ]?(?:{_INITIAL}[ ]?)?{_WORD}(?=\s?[,(]|['’]s)", 0.6),
    (rf"(?<=[,(–—]\s?){FULL_NAME}(?=\s?[,.;)(?–—]|['’]s|\s(?:who|with|was|is|has|had|seen|admitted|treated|presented|aged?|from|at|"
     rf"on)\b)", 0.65),
    (rf"^[> \t]*\K{FULL_NAME}(?=[ ]*\n[>\s]*(?:\d|.*\n[>\s]*\d|.*@|Phone|Tel|Address))", 0.6),
    (rf"\b{NAME}(?=,?\s{_AGED})", 0.85),
    (rf"\b{NAME}(?=\s?,\s(?:an?\s)?\d{{1,3}}[\s-]?(?:year|yr|y/?o|yo)\b)", 0.85),
    (rf"\b{NAME}(?=\s?(?:,|\()\s?(?i:dob|date\sof\sbirth|d\.o\.b|mrn))", 0.9),
    (rf"\b{_WORD}(?=['’]s?\s(?:notes?|chart|file|record|records|case|history|mother|father|son|daughter|wife|husband|parents|family|sister|"
     r"brother|doctor|appointment|visit|results|labs|care|house|kid|kids|birthday)\b)", 0.75),
    (rf"\b(?:Name|Patient|Pt|NAME|PATIENT)\s?:\s?\K{_WORD},\s?{_WORD}(?:[ ]{_INITIAL})?", 0.95),
    (rf"\b(?:hi|hello|hey|dear)\s(?:there\s)?,?\s?\K[a-z]{{3,}}(?=\s?[,.!?\n]|\s{_TURN})", 0.75),
    (rf"\b(?:good\s(?:morning|afternoon|evening)|thanks|thank\syou)\s?,?\s\K[a-z]{{3,}}(?=\s?[,.!?]?\s{_TURN})", 0.7),
    (r"\b(?:all\sright|alright|okay|so|well|bye|right|yeah|yes|no)\s,?\s?\K[a-z]{3,}(?=\s,\s(?:it|i|how|what|you|let|we|when|tell|"
     r"good|have|do|are|"
     r"can|is|take|any)\b|\s(?:tell\sme|i\si?\s?(?:see|know|understand)|it\slooks|how\sare|good\sto\ssee|nice\sto\ssee|"
     r"let\sme\sexamine)\b)", 0.7),
    (rf"(?:^|[.,\]\n]\s?|\bso\s|\b(?:patient|is|with|seeing|for)\s)\K[a-z]{{3,}}(?:[ ][a-z]{{2,}})?(?=\s{_AGED})", 0.8),
    (r"(?:^|[\]\n.]\s?)\K[a-z]{3,}\s[a-z]{2,}(?=\s?[,.:]?\s(?:\w-\s)?(?:date\sof\sbirth|dob|d\.o\.b|mrn|medical\srecord))", 0.9),
    (r"\b(?:(?:next|new|first|last|this)\spatient\sis|patient\sis|this\sis|dictating\son)\s\K[a-z]{3,}\s[a-z]{2,}"
     r"(?=\s?[,.]\s(?:\w+\s,\s)?(?:date\sof\sbirth|dob|medical|mrn|age|she|he|the|a|history|also)\b)", 0.9),
    (r"\b(?:my|his|her|patient|patient's|the)\sname\sis\s\K[a-z]{3,}(?:\s[a-z]{3,}(?=\s?[,.]))?", 0.85),
    (r"\b(?:i['’]m|i\sam|hi|hello|hey|morning|afternoon|this\sis|thanks|thank\syou|you|saw|see|seeing|seen|with|by|to|\]|"
     r"doctor)\s?,?\s(?:doctor|dr\.?)\s"
     r"\K[a-z]{3,}", 0.85),
)
