//! The types of number that a tensor can have.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::affine::Fma;

/// A tensor's type of number: `f32`, [`half::f16`], [`half::bf16`], or `u8` for the pixels before any float
/// arithmetic.
///
/// ```
/// use clipprep::{Preprocess, Spec};
/// use half::f16;
///
/// let preprocess = Preprocess::new(Spec { normalize: false, ..Spec::openai(1) });
/// let mut halves = [f16::ZERO; 3];
/// preprocess.process_bytes(b"P5 1 1 255 \xff", &mut halves)?;
/// assert_eq!(halves, [f16::ONE; 3]);
/// # Ok::<(), clipprep::Error>(())
/// ```
pub trait Element: Copy + Send + Sync + sealed::Sealed + 'static {
    /// Zero, what a row without an image holds.
    ///
    /// ```
    /// use clipprep::Element;
    ///
    /// assert_eq!((f32::ZERO, u8::ZERO), (0.0, 0));
    /// ```
    const ZERO: Self;

    /// Writes normalised pixels: `floats` are the values of `bytes`. Halves are rounded to nearest, ties to
    /// even, as NumPy and torch round them.
    #[doc(hidden)]
    fn write(bytes: &[u8], floats: &[f32], out: &mut [Self]);

    /// The same for a block, compiled for a processor that has what `proof` shows.
    #[doc(hidden)]
    #[inline(always)]
    fn write_block<const N: usize>(_proof: Fma, bytes: &[u8], floats: &[f32; N], out: &mut [Self]) {
        Self::write(bytes, floats, out);
    }
}

impl Element for f32 {
    const ZERO: Self = 0.0;

    #[inline(always)]
    fn write(_: &[u8], floats: &[f32], out: &mut [Self]) {
        out.copy_from_slice(floats);
    }
}

impl Element for f16 {
    const ZERO: Self = f16::ZERO;

    #[inline(always)]
    fn write(_: &[u8], floats: &[f32], out: &mut [Self]) {
        out.convert_from_f32_slice(floats);
    }

    // The library asks for the processor's abilities every eight numbers.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    #[inline(always)]
    fn write_block<const N: usize>(proof: Fma, _: &[u8], floats: &[f32; N], out: &mut [Self]) {
        proof.halves(floats, out.reinterpret_cast_mut().first_chunk_mut().expect("a whole block"));
    }
}

impl Element for bf16 {
    const ZERO: Self = bf16::ZERO;

    #[inline(always)]
    fn write(_: &[u8], floats: &[f32], out: &mut [Self]) {
        for (out, float) in out.iter_mut().zip(floats) {
            // The upper half of the bits, rounded; a carry into the exponent is right, and there are no NaNs.
            let bits = float.to_bits();
            *out = bf16::from_bits(((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16);
        }
    }
}

impl Element for u8 {
    const ZERO: Self = 0;

    #[inline(always)]
    fn write(bytes: &[u8], _: &[f32], out: &mut [Self]) {
        out.copy_from_slice(bytes);
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for half::f16 {}
    impl Sealed for half::bf16 {}
    impl Sealed for u8 {}
}
