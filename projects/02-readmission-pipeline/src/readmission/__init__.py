"""Which patients with diabetes will be back in hospital within 30 days of going home?

A discharge team can call, visit or book early follow-up for only some of the people who leave. This package ranks them on
the day of discharge from what is known by then, says how far the ranking can be trusted, and serves it: 101,766 hospital
stays of 71,518 people in 130 US hospitals, 1999-2008 (UCI data set 296). For research and education; not a medical device.
"""
