//! Everything that decides an output besides the image.

mod choices;
mod models;
mod profile;

use crate::limits::Limits;
use crate::resample::Filter;

pub use choices::{
    ChannelOrder, InputLayout, PillowBuild, Position, Precision, ResizeMode, TensorLayout, Truncated,
};
pub use models::{MODELS, model_size};
pub use profile::{ArrayAlpha, Channels, FloatSteps, Profile, Resampler, Rounding};

/// Channel means of CLIP's training set (openai/CLIP, `clip.py`, `_transform`).
///
/// ```
/// assert!(clipprep::MEAN.iter().all(|mean| (0.4..0.5).contains(mean)));
/// ```
pub const MEAN: [f64; 3] = [0.48145466, 0.4578275, 0.40821073];
/// Channel standard deviations of CLIP's training set.
///
/// ```
/// assert!(clipprep::STD.iter().all(|std| (0.2..0.3).contains(std)));
/// ```
pub const STD: [f64; 3] = [0.26862954, 0.26130258, 0.27577711];

/// The pixels of the padding where a crop is larger than the image.
///
/// ```
/// use clipprep::{Fill, ResizeMode, Spec};
///
/// let spec = Spec { resize_mode: ResizeMode::Longest, fill: Fill::Bands([124, 116, 104]), ..Spec::openai(224) };
/// assert_ne!(spec.fill, Fill::Level(0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fill {
    /// The same level in each band of the image's mode.
    Level(u8),
    /// A level for each band of an image of three.
    Bands([u8; 3]),
    /// No pixels: the output is 0 there, in all channels.
    Zero,
}

/// Everything that decides an output besides the image.
///
/// ```
/// use clipprep::{ResizeMode, Spec};
///
/// let spec = Spec { resize_mode: ResizeMode::Squash, ..Spec::openai(336) };
/// assert_eq!(spec.size, (336, 336));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Height and width of the output in pixels, at least 1.
    pub size: (usize, usize),
    /// The implementation to reproduce.
    pub profile: &'static Profile,
    /// How the image is resized.
    pub resize_mode: ResizeMode,
    /// The height and the width that `resize_mode` is about, at least 1.
    pub resize_size: (usize, usize),
    /// The padding where the crop is larger than the image.
    pub fill: Fill,
    /// The position of the image there.
    pub position: Position,
    /// Whether images of other modes become RGB; else they are refused.
    pub convert_rgb: bool,
    /// Whether transparency shows white where the profile has it so; else it is dropped.
    pub over_white: bool,
    /// The factor of each byte, if any. Profiles of [`FloatSteps::DivideBy255`] do not read it.
    pub rescale_factor: Option<f64>,
    /// Whether 1 is subtracted from what was multiplied by the factor.
    pub rescale_offset: bool,
    /// Whether mean and standard deviation are applied.
    pub normalize: bool,
    /// Whether the result is divided by the standard deviation once more.
    pub std_twice: bool,
    /// Which build of Pillow, where the profile resizes by Pillow.
    pub pillow: PillowBuild,
    /// Subtracted per channel.
    pub mean: [f64; 3],
    /// Divided by per channel.
    pub std: [f64; 3],
    /// The resampling filter.
    pub filter: Filter,
    /// Whether every pixel counts where an image shrinks; else the neighbours alone do. Read where the profile
    /// resizes bytes by torch.
    pub antialias: bool,
    /// The order of the tensor's axes.
    pub layout: TensorLayout,
    /// The order of the axes of an array of pixels.
    pub input_layout: InputLayout,
    /// The order of the channels in the tensor. `mean` and `std` are those of red, green and blue all the same.
    pub channel_order: ChannelOrder,
    /// Whether every bit counts.
    pub precision: Precision,
    /// Bounds on the cost of one image.
    pub limits: Limits,
    /// How to treat truncated files.
    pub truncated: Truncated,
    /// Whether images are turned as their EXIF orientation says, before anything else.
    pub exif: bool,
    /// Pillow's names of the formats that are read; all of them where there is no list.
    pub formats: Option<Vec<String>>,
}

impl Spec {
    /// Whether transparency shows white, in images that become RGB at all.
    pub(crate) fn over_white(&self) -> bool {
        self.convert_rgb && self.over_white && self.profile.over_white
    }

    /// When an image becomes RGB, in the words of `clipprep._pillow`.
    #[cfg(feature = "python")]
    pub(crate) fn rgb(&self) -> &'static str {
        match self.over_white() {
            true => "over white",
            false if self.profile.rgb_first => "first",
            false => "last",
        }
    }

    /// Where the channels of an array stand, or of a tensor of torch.
    #[cfg(feature = "python")]
    pub(crate) fn channels(&self, of_torch: bool) -> Channels {
        match (self.input_layout, self.profile.array_channels) {
            (InputLayout::Hwc, _) => Channels::Last,
            (InputLayout::Chw, _) => Channels::First,
            (InputLayout::Auto, Channels::Last) if of_torch => Channels::First,
            (InputLayout::Auto, channels) => channels,
        }
    }

    /// OpenAI's transform for an input of `size` x `size` pixels.
    ///
    /// ```
    /// assert_eq!(clipprep::Spec::openai(224).mean, clipprep::MEAN);
    /// ```
    pub fn openai(size: usize) -> Self {
        Self {
            size: (size, size),
            profile: &Profile::OPENAI,
            resize_mode: ResizeMode::Shortest,
            resize_size: (size, size),
            fill: Fill::Level(0),
            position: Position::Centre,
            convert_rgb: true,
            over_white: true,
            rescale_factor: Some(1.0 / 255.0),
            rescale_offset: false,
            normalize: true,
            std_twice: false,
            pillow: PillowBuild::Pillow13,
            mean: MEAN,
            std: STD,
            filter: Filter::Bicubic,
            antialias: true,
            layout: TensorLayout::Nchw,
            input_layout: InputLayout::Auto,
            channel_order: ChannelOrder::Rgb,
            precision: Precision::Exact,
            limits: Limits::default(),
            truncated: Truncated::Error,
            exif: false,
            formats: None,
        }
    }
}
