//! The table's values by arithmetic, many at once.
//!
//! A lookup costs a load for each value. The profiles' own steps are two divisions and a subtraction, and a
//! quotient is `x * hi + x * lo`, where `hi + lo` is the reciprocal to twice a float's precision: with a
//! fused multiplication it is rounded as the division rounds, but for about one in eight million. Whether all
//! 768 values come out with the table's bits is checked when a table is made; if not, it is looked up.

use super::Element;
use crate::simd::{Level, best};

/// Values computed at a time: whole registers, and whole pixels of three channels.
pub const BLOCK_VALUES: usize = 48;

/// The reciprocal of a divisor in two floats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reciprocal {
    pub hi: f32,
    pub lo: f32,
}

impl Reciprocal {
    pub fn of(divisor: f64) -> Self {
        let exact = 1.0 / divisor;
        let hi = exact as f32;
        Self { hi, lo: (exact - f64::from(hi)) as f32 }
    }

    /// A factor in its place, whose product with a byte is rounded once.
    pub fn of_factor(factor: f32) -> Self {
        Self { hi: factor, lo: 0.0 }
    }
}

/// The steps `(v / first - mean) / std` of values whose channels take turns, `N` steps a turn: 1 where all
/// values are of one channel, [`BLOCK_VALUES`] where pixels lie side by side.
#[derive(Clone, Debug)]
pub(super) struct Steps<const N: usize> {
    pub first: Reciprocal,
    pub mean: [f32; N],
    pub std_hi: [f32; N],
    pub std_lo: [f32; N],
}

impl Steps<1> {
    pub fn new(first: Reciprocal, mean: f32, std: f32) -> Self {
        let std = Reciprocal::of(std.into());
        Self { first, mean: [mean], std_hi: [std.hi], std_lo: [std.lo] }
    }

    /// Whether the steps give the bits of `table`, by the instructions that will be used: what stands in for them
    /// elsewhere is the C library's, and not every one rounds as they do (MinGW's does not).
    pub fn give(&self, proof: Fma, table: &[f32; 256]) -> bool {
        let mut floats = [0.0_f32; 256];
        proof.write(self, &std::array::from_fn::<u8, 256, _>(|byte| byte as u8), &mut floats);
        floats.iter().zip(table).all(|(float, expected)| float.to_bits() == expected.to_bits())
    }
}

impl Steps<BLOCK_VALUES> {
    /// The steps of pixels of three channels.
    pub fn of_pixels(channels: &[Steps<1>; 3]) -> Self {
        let turns = |part: fn(&Steps<1>) -> f32| std::array::from_fn(|i| part(&channels[i % 3]));
        Self {
            first: channels[0].first,
            mean: turns(|steps| steps.mean[0]),
            std_hi: turns(|steps| steps.std_hi[0]),
            std_lo: turns(|steps| steps.std_lo[0]),
        }
    }
}

impl<const N: usize> Steps<N> {
    #[inline(always)]
    fn floats(&self, bytes: &[u8; BLOCK_VALUES]) -> [f32; BLOCK_VALUES] {
        let mut floats = [0.0; BLOCK_VALUES];
        for (i, (float, &byte)) in floats.iter_mut().zip(bytes).enumerate() {
            *float = self.float(i % N, f32::from(byte));
        }
        floats
    }

    #[inline(always)]
    pub fn float(&self, turn: usize, value: f32) -> f32 {
        let value = value.mul_add(self.first.hi, value * self.first.lo) - self.mean[turn];
        value.mul_add(self.std_hi[turn], value * self.std_lo[turn])
    }

    /// Writes as many values as there are bytes.
    #[inline(always)]
    pub fn write<T: Element>(&self, proof: Fma, bytes: &[u8], out: &mut [T]) {
        assert_eq!(bytes.len(), out.len(), "a value for each byte");
        let len = bytes.len();
        if len < BLOCK_VALUES {
            let mut block = [0; BLOCK_VALUES];
            block[..len].copy_from_slice(bytes);
            return T::write(bytes, &self.floats(&block)[..len], out);
        }
        // The last block may overlap the one before it; it begins at a whole pixel all the same.
        for at in (0..len).step_by(BLOCK_VALUES).map(|at| at.min(len - BLOCK_VALUES)) {
            let block = bytes[at..].first_chunk().expect("a whole block");
            T::write_block(proof, block, &self.floats(block), &mut out[at..at + BLOCK_VALUES]);
        }
    }
}

/// Proof that the processor multiplies and adds in one step, several floats at a time: on each
/// architecture that of one level.
#[derive(Clone, Copy, Debug)]
pub struct Fma(());

impl Fma {
    pub(super) fn of(level: Level) -> Option<Self> {
        best! { level;
            "x86_64" Avx2 => |_| Some(Some(Self(()))),
            "aarch64" Neon => |_| Some(Some(Self(()))),
            _ => None,
        }
    }

    /// Writes as many values as there are bytes.
    pub(super) fn write<T: Element, const N: usize>(self, steps: &Steps<N>, bytes: &[u8], out: &mut [T]) {
        #[cfg_attr(target_arch = "x86_64", target_feature(enable = "avx2,fma,f16c"))]
        fn compiled_for<T: Element, const N: usize>(
            proof: Fma,
            steps: &Steps<N>,
            bytes: &[u8],
            out: &mut [T],
        ) {
            steps.write(proof, bytes, out);
        }
        // SAFETY: `self` shows that the processor has AVX2, FMA and F16C, where they are enabled.
        #[allow(unused_unsafe, reason = "where no feature has to be enabled, the function is safe")]
        unsafe {
            compiled_for(self, steps, bytes, out);
        }
    }

    /// Floats rounded to halves, to nearest and ties to even.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    #[inline(always)]
    pub(super) fn halves<const N: usize>(self, floats: &[f32; N], out: &mut [u16; N]) {
        #[cfg(target_arch = "x86_64")]
        #[inline]
        #[target_feature(enable = "avx2,fma,f16c")]
        fn eight(floats: &[f32; 8], out: &mut [u16; 8]) {
            use std::arch::x86_64::*;

            // SAFETY: eight floats are read, eight halves written.
            unsafe {
                let halves = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(_mm256_loadu_ps(floats.as_ptr()));
                _mm_storeu_si128(out.as_mut_ptr().cast(), halves);
            }
        }
        /// The library's types for halves are newer than the compiler that is asked for.
        #[cfg(target_arch = "aarch64")]
        #[inline]
        #[target_feature(enable = "neon")]
        fn eight(floats: &[f32; 8], out: &mut [u16; 8]) {
            use std::arch::{aarch64::*, asm};

            // SAFETY: eight floats are read, eight halves written; the instructions, which every
            // processor with NEON has, work on registers alone.
            unsafe {
                let (low, high) = (vld1q_f32(floats.as_ptr()), vld1q_f32(floats.as_ptr().add(4)));
                let mut halves = vdupq_n_u16(0);
                asm!(
                    "fcvtn {halves:v}.4h, {low:v}.4s",
                    "fcvtn2 {halves:v}.8h, {high:v}.4s",
                    halves = inout(vreg) halves,
                    low = in(vreg) low,
                    high = in(vreg) high,
                    options(pure, nomem, nostack, preserves_flags),
                );
                vst1q_u16(out.as_mut_ptr(), halves);
            }
        }
        for (floats, out) in floats.as_chunks().0.iter().zip(out.as_chunks_mut().0) {
            // SAFETY: as in `write`.
            unsafe { eight(floats, out) };
        }
    }
}
