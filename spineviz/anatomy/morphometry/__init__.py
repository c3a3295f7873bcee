"""Measures of bones: taken by caliper, by person and population, and shapes moved to them."""
