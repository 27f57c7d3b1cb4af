"""What the waves of COVID-19 looked like: weekly series, waves, fatality, reproduction number."""
