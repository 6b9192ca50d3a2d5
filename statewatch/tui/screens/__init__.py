"""The screens: the main one with its frame, and those that come on top of it."""
