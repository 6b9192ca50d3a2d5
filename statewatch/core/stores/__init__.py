"""The stores: one protocol, and what holds a namespace of keys with JSON values."""
