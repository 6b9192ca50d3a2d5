"""Finding sources, watching them, and the live picture of all of them. Reads only."""
