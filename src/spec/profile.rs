//! The implementations whose bits are reproduced, a row of data each. Nothing else tells them apart.

use crate::resample::Filter;

/// An implementation whose bits are reproduced: how it differs from the others.
///
/// ```
/// use clipprep::{Profile, Spec};
///
/// let spec = Spec { profile: &Profile::TIMM, ..Spec::openai(224) };
/// assert!(spec.profile.rgb_first);
/// assert_eq!(Profile::named("timm"), Some(&Profile::TIMM));
/// ```
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub struct Profile {
    /// The value of the option `profile`.
    pub name: &'static str,
    /// The implementation that it stands for, in a sentence.
    pub summary: &'static str,
    /// Whether the image becomes RGB before it is resized; else after.
    pub rgb_first: bool,
    /// Whether transparency shows white when the image becomes RGB; else it is dropped.
    pub over_white: bool,
    /// Where the channels of an array stand whose shape could have them first or last.
    pub array_channels: Channels,
    /// The arithmetic that lays an array with alpha over white. PIL images and files have Pillow's.
    pub array_alpha: ArrayAlpha,
    /// The implementation of resizing.
    pub resampler: Resampler,
    /// How half of an odd margin is rounded where the crop is smaller than the image: pixels cut off
    /// on the left and above.
    pub crop: Rounding,
    /// The same where the crop is larger: pixels of padding on the left and above.
    pub padding: Rounding,
    /// The steps from bytes to floats.
    pub floats: FloatSteps,
    /// The filters that it has.
    pub filters: &'static [Filter],
}

/// How half of a whole number is rounded.
///
/// ```
/// assert_eq!(clipprep::Profile::HF_PIL.padding, clipprep::Rounding::Up);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Down.
    Down,
    /// Up.
    Up,
    /// To the even neighbour, as Python's `round`.
    HalfEven,
}

impl Rounding {
    /// Half of `number`.
    pub(crate) fn half(self, number: usize) -> usize {
        match self {
            Self::Down => number / 2,
            Self::Up => number.div_ceil(2),
            Self::HalfEven => number / 2 + usize::from(number % 4 == 3),
        }
    }
}

/// Where the channels of an array stand.
///
/// ```
/// assert_eq!(clipprep::Profile::OPENAI.array_channels, clipprep::Channels::Last);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// (rows, columns, channels), always.
    Last,
    /// (channels, rows, columns), always.
    First,
    /// (channels, rows, columns) where the first axis has 1, 3 or 4 entries, as transformers guesses.
    FirstIfPossible,
}

/// An implementation of resizing.
///
/// ```
/// assert_eq!(clipprep::Profile::HF_TORCHVISION.resampler, clipprep::Resampler::Torch);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resampler {
    /// Pillow's `Image.resize`.
    Pillow,
    /// torch's `interpolate` on tensors of bytes, with antialiasing.
    Torch,
    /// The same on tensors of float32, which the bytes become before they are resized.
    TorchFloats,
    /// SciPy's Gaussian blur and linear zoom of float32, after black makes the image a square at its right and below.
    Scipy,
}

impl Resampler {
    /// Whether bytes are resized.
    pub(crate) fn takes_bytes(self) -> bool {
        matches!(self, Self::Pillow | Self::Torch)
    }
}

/// The arithmetic that lays transparent pixels of an array over white.
///
/// ```
/// assert_eq!(clipprep::Profile::HF_PIL.array_alpha, clipprep::ArrayAlpha::Numpy);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrayAlpha {
    /// NumPy's, in float64.
    Numpy,
    /// torch's, in float32.
    Torch,
}

/// The steps from bytes to floats. Mean and standard deviation follow in float32.
///
/// ```
/// assert_eq!(clipprep::Profile::TIMM.floats, clipprep::FloatSteps::DivideBy255);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatSteps {
    /// Bytes divided by 255 in float32; there is no other rescale factor.
    DivideBy255,
    /// Bytes multiplied by the rescale factor in float64, rounded to float32.
    Rescale,
    /// The rescale factor folded into mean and standard deviation; alone, a product in float32.
    FoldRescale,
    /// Bytes multiplied by the rescale factor in float32; before they are resized, where floats are.
    RescaleInFloat32,
}

/// Pillow's filters.
const PILLOW: &[Filter] =
    &[Filter::Nearest, Filter::Box, Filter::Bilinear, Filter::Hamming, Filter::Bicubic, Filter::Lanczos];
/// Those that torchvision has for tensors.
const TORCH: &[Filter] =
    &[Filter::Nearest, Filter::NearestFloor, Filter::Bilinear, Filter::Bicubic, Filter::Lanczos];

impl Profile {
    /// Every profile; the first one is the default.
    ///
    /// ```
    /// assert_eq!(clipprep::Profile::ALL[0].name, "openai");
    /// ```
    pub const ALL: [&Self; 8] = [
        &Self::OPENAI,
        &Self::TIMM,
        &Self::HF_PIL,
        &Self::HF_TORCHVISION,
        &Self::HF_TORCHVISION_FLOATS,
        &Self::HF_SCIPY,
        &Self::TORCHVISION,
        &Self::TORCHVISION_PIL,
    ];

    /// `clip._transform` of OpenAI, and open_clip's default: resize, crop, then RGB.
    ///
    /// ```
    /// assert!(!clipprep::Profile::OPENAI.rgb_first);
    /// ```
    pub const OPENAI: Self = Self {
        name: "openai",
        summary: "OpenAI's `clip._transform`, and open_clip's transform for evaluation, on Pillow.",
        rgb_first: false,
        over_white: false,
        array_channels: Channels::Last,
        array_alpha: ArrayAlpha::Numpy,
        resampler: Resampler::Pillow,
        crop: Rounding::HalfEven,
        padding: Rounding::Down,
        floats: FloatSteps::DivideBy255,
        filters: PILLOW,
    };

