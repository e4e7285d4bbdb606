//! The options that are one of several named choices.

use crate::named::named;
use crate::resample::Products;

named! {
    /// How to resize an image to `resize_size` before the centre is cropped.
    ///
    /// ```
    /// assert_eq!(clipprep::ResizeMode::Squash.name(), "squash");
    /// ```
    pub enum ResizeMode {
        /// Cover the size, and keep the aspect ratio.
        Shortest = "shortest",
        /// Fit into the size, and keep the aspect ratio.
        Longest = "longest",
        /// Stretch to exactly the size.
        Squash = "squash",
        /// Do not resize.
        Keep = "none",
        /// BridgeTower's: as "shortest", with the longer side at most 1333/800 of the shorter one, and both sides
        /// rounded down to multiples of 32.
        BridgeTower = "bridgetower",
        /// Janus's and DeepSeek-VL's: fit into the square, with each side at least 14 pixels. Of the padding, half,
        /// rounded down, comes before the image.
        Janus = "janus",
        /// TVP's: as "longest" into a square, with the shorter side rounded down.
        Tvp = "tvp",
        /// PP-LCNet's: as "shortest", with the longer side rounded to the nearest pixel.
        PpLcNet = "pp-lcnet",
        /// Perceiver's: crop the centre first, then resize it to the output's size. The sides of the crop have the
        /// ratio to the image's shorter side that the output's have to `resize_size`.
        Perceiver = "perceiver",
        /// DETR's: as "shortest", to the first number of `resize_size`, with the longer side at most the second one.
        Detr = "detr",
        /// As "longest", with both sides rounded down: `max_height` and `max_width` of transformers.
        Fit = "fit",
        /// SAM's: fit into the square, with both sides rounded to the nearest pixel.
        Sam = "sam",
        /// Aria's: fit into the square, rounded down, with each side at least 336 pixels.
        Aria = "aria",
        /// DeepSeek-OCR's: as "janus", but with each side at least 1 pixel.
        DeepseekOcr = "deepseek-ocr",
        /// Donut's: resize twice, as "shortest" to the shorter side of the size, then down to fit into the size,
        /// rounded down. Of the padding, half, rounded down, comes before the image.
        Donut = "donut",
    }
}

impl ResizeMode {
    /// Whether half of an odd padding is rounded down, whatever the profile does.
    pub(crate) fn pads_less_before(self) -> bool {
        matches!(self, Self::Janus | Self::DeepseekOcr | Self::Donut)
    }

    /// Whether a smaller image of the decoder's can be resized in place of the whole one: neither a centre that is
    /// cropped first nor the first of two steps need lie on its pixels.
    pub(crate) fn takes_reduced(self) -> bool {
        !matches!(self, Self::Perceiver | Self::Donut)
    }
}

named! {
    /// The position of an image in a larger output.
    ///
    /// ```
    /// assert_eq!(clipprep::Position::TopLeft.name(), "top-left");
    /// ```
    pub enum Position {
        /// In the centre. A larger image is cropped to its centre.
        Centre = "centre",
        /// In the top left corner. A larger image is refused.
        TopLeft = "top-left",
    }
}

named! {
    /// Which build of Pillow to reproduce, where builds differ.
    ///
    /// ```
    /// assert_eq!(clipprep::Spec::openai(224).pillow, clipprep::PillowBuild::Pillow13);
    /// ```
    pub enum PillowBuild {
        /// Pillow 13 and newer: the two passes of a resize run in the order that takes less work.
        Pillow13 = "13",
        /// Pillow up to 12: the horizontal pass runs first, unless the image is more than 100 times as high as wide.
        Pillow12 = "12",
        /// As "13", built for 64-bit ARM, where a product is not rounded before it is added. Resized images of 16 and
        /// 32 bits per sample differ.
        Pillow13Arm = "13-arm",
        /// As "12", built for 64-bit ARM.
        Pillow12Arm = "12-arm",
    }
}

impl PillowBuild {
    /// How products are added.
    pub(crate) fn products(self) -> Products {
        match self {
            Self::Pillow13 | Self::Pillow12 => Products::Rounded,
            Self::Pillow13Arm | Self::Pillow12Arm => Products::Fused,
        }
    }
}

named! {
    /// The order of a tensor's axes.
    ///
    /// ```
    /// use clipprep::{Preprocess, Spec, TensorLayout};
    ///
    /// let preprocess = Preprocess::new(Spec { layout: TensorLayout::Nhwc, ..Spec::openai(224) });
    /// assert_eq!(preprocess.output_shape(), [224, 224, 3]);
    /// ```
    pub enum TensorLayout {
        /// Channels, rows, columns: one plane per channel.
        Nchw = "NCHW",
        /// Rows, columns, channels: the channels of a pixel are adjacent.
        Nhwc = "NHWC",
    }
}

named! {
    /// The order of the axes of an array of pixels.
    ///
    /// ```
    /// assert_eq!(clipprep::Spec::openai(224).input_layout, clipprep::InputLayout::Auto);
    /// ```
    pub enum InputLayout {
        /// As the profile's reference: channels last, or first where the "hf-" profiles find them first. Tensors of
        /// torch have channels first.
        Auto = "auto",
        /// Rows, columns, channels.
        Hwc = "HWC",
        /// Channels, rows, columns.
        Chw = "CHW",
    }
}

named! {
    /// The order of the channels.
    ///
    /// ```
    /// assert_eq!(clipprep::ChannelOrder::Bgr.name(), "BGR");
    /// ```
    pub enum ChannelOrder {
        /// Red, green, blue.
        Rgb = "RGB",
        /// Blue, green, red.
        Bgr = "BGR",
    }
}

named! {
    /// Whether every bit counts.
    ///
    /// ```
    /// assert_eq!(clipprep::Spec::openai(224).precision, clipprep::Precision::Exact);
    /// ```
    pub enum Precision {
        /// The reference's bits.
        Exact = "exact",
        /// JPEG files are decoded by shorter arithmetic, and large ones at a half, a quarter or an eighth of
        /// their size, which keeps at least twice the size that they are resized to (docs/benchmarks.md says how
        /// far the values are off). Everything else stays exact.
        Fast = "fast",
    }
}

named! {
    /// How to treat truncated files, whose bytes end before their image does.
    ///
    /// ```
    /// use clipprep::{Preprocess, Spec, Truncated};
    ///
    /// let preprocess = Preprocess::new(Spec { truncated: Truncated::Pad, ..Spec::openai(224) });
    /// assert_eq!(preprocess.spec().truncated.name(), "pad");
    /// ```
    pub enum Truncated {
        /// Refuse them with `TruncatedError`, as Pillow does.
        Error = "error",
        /// Fill in the missing pixels as Pillow does with `ImageFile.LOAD_TRUNCATED_IMAGES`, which is neither set
        /// nor read.
        Pad = "pad",
    }
}
