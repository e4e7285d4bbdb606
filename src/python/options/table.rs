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
    /// Which build of Pillow to reproduce, where builds differ: in the order of the two passes of a resize, and, on
    /// 64-bit ARM, in the rounding of samples of 16 and 32 bits. The default has the same bits on every machine.
    pillow => spec.pillow, BesideConfig;
    /// Numbers to subtract from the channels R, G, B. None stands for `clipprep.MEAN`, CLIP's own.
    mean => spec.mean, NoneIsDefault;
    /// Numbers above 0 to divide the channels R, G, B by. None stands for `clipprep.STD`, CLIP's own.
    std => spec.std, NoneIsDefault;
    /// The resampling filter. In "hf-torchvision" and "torchvision" it is torch's filter of that name, without
    /// "box" and "hamming"; "nearest" is torch's "nearest-exact", and "nearest-floor", which no other profile has,
    /// torch's "nearest". `PIL.Image.Resampling` works too.
    interpolation => spec.filter;
    /// Whether every pixel counts where an image shrinks; False takes two neighbours on each axis ("bilinear") or
    /// four ("bicubic"), as torch does with `antialias=False`. For "hf-torchvision".
    antialias => spec.antialias;
    /// The type of number of the tensors. NumPy's types and dtypes and torch's dtypes work too.
    dtype => dtype, BesideConfig;
    /// The order of the axes.
    layout => spec.layout, BesideConfig;
    /// The order of the axes of arrays of pixels.
    input_layout => spec.input_layout, BesideConfig;
    /// The order of the channels. `mean` and `std` are those of R, G, B all the same.
    channel_order => spec.channel_order;
    /// Whether every bit counts.
    precision => spec.precision, BesideConfig;
    /// How to resize before the centre is cropped.
    resize_mode => spec.resize_mode;
    /// The size in pixels, or (height, width), that `resize_mode` is about. None stands for the output's.
    resize_size => spec.resize_size, NoneIsDefault;
    /// The padding where the crop is larger than the image: a level of 0 to 255 for every band, or three
    /// levels for an image of three bands. It is normalised like the image. None makes the tensor 0 there.
    fill_color => spec.fill;
    /// Where an image stands that is smaller than the output after resizing.
    position => spec.position;
    /// Whether to convert images of other modes to RGB; False refuses them with `UnsupportedError`.
    convert_rgb => spec.convert_rgb, BesideConfig;
    /// Whether to show transparency white where the profile does, as the image processors of transformers 5;
    /// False drops it, as those of transformers 4.
    over_white => spec.over_white, BesideConfig;
    /// The factor that bytes are multiplied by; None for no factor. "openai" and "timm" divide by 255 and take
    /// no other.
    rescale_factor => spec.rescale_factor;
    /// Whether to subtract 1 after multiplying by `rescale_factor`.
    rescale_offset => spec.rescale_offset;
    /// Whether to subtract `mean` and divide by `std`.
    normalize => spec.normalize;
    /// Whether to divide by `std` once more, as EfficientNet's `include_top` does.
    std_twice => spec.std_twice;
    /// Bounds on the cost of one image. None stands for `Limits()`.
    limits => spec.limits, NoneIsDefault, BesideConfig;
    /// How to treat truncated files, whose bytes end before their image does. A PIL image that was opened
    /// lazily is treated as its file is, unless the caller has changed it.
    truncated => spec.truncated, BesideConfig;
    /// Whether to apply the EXIF orientation of an image first, as `PIL.ImageOps.exif_transpose` does.
    exif => spec.exif, BesideConfig;
    /// Pillow's names of the only formats to read, such as `["JPEG", "PNG"]`; others raise `UnsupportedError`.
    /// None reads all but those that run other programs (EPS, WMF and the like), open any file that is inside
    /// them (IPTC, ICNS and the like) or cost memory out of proportion (FITS), which have to be named:
    /// docs/formats.md has all of them.
    formats => spec.formats, BesideConfig;
    /// Where Pillow decodes files that no native decoder reads. PIL images whose pixels are in memory are taken
    /// in any case.
    fallback => fallback, BesideConfig;
}
