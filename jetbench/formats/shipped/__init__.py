"""Formats whose whole meaning a card can say: a YAML file each, by name, to be shown, copied and changed."""
