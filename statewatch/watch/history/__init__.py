"""The history: every revision that was seen of every source, byte for byte, in one local store, and its recorder."""
