//! The filters with NEON, by the way of the kernel for AVX2: what does not depend on the byte to the left is worked
//! out beforehand for 16 bytes at once ([`Thresholds`]), and lines of any filters are undone together, each a step to
//! the left of the line above it.

use std::arch::aarch64::*;

use super::{Filter, SLACK, TOGETHER, Unfilter, scalar, step, steps};
use crate::simd::Neon;

/// For pixels of `B` bytes.
pub(super) struct Kernel<const B: usize> {
    _proof: Neon,
}

impl<const B: usize> Kernel<B> {
    pub fn new(proof: Neon) -> Self {
        Self { _proof: proof }
    }
}

impl<const B: usize> Unfilter for Kernel<B> {
    fn line(&self, filter: Filter, above: &[u8], filtered: &[u8], out: &mut [u8]) {
        // SAFETY: `_proof` shows that the processor has NEON.
        unsafe {
            match filter {
                Filter::Sub if B <= 4 => sub::<B>(filtered, out),
                Filter::Average if B >= 3 => average::<B>(above, filtered, out),
                Filter::Paeth if B >= 2 => lines::<B, 1, false>([filter], above, [filtered], [out]),
                _ => scalar::line::<B>(filter, above, filtered, out),
            }
        }
    }

    fn lines(
        &self,
        filters: [Filter; TOGETHER],
        above: &[u8],
        filtered: [&[u8]; TOGETHER],
        out: [&mut [u8]; TOGETHER],
    ) {
        // SAFETY: `_proof` shows that the processor has NEON.
        unsafe {
            if filters.contains(&Filter::Average) {
                lines::<B, TOGETHER, true>(filters, above, filtered, out);
            } else {
                lines::<B, TOGETHER, false>(filters, above, filtered, out);
            }
        }
    }
}

/// The 16 bytes of a line at its step `i`.
#[inline]
#[target_feature(enable = "neon")]
fn load<const B: usize>(line: &[u8], i: usize) -> uint8x16_t {
    let bytes: &[u8; 16] = line[i * step(B)..].first_chunk().expect("lines are followed by slack");
    // SAFETY: a load of 16 bytes from an array of as many.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn store<const B: usize>(line: &mut [u8], i: usize, value: uint8x16_t) {
    let bytes: &mut [u8; 16] = line[i * step(B)..].first_chunk_mut().expect("lines are followed by slack");
    // SAFETY: a store of 16 bytes to an array of as many.
    unsafe { vst1q_u8(bytes.as_mut_ptr(), value) }
}

/// Moves the last pixel of a step to the end of the register.
#[inline]
#[target_feature(enable = "neon")]
fn last_pixel<const B: usize>(step: uint8x16_t) -> uint8x16_t {
    match B {
        3 => vextq_u8::<15>(step, step),
        6 => vextq_u8::<12>(step, step),
        _ => step,
    }
}

/// The pixels to the left of those in `step`; `last` ends with the one to the left of the first.
#[inline]
#[target_feature(enable = "neon")]
fn to_the_left<const B: usize>(step: uint8x16_t, last: uint8x16_t) -> uint8x16_t {
    match B {
        1 => vextq_u8::<15>(last, step),
        2 => vextq_u8::<14>(last, step),
        3 => vextq_u8::<13>(last, step),
        4 => vextq_u8::<12>(last, step),
        6 => vextq_u8::<10>(last, step),
        _ => vextq_u8::<8>(last, step),
    }
}

/// A Paeth prediction as a function of the byte a to the left, for given bytes b above and c above to the left:
/// a itself where it lies further than `span` above `low`, else the lesser of b and c below `middle`, else the
/// greater. The lesser and greater have the filtered byte added already.
struct Thresholds {
    low: uint8x16_t,
    span: uint8x16_t,
    middle: uint8x16_t,
    lesser: uint8x16_t,
    greater: uint8x16_t,
    filtered: uint8x16_t,
    b: uint8x16_t,
}

