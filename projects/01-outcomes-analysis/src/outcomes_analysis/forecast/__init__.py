"""What the next weeks bring: influenza admissions by state, four weeks ahead, scored against the official forecasts."""
