"""The public pages that show figures: plans, countries, organisations, and how figures are made."""
