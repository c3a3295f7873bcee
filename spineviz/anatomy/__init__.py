"""Healthy anatomy from parameters: bones, discs, nerves, ligaments, muscles, skin."""
