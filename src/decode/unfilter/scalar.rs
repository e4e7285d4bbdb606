//! The filters in plain Rust.

use super::{Filter, SLACK, TOGETHER, Unfilter};

/// For pixels of `B` bytes.
pub(super) struct Kernel<const B: usize>;

impl<const B: usize> Unfilter for Kernel<B> {
    fn line(&self, filter: Filter, above: &[u8], filtered: &[u8], out: &mut [u8]) {
        line::<B>(filter, above, filtered, out);
    }

    fn lines(
        &self,
        filters: [Filter; TOGETHER],
        above: &[u8],
        filtered: [&[u8]; TOGETHER],
        out: [&mut [u8]; TOGETHER],
    ) {
        let mut above = above;
        for ((filter, filtered), out) in filters.into_iter().zip(filtered).zip(out) {
            line::<B>(filter, above, filtered, out);
            above = out;
        }
    }
}

/// Undoes the filter of one line.
#[inline(always)]
pub(super) fn line<const B: usize>(filter: Filter, above: &[u8], filtered: &[u8], out: &mut [u8]) {
    let len = out.len() - SLACK;
    let (above, filtered, out) = (&above[..len], &filtered[..len], &mut out[..len]);
    match filter {
        Filter::None => out.copy_from_slice(filtered),
        Filter::Up => {
            for ((out, byte), above) in out.iter_mut().zip(filtered).zip(above) {
                *out = byte.wrapping_add(*above);
            }
        }
        Filter::Sub => by_pixel::<B>(above, filtered, out, |a, _, _| a),
        Filter::Average => {
            by_pixel::<B>(above, filtered, out, |a, b, _| ((u16::from(a) + u16::from(b)) / 2) as u8)
        }
        Filter::Paeth => by_pixel::<B>(above, filtered, out, paeth),
    }
}

/// Adds what `predict` says of the bytes to the left, above, and above to the left.
#[inline(always)]
fn by_pixel<const B: usize>(
    above: &[u8],
    filtered: &[u8],
    out: &mut [u8],
    predict: impl Fn(u8, u8, u8) -> u8,
) {
    let (mut a, mut c) = ([0; B], [0; B]);
    let pixels = filtered.as_chunks::<B>().0.iter().zip(above.as_chunks::<B>().0);
    for (out, (filtered, b)) in out.as_chunks_mut::<B>().0.iter_mut().zip(pixels) {
        for i in 0..B {
            a[i] = filtered[i].wrapping_add(predict(a[i], b[i], c[i]));
        }
        (*out, c) = (a, *b);
    }
}

/// The one of the three that is closest to a + b - c.
#[inline(always)]
pub(super) fn paeth(a: u8, b: u8, c: u8) -> u8 {
    let (left, up, corner) = (i16::from(a), i16::from(b), i16::from(c));
    let (to_left, to_up) = ((up - corner).abs(), (left - corner).abs());
    let to_corner = (left + up - 2 * corner).abs();
    if to_left <= to_up && to_left <= to_corner {
        a
    } else if to_up <= to_corner {
        b
    } else {
        c
    }
}
