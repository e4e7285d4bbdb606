//! What is asked for: the model's size, the reference to follow, the numbers it was trained with.

use crate::limits::Limits;
use crate::resample::Filter;

/// Channel means of CLIP's training set (openai/CLIP, `clip.py`, `_transform`).
pub const MEAN: [f64; 3] = [0.48145466, 0.4578275, 0.40821073];
/// Channel standard deviations of CLIP's training set.
pub const STD: [f64; 3] = [0.26862954, 0.26130258, 0.27577711];

/// OpenAI's models with the side of their input in pixels (openai/CLIP, `clip.py`, `_MODELS`).
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
pub fn model_size(name: &str) -> Option<usize> {
    MODELS.iter().find(|(known, _)| *known == name).map(|&(_, size)| size)
}

/// The implementation whose bits are reproduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// `clip._transform` of OpenAI, and open_clip's default: resize, crop, then RGB.
    OpenAi,
    /// timm's transform for evaluation, on an image that is RGB already: RGB, resize, crop.
    Timm,
    /// transformers' image processors on Pillow: RGB over white, resize, crop.
    HfPil,
    /// transformers' image processors on torchvision's tensors: RGB over white, resize, crop.
    HfTorchvision,
}

impl Profile {
    /// All profiles with their names.
    pub const ALL: [(&'static str, Profile); 4] = [
        ("openai", Self::OpenAi),
        ("timm", Self::Timm),
        ("hf-pil", Self::HfPil),
        ("hf-torchvision", Self::HfTorchvision),
    ];

    /// Whether the image becomes RGB before it is resized.
    pub fn rgb_first(self) -> bool {
        self != Self::OpenAi
    }

    /// Whether transparency shows white when the image becomes RGB; else it is dropped.
    pub fn over_white(self) -> bool {
        matches!(self, Self::HfPil | Self::HfTorchvision)
    }
}

/// What an image's sides become before the crop, `resize_size` being given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResizeMode {
    /// The image keeps its shape and covers the size.
    Shortest,
    /// The image keeps its shape and fits into the size.
    Longest,
    /// Exactly the size, whatever becomes of the shape.
    Squash,
    /// The image's own: nothing is resized.
    Keep,
}

impl ResizeMode {
    /// All modes with their names.
    pub const ALL: [(&'static str, ResizeMode); 4] = [
        ("shortest", Self::Shortest),
        ("longest", Self::Longest),
        ("squash", Self::Squash),
        ("none", Self::Keep),
    ];
}

/// What is put where a crop is larger than the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fill {
    /// The same level in each band of the image's mode.
    Level(u8),
    /// A level for each band of an image of three.
    Bands([u8; 3]),
}

/// Which Pillow's rule decides the order of the two passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PassOrder {
    /// Up to 12: horizontal first, but for heights over 100 widths.
    Pillow12,
    /// From 13 on: whichever leaves less to do.
    Pillow13,
}

/// The order of a tensor's axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TensorLayout {
    /// Channels, rows, columns: a plane for each channel.
    Nchw,
    /// Rows, columns, channels: pixels side by side.
    Nhwc,
}

impl TensorLayout {
    /// Both with their names.
    pub const ALL: [(&'static str, TensorLayout); 2] = [("NCHW", Self::Nchw), ("NHWC", Self::Nhwc)];
}

/// Whether every bit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// The reference's bits.
    Exact,
    /// JPEG files are decoded smaller and by shorter arithmetic; everything else is as exact as ever.
    Fast,
}

impl Precision {
    /// Both with their names.
    pub const ALL: [(&'static str, Precision); 2] = [("exact", Self::Exact), ("fast", Self::Fast)];
}

/// What becomes of a file whose bytes end before its image does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Truncated {
    /// It is an error.
    Error,
    /// What is missing is filled in, as Pillow does with `ImageFile.LOAD_TRUNCATED_IMAGES`.
    Pad,
}

impl Truncated {
    /// Both with their names.
    pub const ALL: [(&'static str, Truncated); 2] = [("error", Self::Error), ("pad", Self::Pad)];
}

/// Everything that decides an output besides the image.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Height and width of the output in pixels, at least 1.
    pub size: (usize, usize),
    /// Whose bits.
    pub profile: Profile,
    /// How the image is resized.
    pub resize_mode: ResizeMode,
    /// The height and the width that it is resized to, as the mode has it, at least 1.
    pub resize_size: (usize, usize),
    /// What is put where the crop is larger than the image.
    pub fill: Fill,
    /// Whether images of other modes become RGB; else they are refused.
    pub convert_rgb: bool,
    /// What a byte is multiplied by, if it is. Without meaning to `openai` and `timm`, which divide by 255.
    pub rescale_factor: Option<f64>,
    /// Whether mean and standard deviation are applied.
    pub normalize: bool,
    /// The order of the passes.
    pub pass_order: PassOrder,
    /// Subtracted per channel.
    pub mean: [f64; 3],
    /// Divided by per channel.
    pub std: [f64; 3],
    /// The resampling filter.
    pub filter: Filter,
    /// The order of the tensor's axes.
    pub layout: TensorLayout,
    /// Whether every bit counts.
    pub precision: Precision,
    /// Bounds on what one image may cost.
    pub limits: Limits,
    /// What becomes of files that are cut short.
    pub truncated: Truncated,
    /// Whether images are turned as their EXIF orientation says, before anything else.
    pub exif: bool,
    /// Pillow's names of the formats that are read; all of them where there is no list.
    pub formats: Option<Vec<String>>,
}

impl Spec {
    /// Whether transparency shows white, in images that become RGB at all.
    pub(crate) fn over_white(&self) -> bool {
        self.convert_rgb && self.profile.over_white()
    }

    /// OpenAI's transform for an input of `size` x `size` pixels.
    pub fn openai(size: usize) -> Self {
        Self {
            size: (size, size),
            profile: Profile::OpenAi,
            resize_mode: ResizeMode::Shortest,
            resize_size: (size, size),
            fill: Fill::Level(0),
            convert_rgb: true,
            rescale_factor: Some(1.0 / 255.0),
            normalize: true,
            pass_order: PassOrder::Pillow13,
            mean: MEAN,
            std: STD,
            filter: Filter::Bicubic,
            layout: TensorLayout::Nchw,
            precision: Precision::Exact,
            limits: Limits::default(),
            truncated: Truncated::Error,
            exif: false,
            formats: None,
        }
    }
}
