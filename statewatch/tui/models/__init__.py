"""View models: finished, immutable rows for the screens. Text from files becomes harmless here, and only here."""
