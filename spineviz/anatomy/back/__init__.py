"""Muscles, fascia, fat and skin of the back."""