    /// timm's transform for evaluation, on an image that is RGB already: RGB, resize, crop.
    ///
    /// ```
    /// assert!(clipprep::Profile::TIMM.rgb_first);
    /// ```
    pub const TIMM: Self = Self {
        name: "timm",
        summary: "timm's transform for evaluation, on Pillow.",
        rgb_first: true,
        ..Self::OPENAI
    };

    /// transformers' image processors on Pillow: RGB over white, resize, crop.
    ///
    /// ```
    /// assert!(clipprep::Profile::HF_PIL.over_white);
    /// ```
    pub const HF_PIL: Self = Self {
        name: "hf-pil",
        summary: "The image processors of transformers with the backend \"pil\".",
        rgb_first: true,
        over_white: true,
        array_channels: Channels::FirstIfPossible,
        array_alpha: ArrayAlpha::Numpy,
        resampler: Resampler::Pillow,
        crop: Rounding::Down,
        padding: Rounding::Up,
        floats: FloatSteps::Rescale,
        filters: PILLOW,
    };

    /// transformers' image processors on torchvision's tensors: RGB over white, resize, crop.
    ///
    /// ```
    /// assert!(!clipprep::Profile::HF_TORCHVISION.filters.contains(&clipprep::Filter::Box));
    /// ```
    pub const HF_TORCHVISION: Self = Self {
        name: "hf-torchvision",
        summary: "The image processors of transformers with the backend \"torchvision\".",
        rgb_first: true,
        over_white: true,
        array_channels: Channels::FirstIfPossible,
        array_alpha: ArrayAlpha::Torch,
        resampler: Resampler::Torch,
        crop: Rounding::Down,
        padding: Rounding::Down,
        floats: FloatSteps::FoldRescale,
        filters: TORCH,
    };

    /// The same, but resized as float32 after rescaling, as DINOv3's image processor does it.
    ///
    /// ```
    /// assert_eq!(clipprep::Profile::HF_TORCHVISION_FLOATS.filters, [clipprep::Filter::Bilinear]);
    /// ```
    pub const HF_TORCHVISION_FLOATS: Self = Self {
        name: "hf-torchvision-floats",
        summary: "The same for DINOv3's, which resizes float32 after rescaling.",
        resampler: Resampler::TorchFloats,
        floats: FloatSteps::RescaleInFloat32,
        filters: &[Filter::Bilinear],
        ..Self::HF_TORCHVISION
    };

    /// OWLv2's image processor on Pillow and SciPy, which blurs float32 and samples it.
    ///
    /// ```
    /// assert_eq!(clipprep::Profile::HF_SCIPY.resampler, clipprep::Resampler::Scipy);
    /// ```
    pub const HF_SCIPY: Self = Self {
        name: "hf-scipy",
        summary: "OWLv2's with the backend \"pil\": black makes the image a square, which SciPy blurs and samples.",
        resampler: Resampler::Scipy,
        filters: &[Filter::Bilinear],
        ..Self::HF_PIL
    };

    /// torchvision's transforms of version 2, on tensors from `ToImage` on: resize, crop, `ToDtype`.
    ///
    /// ```
    /// assert_eq!(clipprep::Profile::TORCHVISION.crop, clipprep::Profile::OPENAI.crop);
    /// ```
    pub const TORCHVISION: Self = Self {
        name: "torchvision",
        summary: "torchvision's transforms of version 2, which resize the tensors of `ToImage`.",
        over_white: false,
        array_channels: Channels::Last,
        crop: Rounding::HalfEven,
        floats: FloatSteps::RescaleInFloat32,
        ..Self::HF_TORCHVISION
    };

    /// The same, but resized and cropped as PIL images.
    ///
    /// ```
    /// assert_eq!(clipprep::Profile::TORCHVISION_PIL.resampler, clipprep::Resampler::Pillow);
    /// ```
    pub const TORCHVISION_PIL: Self = Self {
        name: "torchvision-pil",
        summary: "torchvision's transforms of version 2, which resize PIL images before `ToImage`.",
        floats: FloatSteps::RescaleInFloat32,
        ..Self::TIMM
    };

    /// The profile of that name.
    ///
    /// ```
    /// assert_eq!(clipprep::Profile::named("openai"), Some(&clipprep::Profile::OPENAI));
    /// ```
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.into_iter().find(|profile| profile.name == name)
    }
}

#[cfg(feature = "python")]
impl crate::named::Named for &'static Profile {
    fn all() -> Vec<(&'static str, &'static str, Self)> {
        Profile::ALL.map(|profile| (profile.name, profile.summary, profile)).into()
    }

    fn name(self) -> &'static str {
        self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_as_they_say() {
        let halves = |rounding: Rounding| [0, 1, 2, 3, 4, 5, 7].map(|number| rounding.half(number));
        assert_eq!(halves(Rounding::Down), [0, 0, 1, 1, 2, 2, 3]);
        assert_eq!(halves(Rounding::Up), [0, 1, 1, 2, 2, 3, 4]);
        assert_eq!(halves(Rounding::HalfEven), [0, 0, 1, 2, 2, 2, 4]);
    }

    #[test]
    fn every_profile_has_a_name_of_its_own() {
        for profile in Profile::ALL {
            assert_eq!(Profile::named(profile.name), Some(profile));
        }
        assert_eq!(Profile::named("OpenAI"), None);
    }
}
