"""Read the preprocessing configs of Hugging Face, open_clip and timm.

A module for each library; `files` finds the JSON, `check` checks values, `build` makes the `Preprocess`.
"""
