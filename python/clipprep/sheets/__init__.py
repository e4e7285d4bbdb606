"""The contact sheet and the page: `seen` has what both show of an image, `fonts` writes any script."""
