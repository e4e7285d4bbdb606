//! The options that are one of several named choices.

use crate::named::named;
use crate::resample::Products;

named! {
    /// How an image is resized before the centre is cropped, `resize_size` being given.
    ///
    /// ```
    /// assert_eq!(clipprep::ResizeMode::Squash.name(), "squash");
    /// ```
    pub enum ResizeMode {
        /// To cover the size, keeping the aspect ratio.
        Shortest = "shortest",
        /// To fit into the size, keeping the aspect ratio.
        Longest = "longest",
        /// To exactly the size, stretching the image.
        Squash = "squash",
        /// Not at all.
        Keep = "none",
        /// As "shortest", the longer side at most 1333/800 of the shorter one; both are rounded down to multiples of
        /// 32. BridgeTower's.
        BridgeTower = "bridgetower",
        /// To fit into the square, each side at least 14 pixels; the padding begins with half of it rounded down.
        /// Janus's and DeepSeek-VL's.
        Janus = "janus",
        /// As "longest" into a square, the shorter side rounded down. TVP's.
        Tvp = "tvp",
        /// As "shortest", the longer side rounded to the nearest pixel. PP-LCNet's.
        PpLcNet = "pp-lcnet",
        /// To the output's size, after the centre is cropped: its sides are to the shorter side of the image what
        /// the output's are to `resize_size`. Perceiver's.
        Perceiver = "perceiver",
        /// As "shortest", to the first number of `resize_size`, the longer side at most the second one. DETR's.
        Detr = "detr",
        /// To fit into the size, keeping the aspect ratio, both sides rounded down. What transformers makes of
        /// `max_height` and `max_width`.
        Fit = "fit",
        /// To fit into the square, both sides rounded to the nearest pixel. SAM's.
        Sam = "sam",
        /// To fit into the square, rounded down, each side at least 336 pixels. Aria's.
        Aria = "aria",
        /// As "janus", but each side at least 1 pixel. DeepSeek-OCR's.
        DeepseekOcr = "deepseek-ocr",
        /// Twice: as "shortest" to the shorter side of the size, then down to fit into the size, rounded down; the
        /// padding begins with half of it rounded down. Donut's.
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
        /// In the centre; of a larger image the centre is cropped.
        Centre = "centre",
        /// In the upper left corner; a larger image is refused.
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
        /// Pillow from 13 on: of the two passes of a resize, the order that leaves less to do.
        Pillow13 = "13",
        /// Pillow up to 12: horizontal first, except for heights over 100 widths.
        Pillow12 = "12",
        /// As "13", as compilers build it for 64-bit ARM: a product and the sum that it is added to are rounded once.
        /// This shows in resized images of 16 and 32 bits a sample.
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
        /// Channels, rows, columns: a plane for each channel.
        Nchw = "NCHW",
        /// Rows, columns, channels: the channels of a pixel side by side.
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
        /// As the profile has it: channels last, or first where the "hf-" profiles take them to be first. Tensors of
        /// torch have them first.
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
