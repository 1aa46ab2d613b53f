"""A living example: signed events of invented people, and a relay on loopback that serves them."""
