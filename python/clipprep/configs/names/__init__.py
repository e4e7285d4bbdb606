"""The names of models that open_clip and timm know, as data that scripts/names.py writes."""
