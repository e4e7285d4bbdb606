//! The table of options. A row declares all of an option: its name, what it does, and the field that it sets.

use super::entry::{About, Entry, Mark, Options};
use super::value::Value;

/// A row's description of its value, by the field's type.
fn about<T: Value>(_: fn(&Options) -> &T) -> About {
    About {
        kind: T::KIND,
        annotation: T::annotation(),
        shown: T::shown(),
        expected: T::expected(),
        choices: T::choices(),
    }
}

macro_rules! options {
    ($($(#[doc = $doc:literal])+ $name:ident => $part:ident $(. $field:ident)? $(, $mark:ident)*;)+) => {
        /// Every option of `Preprocess` besides the model, in the order that Python shows them.
        pub(in crate::python) static OPTIONS: [Entry; [$(stringify!($name)),+].len()] = [$(Entry {
            name: stringify!($name),
            doc: concat!($($doc, "\n"),+),
            marks: &[$(Mark::$mark),*],
            value: || about(|options| &options.$part $(. $field)?),
            set: |options, given| {
                options.$part $(. $field)? = Value::read(given)?;
                Ok(())
            },
            get: |options, py| options.$part $(. $field)?.show(py),
            is_same: |one, other| one.$part $(. $field)? == other.$part $(. $field)?,
        }),+];
    };
}

options! {
    /// The implementation to reproduce bit for bit.
    profile => spec.profile;
    /// The build of Pillow to reproduce. Builds differ in the order of the two passes of a resize and, on 64-bit
    /// ARM, in the rounding of samples of 16 and 32 bits. The default gives the same bits on every machine.
    pillow => spec.pillow, BesideConfig;
    /// Three numbers to subtract from the channels R, G, B. None stands for CLIP's, `clipprep.MEAN`.
    mean => spec.mean, NoneIsDefault;
    /// Three numbers above 0 to divide the channels R, G, B by. None stands for CLIP's, `clipprep.STD`.
    std => spec.std, NoneIsDefault;
    /// The resampling filter: the name, or a member of `PIL.Image.Resampling` or of torchvision's `InterpolationMode`. The
    /// profiles "hf-torchvision" and "torchvision" use torch's filter of that name; they have no "box" and no "hamming",
    /// "nearest" is torch's "nearest-exact", and "nearest-floor", which only they have, is torch's "nearest".
    interpolation => spec.filter;
    /// Whether to widen the filter where an image is downscaled, so that every pixel counts. False takes two
    /// neighbours on each axis ("bilinear") or four ("bicubic"), as torch does with `antialias=False`; only
    /// "hf-torchvision" takes it.
    antialias => spec.antialias;
    /// The data type of the tensors: the name, a type or dtype of NumPy, or a dtype of torch.
    dtype => dtype, BesideConfig;
    /// The order of the axes of the tensors.
    layout => spec.layout, BesideConfig;
    /// The order of the axes of source arrays.
    input_layout => spec.input_layout, BesideConfig;
    /// The order of the channels of the tensors. `mean` and `std` stay in the order R, G, B.
    channel_order => spec.channel_order;
    /// Whether to reproduce every bit, or to decode JPEG files faster.
    precision => spec.precision, BesideConfig;
    /// How to resize before the centre is cropped.
    resize_mode => spec.resize_mode;
    /// The size that `resize_mode` resizes to: a side in pixels, or (height, width). None stands for the output's.
    resize_size => spec.resize_size, NoneIsDefault;
    /// The colour of the padding where the image does not fill the output: one level of 0 to 255 for all channels, or
    /// three levels for an image of three channels. It is normalised like the image. None sets the tensor to 0 there.
    fill_color => spec.fill;
    /// Where to place an image that is smaller than the output after resizing.
    position => spec.position;
    /// Whether to convert images of other modes to RGB. False refuses them with `UnsupportedError`.
    convert_rgb => spec.convert_rgb, BesideConfig;
    /// Whether to lay transparent pixels over white where the profile does, as the image processors of transformers 5
    /// do. False drops the alpha channel, as those of transformers 4 do.
    over_white => spec.over_white, BesideConfig;
    /// The factor to multiply the levels of 0 to 255 by. None skips the step. "openai" and "timm" divide by 255 and
    /// take no other factor.
    rescale_factor => spec.rescale_factor;
    /// Whether to subtract 1 after multiplying by `rescale_factor`.
    rescale_offset => spec.rescale_offset;
    /// Whether to subtract `mean` and divide by `std`.
    normalize => spec.normalize;
    /// Whether to divide by `std` once more, as EfficientNet's `include_top` does.
    std_twice => spec.std_twice;
    /// Bounds on the cost of one image. None stands for the default bounds, `Limits()`.
    limits => spec.limits, NoneIsDefault, BesideConfig;
    /// How to treat truncated files, whose bytes end before their image does. This also applies to a PIL image that
    /// was opened lazily, unless the caller has changed it.
    truncated => spec.truncated, BesideConfig;
    /// Whether to apply the EXIF orientation first, as `PIL.ImageOps.exif_transpose` does.
    exif => spec.exif, BesideConfig;
    /// The only formats to read, by Pillow's names, such as `["JPEG", "PNG"]`; others raise `UnsupportedError`. None
    /// reads every format but those that run other programs (such as EPS and WMF), open any file inside them (such
    /// as IPTC and ICNS) or take memory out of proportion (FITS): these have to be named. docs/formats.md lists all
    /// of them.
    formats => spec.formats, BesideConfig;
    /// Where Pillow decodes files that no native decoder reads. PIL images whose pixels are in memory always work.
    fallback => fallback, BesideConfig;
}
