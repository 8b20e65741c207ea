"""Tests; see the folders for what each part proves."""