impl Thresholds {
    /// Those of bytes that `is_above` selects never let a pass.
    #[inline]
    #[target_feature(enable = "neon")]
    fn new(b: uint8x16_t, c: uint8x16_t, filtered: uint8x16_t, is_above: uint8x16_t) -> Self {
        let one = vdupq_n_u8(1);
        let (lesser, greater) = (vminq_u8(b, c), vmaxq_u8(b, c));
        let rising = vcgeq_u8(b, c);
        let d = vsubq_u8(greater, lesser);
        let (d_less_one, half) = (vqsubq_u8(d, one), vshrq_n_u8::<1>(d));
        // Besides a, b or c are the closest from b to c - 2d + 1 where b > c, and to c + 2d - 1 where b < c. Where
        // they are equal, b is both ends: the prediction is a in any case.
        let below = vqsubq_u8(vqsubq_u8(c, d_less_one), d);
        let beyond = vqaddq_u8(vqaddq_u8(c, d_less_one), d);
        let end = vbslq_u8(rising, below, beyond);
        // From c - d/2 on it is b that is closest where b > c; above c + d/2 it is c where b < c.
        let beyond = vqaddq_u8(c, half);
        let middle = vbslq_u8(rising, vqsubq_u8(c, half), vaddq_u8(beyond, one));
        // Nothing is above 255: then `middle` has become 0, and `greater` is b, which is the lesser.
        let never = vceqq_u8(beyond, vdupq_n_u8(255));
        let greater = vbslq_u8(never, b, greater);
        Self {
            low: vminq_u8(b, end),
            span: vorrq_u8(vabdq_u8(b, end), is_above),
            middle,
            lesser: vaddq_u8(lesser, filtered),
            greater: vaddq_u8(greater, filtered),
            filtered,
            b,
        }
    }

    /// The bytes with the left neighbours `a`.
    #[inline]
    #[target_feature(enable = "neon")]
    fn apply(&self, a: uint8x16_t) -> uint8x16_t {
        let outside = vcgtq_u8(vsubq_u8(a, self.low), self.span);
        let inside = vbslq_u8(vcgtq_u8(self.middle, a), self.lesser, self.greater);
        vbslq_u8(outside, vaddq_u8(a, self.filtered), inside)
    }

    /// The same where the prediction is the mean of a and b, rounded down.
    #[inline]
    #[target_feature(enable = "neon")]
    fn average(&self, a: uint8x16_t) -> uint8x16_t {
        vaddq_u8(vhaddq_u8(a, self.b), self.filtered)
    }
}

/// One of the lines that are undone together.
struct Line<const B: usize> {
    /// The line above at the step that is done.
    above: uint8x16_t,
    /// The last pixel of the former step, at the end.
    last: uint8x16_t,
    /// All bits, if the line has one of these filters.
    none: uint8x16_t,
    none_or_up: uint8x16_t,
    average: uint8x16_t,
    paeth: uint8x16_t,
}

impl<const B: usize> Line<B> {
    #[inline]
    #[target_feature(enable = "neon")]
    fn new(filter: Filter) -> Self {
        let bits = |is: bool| vdupq_n_u8(if is { 255 } else { 0 });
        Self {
            above: vdupq_n_u8(0),
            last: vdupq_n_u8(0),
            none: bits(filter == Filter::None),
            none_or_up: bits(matches!(filter, Filter::None | Filter::Up)),
            average: bits(filter == Filter::Average),
            paeth: bits(filter == Filter::Paeth),
        }
    }

    /// Moves on a step, for which the line above is given.
    #[inline]
    #[target_feature(enable = "neon")]
    fn advance(&mut self, above: uint8x16_t, filtered: uint8x16_t) -> Thresholds {
        let corner = to_the_left::<B>(above, last_pixel::<B>(self.above));
        self.above = above;
        // Where b = c, Paeth always predicts a, which is Sub; where a never passes, it is b, which is Up.
        let above = vbicq_u8(above, self.none);
        let corner = vbslq_u8(self.paeth, corner, above);
        Thresholds::new(above, corner, filtered, self.none_or_up)
    }

    /// The bytes of a step with the left neighbours `left`.
    #[inline]
    #[target_feature(enable = "neon")]
    fn apply<const AVERAGE: bool>(&self, thresholds: &Thresholds, left: uint8x16_t) -> uint8x16_t {
        let a = to_the_left::<B>(left, self.last);
        let bytes = thresholds.apply(a);
        if AVERAGE { vbslq_u8(self.average, thresholds.average(a), bytes) } else { bytes }
    }
}

