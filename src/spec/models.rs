//! Models by name.

/// OpenAI's models with the side of their input in pixels (openai/CLIP, `clip.py`, `_MODELS`).
///
/// ```
/// assert!(clipprep::MODELS.contains(&("ViT-B/32", 224)));
/// ```
pub const MODELS: [(&str, usize); 9] = [
    ("RN50", 224),
    ("RN101", 224),
    ("RN50x4", 288),
    ("RN50x16", 384),
    ("RN50x64", 448),
    ("ViT-B/32", 224),
    ("ViT-B/16", 224),
    ("ViT-L/14", 224),
    ("ViT-L/14@336px", 336),
];

/// The side of a model's input in pixels.
///
/// ```
/// assert_eq!(clipprep::model_size("ViT-L/14@336px"), Some(336));
/// assert_eq!(clipprep::model_size("ViT-L/15"), None);
/// ```
pub fn model_size(name: &str) -> Option<usize> {
    MODELS.iter().find(|(known, _)| *known == name).map(|&(_, size)| size)
}
