"""Pictures of what a model sees: each source with its crop beside the tensor's pixels.

`draw` gives one picture, `page` a page for a browser.
"""

from .sheets.page import page
from .sheets.picture import draw
from .sheets.seen import MAX_IMAGES, Shown

__all__ = ["MAX_IMAGES", "Shown", "draw", "page"]
