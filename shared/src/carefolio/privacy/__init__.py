"""De-identification of clinical text before it leaves the process, and re-identification of what comes back.

``firewall`` takes identifiers out of a text and keeps them in memory; ``guard`` refuses a prompt that still holds one;
``StreamReidentifier`` puts them back into an answer, whole or in pieces. The frame is the Safe Harbor method of the HIPAA Privacy
Rule, 45 CFR 164.514(b)(2); ``policy.SAFE_HARBOR`` says what is done about each of its 18 types. No detector finds everything: what
this one finds and misses is measured by ``benchmarks/privacy_quality.py``.
"""
