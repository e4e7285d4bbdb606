//! From samples of luma and chroma to pixels: the "fancy" upsampling of chroma of libjpeg and of libwebp, and their
//! conversions of YCbCr to RGB.
//!
//! An upsampled value is weighted three to one with its neighbour's. libjpeg alternates two roundings, so that the
//! errors of neighbours cancel.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use crate::simd::{Level, best};

/// Bytes that a kernel may read after the last sample of a row, and write after its last pixel.
pub const SLACK: usize = 256;

/// Room for the sums of two rows of chroma: for half a row's pixels, and [`SLACK`].
pub type Sums = [Vec<u16>; 2];

/// An implementation for an instruction set; all of them give the same bits.
pub trait Kernel {
    /// Writes the pixels of a row. All rows of samples have [`SLACK`], and `out` does.
    fn rgb_row(&self, row: &YccRow<'_>, sums: &mut Sums, out: &mut [u8]);
}

/// The fastest kernel for `level`.
pub fn kernel(level: Level) -> Box<dyn Kernel> {
    best! { level;
        "x86_64" Avx512 => |proof| Some(Box::new(avx512::Kernel::new(proof)) as Box<dyn Kernel>),
        "x86_64" Avx2 => |proof| Some(Box::new(avx2::Kernel::new(proof)) as Box<dyn Kernel>),
        "aarch64" Neon => |proof| Some(Box::new(neon::Kernel::new(proof)) as Box<dyn Kernel>),
        _ => Box::new(Scalar),
    }
}

/// Plain Rust, which says what the others have to give.
struct Scalar;

impl Kernel for Scalar {
    fn rgb_row(&self, row: &YccRow<'_>, _sums: &mut Sums, out: &mut [u8]) {
        rgb_row(row, out);
    }
}

/// The roundings of even and of odd columns, added before the chroma of a quarter is divided by 16.
const LIBJPEG_ROUNDINGS: [i16; 2] = [8, 7];
const LIBWEBP_ROUNDINGS: [i16; 2] = [8, 8];

/// libjpeg's factors, as the instructions take them.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod libjpeg {
    /// Red and blue, of doubled chroma, with 15 bits after the point and a rounding; and green, of chroma, that of blue
    /// in the lower half.
    pub const RED: i16 = 22970;
    pub const BLUE: i16 = 29033;
    pub const GREEN: i32 = (-11277 & 0xffff) | -23401 << 16;
}

/// libwebp's factors, of which products are divided by 256, and what is added to sums, which have six more bits.
mod libwebp {
    pub const LUMA: u16 = 19077;
    pub const RED: u16 = 26149;
    pub const GREEN_OF_BLUE: u16 = 6419;
    pub const GREEN_OF_RED: u16 = 13320;
    pub const BLUE: u16 = 33050;
    pub const FROM_RED: u16 = 14234;
    pub const TO_GREEN: u16 = 8708;
    pub const FROM_BLUE: u16 = 17685;
}

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
    /// 4:2:0 of libwebp; the others are libjpeg's.
    QuarterOfLibwebp,
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
        if matches!(self, Self::HalfWidth | Self::Quarter | Self::QuarterOfLibwebp) { 2 } else { 1 }
    }

    /// Whether pixels depend on the chroma of the rows above and below theirs.
    pub fn has_context(self) -> bool {
        matches!(self, Self::HalfHeight | Self::Quarter | Self::QuarterOfLibwebp)
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
fn rgb_row(row: &YccRow<'_>, out: &mut [u8]) {
    for (x, pixel) in out.as_chunks_mut::<3>().0.iter_mut().enumerate().take(row.width) {
        let (blue, red) = (upsampled(row, row.blue, x), upsampled(row, row.red, x));
        *pixel = match row.sampling {
            Sampling::QuarterOfLibwebp => rgb_of_libwebp(row.luma[x], blue, red),
            _ => rgb_of_libjpeg(row.luma[x], blue, red),
        };
    }
}

fn upsampled(row: &YccRow<'_>, chroma: Chroma<'_>, x: usize) -> u8 {
    let near = |i: usize| u16::from(chroma.near[i]);
    let both = |i: usize| 3 * near(i) + u16::from(chroma.far[i]);
    // The sample that is nearest to a column, the next nearest one, and whether that is the one to the right.
    let (this, right) = (x / 2 + 1, x % 2);
    let next = x / 2 + 2 * right;
    let quarter = |roundings: [i16; 2]| (3 * both(this) + both(next) + roundings[right] as u16) >> 4;
    let value = match row.sampling {
        Sampling::Full => near(x + 1),
        Sampling::HalfHeight => (both(x + 1) + row.rounding_of_height()) >> 2,
        Sampling::HalfWidth => (3 * near(this) + near(next) + 1 + right as u16) >> 2,
        Sampling::Quarter => quarter(LIBJPEG_ROUNDINGS),
        Sampling::QuarterOfLibwebp => quarter(LIBWEBP_ROUNDINGS),
    };
    value as u8
}

/// In fixed point with 16 bits, as libjpeg's tables have it.
fn rgb_of_libjpeg(y: u8, blue: u8, red: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, blue, red) = (i32::from(y), i32::from(blue) - 128, i32::from(red) - 128);
    [
        y + ((91881 * red + HALF) >> 16),
        y + ((-22554 * blue - 46802 * red + HALF) >> 16),
        y + ((116_130 * blue + HALF) >> 16),
    ]
    .map(|value| value.clamp(0, 255) as u8)
}

/// In fixed point with six bits, whose products are rounded down.
fn rgb_of_libwebp(y: u8, blue: u8, red: u8) -> [u8; 3] {
    use libwebp::*;
    let scaled = |value: u8, factor: u16| (i32::from(value) * i32::from(factor)) >> 8;
    let y = scaled(y, LUMA);
    [
        y + scaled(red, RED) - i32::from(FROM_RED),
        y - scaled(blue, GREEN_OF_BLUE) - scaled(red, GREEN_OF_RED) + i32::from(TO_GREEN),
        y + scaled(blue, BLUE) - i32::from(FROM_BLUE),
    ]
    .map(|value| (value >> 6).clamp(0, 255) as u8)
}
