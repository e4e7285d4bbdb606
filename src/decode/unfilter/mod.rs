//! The filters of PNG undone, and TIFF's predictor, which is one of them: each byte of a line is stored as its difference to a prediction from its neighbours.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

use crate::simd::{Level, best};

/// Bytes after the end of a line that kernels read and overwrite.
pub(super) const SLACK: usize = 32;

/// The bytes of the whole pixels in a register of 16 bytes: a step of a kernel.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
const fn step(pixel_bytes: usize) -> usize {
    16 / pixel_bytes * pixel_bytes
}

/// The positions at which steps begin; 16 bytes from each lie within `len` and [`SLACK`].
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn steps<const B: usize>(len: usize) -> usize {
    const { assert!(SLACK >= 16) };
    len.div_ceil(step(B))
}
/// Lines that a kernel takes together.
pub(super) const TOGETHER: usize = 4;

/// How the bytes of a line are predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// By nothing.
    None,
    /// By the pixel to the left.
    Sub,
    /// By the pixel above.
    Up,
    /// By the mean of both, rounded down.
    Average,
    /// By the left, the upper or the upper left pixel, whichever is closest to left + upper - upper left.
    Paeth,
}

impl Filter {
    const ALL: [Self; 5] = [Self::None, Self::Sub, Self::Up, Self::Average, Self::Paeth];

    /// The filter that the byte at the beginning of a line names.
    pub fn of(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }

    /// Whether each pixel has to wait for the one to its left, so that a line alone takes long.
    pub fn is_slow(self) -> bool {
        matches!(self, Self::Average | Self::Paeth)
    }
}

/// Undoes filters for pixels of one size. Every line given to it has the same length, which is a whole number of
/// pixels and [`SLACK`].
pub(super) trait Unfilter: Send {
    /// Undoes the filter of a line under the line `above`.
    fn line(&self, filter: Filter, above: &[u8], filtered: &[u8], out: &mut [u8]);

    /// Undoes the filters of lines each under the one before, the first under `above`.
    fn lines(
        &self,
        filters: [Filter; TOGETHER],
        above: &[u8],
        filtered: [&[u8]; TOGETHER],
        out: [&mut [u8]; TOGETHER],
    );
}

/// The best kernel for the level in use, and for pixels of 1, 2, 3, 4, 6 or 8 bytes.
pub(super) fn unfilter(level: Level, pixel_bytes: usize) -> Box<dyn Unfilter> {
    match pixel_bytes {
        1 => of_size::<1>(level),
        2 => of_size::<2>(level),
        3 => of_size::<3>(level),
        4 => of_size::<4>(level),
        6 => of_size::<6>(level),
        8 => of_size::<8>(level),
        _ => unreachable!("PNG has no pixels of {pixel_bytes} bytes"),
    }
}

fn of_size<const B: usize>(level: Level) -> Box<dyn Unfilter> {
    best! { level;
        "x86_64" Avx2 => |proof| Some(Box::new(avx2::Kernel::<B>::new(proof)) as Box<dyn Unfilter>),
        "aarch64" Neon => |proof| Some(Box::new(neon::Kernel::<B>::new(proof)) as Box<dyn Unfilter>),
        _ => Box::new(scalar::Kernel::<B>),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::simd::levels_to_test;

    const SIZES: [usize; 6] = [1, 2, 3, 4, 6, 8];

    /// The definition in the PNG specification.
    fn by_definition(filter: Filter, size: usize, above: &[u8], filtered: &[u8]) -> Vec<u8> {
        let mut out: Vec<u8> = Vec::new();
        for (i, &byte) in filtered.iter().enumerate() {
            let before = |line: &[u8]| if i < size { 0 } else { i32::from(line[i - size]) };
            let (a, b, c) = (before(&out), i32::from(above[i]), before(above));
            let predicted = match filter {
                Filter::None => 0,
                Filter::Sub => a,
                Filter::Up => b,
                Filter::Average => (a + b) / 2,
                Filter::Paeth => {
                    let distance = |x: i32| (a + b - c - x).abs();
                    if distance(a) <= distance(b) && distance(a) <= distance(c) {
                        a
                    } else if distance(b) <= distance(c) {
                        b
                    } else {
                        c
                    }
                }
            };
            out.push(byte.wrapping_add(predicted as u8));
        }
        out
    }

    fn with_slack(bytes: &[u8]) -> Vec<u8> {
        [bytes, &[0x5a; SLACK]].concat()
    }

    fn check(
        size: usize,
        filters: [Filter; TOGETHER],
        above: &[u8],
        lines: &[Vec<u8>],
    ) -> Result<(), TestCaseError> {
        let len = above.len();
        for level in levels_to_test() {
            let kernel = unfilter(level, size);
            let padded = with_slack(above);
            for filter in Filter::ALL {
                let mut out = vec![0xa5; len + SLACK];
                kernel.line(filter, &padded, &with_slack(&lines[0]), &mut out);
                prop_assert_eq!(
                    &out[..len],
                    &by_definition(filter, size, above, &lines[0])[..],
                    "{:?} {:?}",
                    level,
                    filter
                );
            }
            let filtered: Vec<_> = lines.iter().map(|line| with_slack(line)).collect();
            let mut outs = vec![vec![0xa5; len + SLACK]; TOGETHER];
            let [a, b, c, d] = &mut outs[..] else { unreachable!() };
            kernel.lines(filters, &padded, std::array::from_fn(|i| &filtered[i][..]), [a, b, c, d]);
            let mut above = above.to_vec();
            for ((out, line), filter) in outs.iter().zip(lines).zip(filters) {
                above = by_definition(filter, size, &above, line);
                prop_assert_eq!(&out[..len], &above[..], "{:?} among {:?} {:?}", filter, filters, level);
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn undoes_what_the_specification_defines(
            (size, lines) in (prop::sample::select(&SIZES[..]), 1..60_usize).prop_flat_map(|(size, pixels)| {
                // Noise, and small differences as in photos.
                let byte = prop_oneof![any::<u8>(), 0..4_u8, 252..=255_u8];
                let line = prop::collection::vec(byte, size * pixels);
                (Just(size), prop::collection::vec(line, TOGETHER + 1))
            }),
            filters in prop::array::uniform4(prop::sample::select(&Filter::ALL[..])),
        ) {
            check(size, filters, &lines[0], &lines[1..])?;
        }
    }

    #[test]
    fn no_other_byte_names_a_filter() {
        assert!((5..=u8::MAX).all(|byte| Filter::of(byte).is_none()));
        assert_eq!(Filter::of(3), Some(Filter::Average));
    }
}
