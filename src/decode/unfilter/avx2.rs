//! The filters with AVX2.
//!
//! A Paeth prediction depends on the byte to its left, so that bytes wait for each other. What does not depend on
//! that byte is worked out beforehand for 16 bytes at once ([`Thresholds`]), and lines are undone together: each
//! works one step, the whole pixels in 16 bytes, to the left of the line above it, whose last step it finds in a
//! register. Encoders choose a filter for each line, so any four of them go together: with the right bytes above and
//! thresholds, the steps of Paeth undo the others too, and a mean is one more choice at the end.

use std::arch::x86_64::*;

use super::{Filter, SLACK, TOGETHER, Unfilter, scalar, step, steps};
use crate::simd::Avx2;

/// For pixels of `B` bytes.
pub(super) struct Kernel<const B: usize> {
    _proof: Avx2,
}

impl<const B: usize> Kernel<B> {
    pub fn new(proof: Avx2) -> Self {
        Self { _proof: proof }
    }
}

impl<const B: usize> Unfilter for Kernel<B> {
    fn line(&self, filter: Filter, above: &[u8], filtered: &[u8], out: &mut [u8]) {
        // SAFETY: `_proof` shows that the processor has AVX2.
        unsafe {
            match filter {
                Filter::Sub if B <= 4 => sub::<B>(filtered, out),
                Filter::Average if B >= 4 => average::<B>(above, filtered, out),
                Filter::Paeth if B >= 2 => paeth_line::<B>(above, filtered, out),
                _ => compiled_anew::<B>(filter, above, filtered, out),
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
        // SAFETY: `_proof` shows that the processor has AVX2.
        unsafe {
            if filters.contains(&Filter::Average) {
                lines::<B, true>(filters, above, filtered, out);
            } else {
                lines::<B, false>(filters, above, filtered, out);
            }
        }
    }
}

#[target_feature(enable = "avx2")]
fn compiled_anew<const B: usize>(filter: Filter, above: &[u8], filtered: &[u8], out: &mut [u8]) {
    scalar::line::<B>(filter, above, filtered, out);
}

/// The 16 bytes of a line at its step `i`.
#[inline]
#[target_feature(enable = "avx2")]
fn load<const B: usize>(line: &[u8], i: usize) -> __m128i {
    let bytes: &[u8; 16] = line[i * step(B)..].first_chunk().expect("lines are followed by slack");
    // SAFETY: an unaligned load of 16 bytes from an array of as many.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store<const B: usize>(line: &mut [u8], i: usize, value: __m128i) {
    let bytes: &mut [u8; 16] = line[i * step(B)..].first_chunk_mut().expect("lines are followed by slack");
    // SAFETY: an unaligned store of 16 bytes to an array of as many.
    unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), value) }
}

/// Moves the last pixel of a step to the end of the register.
#[inline]
#[target_feature(enable = "avx2")]
fn last_pixel<const B: usize>(step: __m256i) -> __m256i {
    match B {
        3 => _mm256_slli_si256::<1>(step),
        6 => _mm256_slli_si256::<4>(step),
        _ => step,
    }
}

/// In both halves, the pixels to the left of those in `step`; `last` ends with the one to the left of the first.
#[inline]
#[target_feature(enable = "avx2")]
fn to_the_left<const B: usize>(step: __m256i, last: __m256i) -> __m256i {
    match B {
        1 => _mm256_alignr_epi8::<15>(step, last),
        2 => _mm256_alignr_epi8::<14>(step, last),
        3 => _mm256_alignr_epi8::<13>(step, last),
        4 => _mm256_alignr_epi8::<12>(step, last),
        6 => _mm256_alignr_epi8::<10>(step, last),
        _ => _mm256_alignr_epi8::<8>(step, last),
    }
}

/// Makes unsigned bytes ordered as signed ones, which are the ones that can be compared; and back.
#[inline]
#[target_feature(enable = "avx2")]
fn biased(bytes: __m256i) -> __m256i {
    _mm256_xor_si256(bytes, _mm256_set1_epi8(-128))
}

