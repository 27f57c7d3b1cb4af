"""Three questions that a health system asks of its data, on public data that anyone can have.

Who of the seriously ill dies, and when? What did the waves of COVID-19 look like, country by country? How many influenza admissions
do the next weeks bring, state by state? Each answer carries its uncertainty, and the flaws of its data are shown.
"""
