"""Finds the images that the words of a command line stand for: images in files, folders, archives, columns and remote places.

`find` lists them before any is read: an `Item` each, and what was left out is counted by reason.
"""

from clipprep.cli.sources.items import Item, Opened
from clipprep.cli.sources.kinds import IMAGE_SUFFIXES
from clipprep.cli.sources.leftout import LeftOut
from clipprep.cli.sources.listing import Listing
from clipprep.cli.sources.words import Asked, find

__all__ = ["IMAGE_SUFFIXES", "Asked", "Item", "LeftOut", "Listing", "Opened", "find"]
