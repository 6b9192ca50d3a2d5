"""Pure JSON values: codec, pointer, diff and harmless text. No I/O, no clock, no terminal."""
