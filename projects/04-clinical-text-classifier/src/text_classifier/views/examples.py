"""Made-up texts to try the page with, by task."""

EXAMPLES: dict[str, dict[str, str]] = {
    "headers": {
        "Allergies": "Doctor: Are you allergic to anything?\nPatient: Yes. Penicillin gives me a rash, and my lips swell when I eat "
                     "walnuts.\nDoctor: Anything else? Latex, perhaps?\nPatient: No, latex is fine.",
        "Family": "Doctor: How are your parents?\nPatient: My father had a heart attack at fifty-two. My mother has diabetes.\n"
                  "Doctor: Do you smoke?\nPatient: I stopped ten years ago. I drink a glass of wine on Sundays.",
        "Why are you here?": "Doctor: What brings you in today?\nPatient: My left knee has hurt for three weeks, since I fell on the "
                             "stairs. It is worse at night, and ice helps a little.\nDoctor: Does it lock or give way?\nPatient: It gave "
                             "way twice.",
        "Two things at once": "Doctor: Which medicines do you take?\nPatient: Metformin twice a day. I had my appendix out in 2011, do you "
                              "need that too?\nDoctor: Yes, thank you.",
    },
    "decisions": {
        "A clear yes": "Does a reminder by text message improve attendance at a smoking clinic?\nFour hundred adults were randomised to a "
                       "reminder or to usual care. Attendance was 71 % with a reminder and 52 % without (p < 0.001).",
        "A clear no": "Does a herbal tea lower blood pressure in adults with hypertension?\nNinety adults drank the tea or hot water for "
                      "eight weeks. Mean systolic pressure fell by 2 mm Hg in both groups (p = 0.81).",
        "Hard to say": "Is early physiotherapy associated with a shorter stay after hip fracture?\nIn this retrospective series of 38 "
                       "patients stay was shorter by one day, with wide limits, and the groups differed in age.",
    },
    "specialties": {
        "A knee": "PROCEDURE: Arthroscopy of the right knee with partial medial meniscectomy. The joint was entered through anterolateral "
                  "and anteromedial portals. A tear of the posterior horn was trimmed to a stable rim.",
        "An eye": "CHIEF COMPLAINT: Blurred vision of the left eye. Visual acuity is 20/60. The lens shows a nuclear cataract. The retina "
                  "is flat, the optic nerve is healthy. We discussed phacoemulsification with a lens implant.",
        "A stomach": "INDICATION: Heartburn and difficulty in swallowing. The gastroscope was passed into the duodenum. There is a small "
                     "hiatal hernia and mild oesophagitis. Biopsies were taken from the antrum.",
    },
}
"""By task: a title and the text that it stands for. None is from a data set, and none describes a person."""
