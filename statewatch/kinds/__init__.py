"""Pure meaning: what a document is, what it says, what may be done to it. No I/O, no clock, no terminal."""