/// A Paeth prediction as a function of the byte a to the left, for given bytes b above and c above to the left:
/// a itself, but for the `count` bytes from `low` on. For those it is the lesser of b and c where a is below `middle`,
/// else the greater. All but `low` and `filtered` are biased, and the lesser and greater have the filtered byte added
/// already.
struct Thresholds {
    low: __m256i,
    count: __m256i,
    middle: __m256i,
    lesser: __m256i,
    greater: __m256i,
    filtered: __m256i,
    /// The complement of b.
    not_above: __m256i,
}

impl Thresholds {
    /// Where `is_above` is set, b and c have to be equal, and it is b that is predicted.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(b: __m256i, c: __m256i, filtered: __m256i, is_above: __m256i) -> Self {
        let one = _mm256_set1_epi8(1);
        let (lesser, greater) = (_mm256_min_epu8(b, c), _mm256_max_epu8(b, c));
        let rising = _mm256_cmpeq_epi8(greater, b);
        let d = _mm256_sub_epi8(greater, lesser);
        let d_less_one = _mm256_subs_epu8(d, one);
        let half = _mm256_and_si256(_mm256_srli_epi16::<1>(d), _mm256_set1_epi8(0x7f));
        // c - 2d + 1 up to b - 1 where b > c, b + 1 up to c + 2d - 1 where b < c, and nothing where b = c.
        let below = _mm256_subs_epu8(_mm256_subs_epu8(c, d_less_one), d);
        let beyond = _mm256_adds_epu8(_mm256_adds_epu8(c, d_less_one), d);
        let count = _mm256_blendv_epi8(_mm256_sub_epi8(beyond, b), _mm256_sub_epi8(b, below), rising);
        // All but b itself, where a is b as well: in a circle, from b + 1 on.
        let from_below = _mm256_andnot_si256(is_above, rising);
        let low = _mm256_blendv_epi8(_mm256_add_epi8(b, one), below, from_below);
        let count = _mm256_or_si256(count, is_above);
        // From c - d/2 on it is b that is closest where b > c; above c + d/2 it is c where b < c.
        let beyond = _mm256_adds_epu8(c, half);
        let middle = _mm256_blendv_epi8(_mm256_add_epi8(beyond, one), _mm256_subs_epu8(c, half), rising);
        // Nothing is above 255: then `middle` has become 0, and `greater` is b, which is the lesser.
        let never = _mm256_cmpeq_epi8(beyond, _mm256_set1_epi8(-1));
        let greater = _mm256_blendv_epi8(greater, b, never);
        Self {
            low,
            count: biased(count),
            middle: biased(middle),
            lesser: biased(_mm256_add_epi8(lesser, filtered)),
            greater: biased(_mm256_add_epi8(greater, filtered)),
            filtered,
            not_above: _mm256_xor_si256(b, _mm256_set1_epi8(-1)),
        }
    }

    /// The bytes whose left neighbours are `a`; both biased.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn apply(&self, a: __m256i) -> __m256i {
        let inside = _mm256_cmpgt_epi8(self.count, _mm256_sub_epi8(a, self.low));
        let b_or_c = _mm256_blendv_epi8(self.greater, self.lesser, _mm256_cmpgt_epi8(self.middle, a));
        _mm256_blendv_epi8(_mm256_add_epi8(a, self.filtered), b_or_c, inside)
    }

    /// The same where the prediction is the mean of a and b, rounded down. The processor's is rounded up: it is that
    /// of the complements which is the complement of ours.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn average(&self, a: __m256i) -> __m256i {
        let not_a = _mm256_xor_si256(a, _mm256_set1_epi8(0x7f));
        let filtered = _mm256_add_epi8(self.filtered, _mm256_set1_epi8(0x7f));
        _mm256_sub_epi8(filtered, _mm256_avg_epu8(not_a, self.not_above))
    }
}

/// Two lines in the halves of registers, the second a step to the left of the first.
struct Pair<const B: usize> {
    /// The lines above at their steps.
    above: __m256i,
    /// The last pixels of the former steps, at the end of each half; biased.
    last: __m256i,
    /// All bits of the halves that have one of these filters.
    none: __m256i,
    none_or_up: __m256i,
    average: __m256i,
    paeth: __m256i,
}

