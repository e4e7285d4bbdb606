//! The options that are one of several named choices.

use crate::named::named;

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
    }
}

named! {
    /// Whose rule decides the order of the two passes of Pillow's resize.
    ///
    /// ```
    /// assert_eq!(clipprep::Spec::openai(224).pass_order, clipprep::PassOrder::Pillow13);
    /// ```
    pub enum PassOrder {
        /// Pillow from 13 on: the order that leaves less to do.
        Pillow13 = "13",
        /// Pillow up to 12: horizontal first, except for heights over 100 widths.
        Pillow12 = "12",
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
