"""A study on a page: its trials, what they cost, what mattered."""
