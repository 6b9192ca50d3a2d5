"""The cockpit for long agent and batch runs."""

__version__ = "0.1.0"