/// `LINES` lines, each a step to the left of the one above. As long as a line has not begun, all that it is given is
/// zero, and so is what comes of it.
#[target_feature(enable = "neon")]
fn lines<const B: usize, const LINES: usize, const AVERAGE: bool>(
    filters: [Filter; LINES],
    above: &[u8],
    filtered: [&[u8]; LINES],
    out: [&mut [u8]; LINES],
) {
    let steps = steps::<B>(above.len() - SLACK);
    let zero = vdupq_n_u8(0);
    let mut lines: [Line<B>; LINES] = std::array::from_fn(|i| Line::new(filters[i]));
    let mut done = [zero; LINES];
    for j in 0..steps + LINES - 1 {
        // The line at `i` works at this step, where there is one.
        let at = |i: usize| j.checked_sub(i).filter(|&step| step < steps);
        let thresholds: [Thresholds; LINES] = std::array::from_fn(|i| {
            let above = match i {
                0 => at(0).map_or(zero, |step| load::<B>(above, step)),
                _ => done[i - 1],
            };
            lines[i].advance(above, at(i).map_or(zero, |step| load::<B>(filtered[i], step)))
        });
        for (done, line) in done.iter_mut().zip(&lines) {
            *done = line.last;
        }
        for _ in 0..16 / B {
            for i in 0..LINES {
                done[i] = lines[i].apply::<AVERAGE>(&thresholds[i], done[i]);
            }
        }
        for i in 0..LINES {
            lines[i].last = last_pixel::<B>(done[i]);
            if let Some(step) = at(i) {
                store::<B>(out[i], step, done[i]);
            }
        }
    }
}

/// A running sum of pixels.
#[target_feature(enable = "neon")]
fn sub<const B: usize>(filtered: &[u8], out: &mut [u8]) {
    let last_everywhere: [u8; 16] = std::array::from_fn(|i| (step(B) - B + i % B) as u8);
    // SAFETY: a load of 16 bytes from an array of as many.
    let last_everywhere = unsafe { vld1q_u8(last_everywhere.as_ptr()) };
    let zero = vdupq_n_u8(0);
    let mut last = zero;
    for j in 0..steps::<B>(out.len() - SLACK) {
        let mut sums = load::<B>(filtered, j);
        // Sums of two pixels, of four, and so on.
        macro_rules! add_shifted {
            ($($bytes:literal)+) => {{ $(sums = vaddq_u8(sums, vextq_u8::<{ 16 - $bytes }>(zero, sums));)+ }};
        }
        match B {
            1 => add_shifted!(1 2 4 8),
            2 => add_shifted!(2 4 8),
            3 => add_shifted!(3 6 12),
            _ => add_shifted!(4 8),
        }
        sums = vaddq_u8(sums, last);
        store::<B>(out, j, sums);
        last = vqtbl1q_u8(sums, last_everywhere);
    }
}

#[target_feature(enable = "neon")]
fn average<const B: usize>(above: &[u8], filtered: &[u8], out: &mut [u8]) {
    let mut last = vdupq_n_u8(0);
    for j in 0..steps::<B>(out.len() - SLACK) {
        let (above, filtered) = (load::<B>(above, j), load::<B>(filtered, j));
        let mut step = last;
        for _ in 0..16 / B {
            step = vaddq_u8(vhaddq_u8(to_the_left::<B>(step, last), above), filtered);
        }
        store::<B>(out, j, step);
        last = last_pixel::<B>(step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predicts_all_triples() {
        // SAFETY: each 64-bit ARM processor has NEON.
        unsafe { all_triples() }
    }

    #[target_feature(enable = "neon")]
    fn all_triples() {
        for (b, c) in (0..=u8::MAX).flat_map(|b| (0..=u8::MAX).map(move |c| (b, c))) {
            let thresholds = Thresholds::new(vdupq_n_u8(b), vdupq_n_u8(c), vdupq_n_u8(0), vdupq_n_u8(0));
            for first in (0..=u8::MAX).step_by(16) {
                let a: [u8; 16] = std::array::from_fn(|i| first + i as u8);
                let mut found = [0; 16];
                // SAFETY: of arrays of 16 bytes.
                unsafe { vst1q_u8(found.as_mut_ptr(), thresholds.apply(vld1q_u8(a.as_ptr()))) };
                assert_eq!(found, a.map(|a| scalar::paeth(a, b, c)), "b {b}, c {c}");
            }
        }
    }
}
