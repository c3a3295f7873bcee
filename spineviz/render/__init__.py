"""Pictures of a state: the only floor, with export and the front ends, that knows PyVista."""
