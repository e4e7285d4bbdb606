//! From samples to pixels: libjpeg's "fancy" upsampling of chroma, and its conversion of YCbCr to RGB.
//!
//! An upsampled value is weighed three to one with its neighbour's. The two roundings alternate, so that the errors
//! of neighbours cancel.

/// How chroma is sampled, against luma.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// 4:4:4, for each pixel.
    Full,
    /// 4:2:2, once for two columns.
    HalfWidth,
    /// 4:4:0, once for two rows.
    HalfHeight,
    /// 4:2:0, once for two columns and two rows.
    Quarter,
}

impl Sampling {
    /// The sampling that luma's factors mean where those of chroma are 1 and 1.
    pub fn of(luma: (usize, usize)) -> Option<Self> {
        Some(match luma {
            (1, 1) => Self::Full,
            (2, 1) => Self::HalfWidth,
            (1, 2) => Self::HalfHeight,
            (2, 2) => Self::Quarter,
            _ => return None,
        })
    }

    /// Pixels of a row that share a chroma sample.
    pub fn columns(self) -> usize {
        if matches!(self, Self::HalfWidth | Self::Quarter) { 2 } else { 1 }
    }

    /// Whether pixels depend on the chroma of the rows above and below theirs.
    pub fn has_context(self) -> bool {
        matches!(self, Self::HalfHeight | Self::Quarter)
    }
}

/// A row of one chroma component and the next nearest row, each from one sample before the first pixel's on. Without
/// [context](Sampling::has_context) both are the same.
#[derive(Clone, Copy)]
pub struct Chroma<'a> {
    pub near: &'a [u8],
    pub far: &'a [u8],
}

/// The samples that a row of pixels is made of.
#[derive(Clone, Copy)]
pub struct YccRow<'a> {
    pub sampling: Sampling,
    /// Whether the next nearest row of chroma is the one below.
    pub far_is_below: bool,
    pub luma: &'a [u8],
    pub blue: Chroma<'a>,
    pub red: Chroma<'a>,
    /// The first column is even where columns share chroma.
    pub width: usize,
}

impl YccRow<'_> {
    /// The rounding added before half a row's chroma is divided by four.
    pub fn rounding_of_height(&self) -> u16 {
        1 + u16::from(self.far_is_below)
    }
}

/// Writes the pixels of a row, in plain Rust.
pub fn rgb_row(row: &YccRow<'_>, out: &mut [u8]) {
    for (x, pixel) in out.as_chunks_mut::<3>().0.iter_mut().enumerate().take(row.width) {
        *pixel = rgb(row.luma[x], upsampled(row, row.blue, x), upsampled(row, row.red, x));
    }
}

fn upsampled(row: &YccRow<'_>, chroma: Chroma<'_>, x: usize) -> u8 {
    let near = |i: usize| u16::from(chroma.near[i]);
    let both = |i: usize| 3 * near(i) + u16::from(chroma.far[i]);
    // The sample that is nearest to a column, the next nearest one, and whether that is the one to the right.
    let (this, right) = (x / 2 + 1, x % 2);
    let next = x / 2 + 2 * right;
    let value = match row.sampling {
        Sampling::Full => near(x + 1),
        Sampling::HalfHeight => (both(x + 1) + row.rounding_of_height()) >> 2,
        Sampling::HalfWidth => (3 * near(this) + near(next) + 1 + right as u16) >> 2,
        Sampling::Quarter => (3 * both(this) + both(next) + 8 - right as u16) >> 4,
    };
    value as u8
}

/// In fixed point with 16 bits, as libjpeg's tables have it.
pub fn rgb(y: u8, blue: u8, red: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, blue, red) = (i32::from(y), i32::from(blue) - 128, i32::from(red) - 128);
    [
        y + ((91881 * red + HALF) >> 16),
        y + ((-22554 * blue - 46802 * red + HALF) >> 16),
        y + ((116_130 * blue + HALF) >> 16),
    ]
    .map(|value| value.clamp(0, 255) as u8)
}
