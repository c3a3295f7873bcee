"""Ribs and ilium: the bones beside the spine."""
