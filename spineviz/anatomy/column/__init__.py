"""How bones stand on each other: the standing curve and postures."""
