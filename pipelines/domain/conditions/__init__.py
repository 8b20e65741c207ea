"""Conditions other than excursions (excursions.md section 7): a machine each, and one state of a sensor that holds those of its rows."""
