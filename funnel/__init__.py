"""Settings and the ground that every app stands on."""

__version__ = "0.1.0"
