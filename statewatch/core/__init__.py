"""The locked core: reading sources, and the only code that writes them."""