impl<const B: usize> Pair<B> {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(filters: [Filter; 2]) -> Self {
        let halves = |is: fn(Filter) -> bool| {
            let [first, second] = filters.map(|filter| -i64::from(is(filter)));
            _mm256_set_epi64x(second, second, first, first)
        };
        Self {
            above: _mm256_setzero_si256(),
            last: biased(_mm256_setzero_si256()),
            none: halves(|filter| filter == Filter::None),
            none_or_up: halves(|filter| matches!(filter, Filter::None | Filter::Up)),
            average: halves(|filter| filter == Filter::Average),
            paeth: halves(|filter| filter == Filter::Paeth),
        }
    }

    /// Moves on a step, for which the lines above are given.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn advance(&mut self, above: __m256i, filtered: __m256i) -> Thresholds {
        let corner = to_the_left::<B>(above, last_pixel::<B>(self.above));
        self.above = above;
        // Where b = c, Paeth always predicts a, which is Sub.
        let above = _mm256_andnot_si256(self.none, above);
        let corner = _mm256_blendv_epi8(above, corner, self.paeth);
        Thresholds::new(above, corner, filtered, self.none_or_up)
    }

    /// The bytes of a step whose left neighbours are `left`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn apply<const AVERAGE: bool>(&self, thresholds: &Thresholds, left: __m256i) -> __m256i {
        let a = to_the_left::<B>(left, self.last);
        let bytes = thresholds.apply(a);
        if AVERAGE { _mm256_blendv_epi8(bytes, thresholds.average(a), self.average) } else { bytes }
    }

    /// Takes the finished step, and returns its bytes.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn finish(&mut self, step: __m256i) -> __m256i {
        self.last = last_pixel::<B>(step);
        biased(step)
    }
}

/// Four lines, each a step to the left of the one above. As long as a line has not begun, all that it is given is
/// zero, and so is what comes of it.
#[target_feature(enable = "avx2")]
fn lines<const B: usize, const AVERAGE: bool>(
    filters: [Filter; TOGETHER],
    above: &[u8],
    filtered: [&[u8]; TOGETHER],
    out: [&mut [u8]; TOGETHER],
) {
    let steps = steps::<B>(above.len() - SLACK);
    let [first, second, third, fourth] = filters;
    let mut pairs = [Pair::<B>::new([first, second]), Pair::<B>::new([third, fourth])];
    let zero = _mm_setzero_si128();
    let mut done = [zero; TOGETHER];
    for j in 0..steps + TOGETHER - 1 {
        // The line at `i` works at this step, where there is one.
        let at = |i: usize| j.checked_sub(i).filter(|&step| step < steps);
        let next: [__m128i; TOGETHER] =
            std::array::from_fn(|i| at(i).map_or(zero, |step| load::<B>(filtered[i], step)));
        let first = at(0).map_or(zero, |step| load::<B>(above, step));
        let upper = pairs[0].advance(_mm256_set_m128i(done[0], first), _mm256_set_m128i(next[1], next[0]));
        let lower = pairs[1].advance(_mm256_set_m128i(done[2], done[1]), _mm256_set_m128i(next[3], next[2]));
        let (mut a, mut b) = (pairs[0].last, pairs[1].last);
        for _ in 0..16 / B {
            a = pairs[0].apply::<AVERAGE>(&upper, a);
            b = pairs[1].apply::<AVERAGE>(&lower, b);
        }
        let (a, b) = (pairs[0].finish(a), pairs[1].finish(b));
        done = [
            _mm256_castsi256_si128(a),
            _mm256_extracti128_si256::<1>(a),
            _mm256_castsi256_si128(b),
            _mm256_extracti128_si256::<1>(b),
        ];
        for i in 0..TOGETHER {
            if let Some(step) = at(i) {
                store::<B>(out[i], step, done[i]);
            }
        }
    }
}

