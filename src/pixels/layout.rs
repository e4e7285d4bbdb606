//! The bytes of a pixel, by Pillow's modes.

/// The bytes of one pixel, by Pillow's mode names.
///
/// ```
/// use clipprep::pixels::Layout;
///
/// assert_eq!((Layout::Rgba.bytes(), Layout::Rgba.mode()), (4, "RGBA"));
/// assert_eq!((Layout::Rgbx.bytes(), Layout::Rgbx.mode()), (4, "RGB"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Mode "1": one byte, 0 for black and any other for white.
    One,
    /// Mode "L".
    L,
    /// Mode "LA".
    GreyAlpha,
    /// Mode "P": one byte, an index into a [`Palette`].
    P,
    /// Mode "RGB".
    Rgb,
    /// Mode "RGB" with a fourth byte that means nothing, as Pillow stores it.
    Rgbx,
    /// Mode "RGBA".
    Rgba,
    /// Mode "LA" as Pillow stores it: L, two bytes that mean nothing, A.
    GreyAlphaWide,
    /// Mode "CMYK", 0 = no ink.
    Cmyk,
    /// Mode "RGBX": RGB with a fourth band, which the conversion drops.
    RgbAndX,
    /// Mode "RGBa": RGB multiplied by the alpha that follows it.
    RgbPremultiplied,
    /// Mode "PA" as Pillow stores it: an index into a [`Palette`], two bytes that mean nothing, and alpha.
    IndexAlpha,
    /// Mode "YCbCr", and a fourth byte that means nothing.
    YCbCr,
    /// Mode "HSV", and a fourth byte that means nothing.
    Hsv,
    /// Mode "LAB", and a fourth byte that means nothing. The conversion is colour management, which
    /// this crate does not have: see [`Preprocess::cropped`](crate::Preprocess::cropped).
    Lab,
    /// Mode "I;16": low byte first.
    I16,
    /// Mode "I;16L": the same by another name.
    I16L,
    /// Mode "I;16B": high byte first.
    I16B,
    /// Mode "I;16N": the byte order of the machine, which here is low byte first.
    I16N,
    /// Mode "I": 32 bits with sign in the machine's byte order.
    I,
    /// Mode "F": a float32 in the machine's byte order.
    F,
}

impl Layout {
    /// Bytes per pixel.
    ///
    /// ```
    /// assert_eq!(clipprep::pixels::Layout::Cmyk.bytes(), 4);
    /// ```
    pub fn bytes(self) -> usize {
        match self {
            Self::One | Self::L | Self::P => 1,
            Self::GreyAlpha | Self::I16 | Self::I16L | Self::I16B | Self::I16N => 2,
            Self::Rgb => 3,
            Self::Rgbx | Self::Rgba | Self::GreyAlphaWide | Self::Cmyk => 4,
            Self::RgbAndX | Self::RgbPremultiplied | Self::IndexAlpha => 4,
            Self::YCbCr | Self::Hsv | Self::Lab | Self::I | Self::F => 4,
        }
    }

    /// Bytes per sample.
    #[cfg(feature = "python")]
    pub(crate) fn sample_bytes(self) -> usize {
        self.sample().map_or(1, |_| self.bytes())
    }

    /// Pillow's name of the mode.
    ///
    /// ```
    /// assert_eq!(clipprep::pixels::Layout::GreyAlpha.mode(), "LA");
    /// ```
    pub fn mode(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::L => "L",
            Self::GreyAlpha | Self::GreyAlphaWide => "LA",
            Self::P => "P",
            Self::Rgb | Self::Rgbx => "RGB",
            Self::Rgba => "RGBA",
            Self::Cmyk => "CMYK",
            Self::RgbAndX => "RGBX",
            Self::RgbPremultiplied => "RGBa",
            Self::IndexAlpha => "PA",
            Self::YCbCr => "YCbCr",
            Self::Hsv => "HSV",
            Self::Lab => "LAB",
            Self::I16 => "I;16",
            Self::I16L => "I;16L",
            Self::I16B => "I;16B",
            Self::I16N => "I;16N",
            Self::I => "I",
            Self::F => "F",
        }
    }

    /// Whether Pillow multiplies the colours by alpha before it resamples.
    pub(crate) fn has_alpha(self) -> bool {
        matches!(self, Self::GreyAlpha | Self::Rgba | Self::GreyAlphaWide)
    }

    /// Whether Pillow resizes this mode by nearest neighbour whatever filter is asked for.
    pub(crate) fn nearest_only(self) -> bool {
        matches!(self, Self::One | Self::P)
    }

    /// How Pillow reads the samples of this mode when it resizes, where they are more than bytes. It
    /// takes I;16B for low byte first and I;16N for high byte first, whatever the conversion does.
    pub(crate) fn sample(self) -> Option<Sample> {
        match self {
            Self::I16 | Self::I16L | Self::I16B => Some(Sample::U16Le),
            Self::I16N => Some(Sample::U16Be),
            Self::I => Some(Sample::I32),
            Self::F => Some(Sample::F32),
            _ => None,
        }
    }
}

/// How one sample of more than a byte lies in memory while it is resized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sample {
    /// 16 bits without sign, low byte first.
    U16Le,
    /// 16 bits without sign, high byte first.
    U16Be,
    /// 32 bits with sign, in the machine's order.
    I32,
    /// A float32, in the machine's order.
    F32,
}