/// One line, in the lower halves.
#[target_feature(enable = "avx2")]
fn paeth_line<const B: usize>(above: &[u8], filtered: &[u8], out: &mut [u8]) {
    let mut pair = Pair::<B>::new([Filter::Paeth, Filter::None]);
    for j in 0..steps::<B>(out.len() - SLACK) {
        let of_half = |half| _mm256_zextsi128_si256(half);
        let thresholds = pair.advance(of_half(load::<B>(above, j)), of_half(load::<B>(filtered, j)));
        let mut a = pair.last;
        for _ in 0..16 / B {
            a = pair.apply::<false>(&thresholds, a);
        }
        store::<B>(out, j, _mm256_castsi256_si128(pair.finish(a)));
    }
}

/// A running sum of pixels.
#[target_feature(enable = "avx2")]
fn sub<const B: usize>(filtered: &[u8], out: &mut [u8]) {
    let last_everywhere: [i8; 16] = std::array::from_fn(|i| (step(B) - B + i % B) as i8);
    // SAFETY: an unaligned load of 16 bytes from an array of as many.
    let last_everywhere = unsafe { _mm_loadu_si128(last_everywhere.as_ptr().cast()) };
    let mut last = _mm_setzero_si128();
    for j in 0..steps::<B>(out.len() - SLACK) {
        let mut sums = load::<B>(filtered, j);
        // Sums of two pixels, of four, and so on.
        macro_rules! add_shifted {
            ($($bytes:literal)+) => {{ $(sums = _mm_add_epi8(sums, _mm_slli_si128::<$bytes>(sums));)+ }};
        }
        match B {
            1 => add_shifted!(1 2 4 8),
            2 => add_shifted!(2 4 8),
            3 => add_shifted!(3 6 12),
            _ => add_shifted!(4 8),
        }
        sums = _mm_add_epi8(sums, last);
        store::<B>(out, j, sums);
        last = _mm_shuffle_epi8(sums, last_everywhere);
    }
}

/// The processor's mean is rounded up: it is that of the complements which is the complement of the mean.
#[target_feature(enable = "avx2")]
fn average<const B: usize>(above: &[u8], filtered: &[u8], out: &mut [u8]) {
    let ones = _mm_set1_epi8(-1);
    let mut last = _mm256_zextsi128_si256(ones);
    for j in 0..steps::<B>(out.len() - SLACK) {
        let above = _mm_xor_si128(load::<B>(above, j), ones);
        let filtered = load::<B>(filtered, j);
        let mut step = last;
        for _ in 0..16 / B {
            let left = _mm256_castsi256_si128(to_the_left::<B>(step, last));
            step = _mm256_zextsi128_si256(_mm_sub_epi8(_mm_avg_epu8(left, above), filtered));
        }
        store::<B>(out, j, _mm_xor_si128(_mm256_castsi256_si128(step), ones));
        last = last_pixel::<B>(step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Level, levels_to_test};

    #[test]
    fn predicts_all_triples() {
        if levels_to_test().contains(&Level::Avx2) {
            // SAFETY: the processor has AVX2.
            unsafe { all_triples() }
        }
    }

    #[target_feature(enable = "avx2")]
    fn all_triples() {
        for (b, c) in (0..=u8::MAX).flat_map(|b| (0..=u8::MAX).map(move |c| (b, c))) {
            let all = |byte: u8| _mm256_set1_epi8(byte as i8);
            let thresholds = Thresholds::new(all(b), all(c), all(0), _mm256_setzero_si256());
            for first in (0..=u8::MAX).step_by(32) {
                let a: [u8; 32] = std::array::from_fn(|i| first + i as u8);
                let mut found = [0; 32];
                // SAFETY: unaligned, of arrays of 32 bytes.
                unsafe {
                    let step = biased(_mm256_loadu_si256(a.as_ptr().cast()));
                    _mm256_storeu_si256(found.as_mut_ptr().cast(), biased(thresholds.apply(step)));
                }
                assert_eq!(found, a.map(|a| scalar::paeth(a, b, c)), "b {b}, c {c}");
            }
        }
    }
}
