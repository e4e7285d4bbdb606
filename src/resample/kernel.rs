//! One horizontal and one vertical pass, whichever instruction set runs them.

use super::level::Level;
use super::scalar;
use super::weights::Weights;
use crate::pixels::{BLOCK, RowBlock};

#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};

/// Rows are stored this many bytes apart, or a multiple: what the widest kernel loads at once.
const ALIGN: usize = 64;

/// The horizontal pass over rows that are already cut to the weights' inputs.
#[derive(Debug)]
pub(crate) struct Horizontal {
    kernel: HorizontalKernel,
    row_bytes: usize,
    out_bytes: usize,
}

#[derive(Debug)]
enum HorizontalKernel {
    Scalar(Weights, usize),
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Horizontal),
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Horizontal),
}

impl Horizontal {
    /// Lays the weights out for `level`; what a SIMD kernel does not take, the scalar one does.
    pub fn new(level: Level, weights: &Weights, channels: usize) -> Self {
        Self {
            kernel: HorizontalKernel::new(level, weights, channels),
            row_bytes: weights.inputs().len() * channels,
            out_bytes: weights.len() * channels,
        }
    }

    /// Bytes between finished rows: their pixels and the padding that the kernels may overwrite.
    pub fn stride(&self) -> usize {
        stride(self.out_bytes)
    }

    /// Up to four rows to as many rows of `out`, [`Self::stride`] apart; `out` holds four, and what
    /// the unused ones then hold is unspecified.
    pub fn run(&self, rows: &RowBlock<'_>, count: usize, out: &mut [u8]) {
        assert!((1..=BLOCK).contains(&count), "one to four rows");
        assert!(rows[..count].iter().all(|row| row.len() == self.row_bytes), "rows fit the weights");
        match &self.kernel {
            HorizontalKernel::Scalar(weights, channels) => {
                for (row, out) in rows[..count].iter().zip(out.chunks_mut(self.stride())) {
                    match channels {
                        1 => scalar::horizontal::<1>(weights, row, out),
                        2 => scalar::horizontal::<2>(weights, row, out),
                        3 => scalar::horizontal::<3>(weights, row, out),
                        _ => scalar::horizontal::<4>(weights, row, out),
                    }
                }
            }
            #[cfg(target_arch = "x86_64")]
            HorizontalKernel::Avx2(kernel) => {
                kernel.run(&full(rows, count), out, self.stride());
            }
            #[cfg(target_arch = "x86_64")]
            HorizontalKernel::Avx512(kernel) => kernel.run(&full(rows, count), out, self.stride()),
        }
    }
}

/// A block whose missing rows are its last one again.
#[cfg(target_arch = "x86_64")]
fn full<'a>(rows: &RowBlock<'a>, count: usize) -> RowBlock<'a> {
    std::array::from_fn(|i| rows[i.min(count - 1)])
}

impl HorizontalKernel {
    fn new(level: Level, weights: &Weights, channels: usize) -> Self {
        #[cfg(target_arch = "x86_64")]
        if level >= Level::Avx512
            && let Some(proof) = avx512::Avx512::new()
            && let Some(kernel) = avx512::Horizontal::new(proof, weights, channels)
        {
            return Self::Avx512(kernel);
        }
        #[cfg(target_arch = "x86_64")]
        if level >= Level::Avx2
            && let Some(proof) = avx2::Avx2::new()
            && let Some(kernel) = avx2::Horizontal::new(proof, weights, channels)
        {
            return Self::Avx2(kernel);
        }
        let _ = level;
        Self::Scalar(weights.clone(), channels)
    }
}

/// The vertical pass.
#[derive(Debug)]
pub(crate) enum Vertical {
    Scalar(Weights),
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Vertical),
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Vertical),
}

impl Vertical {
    /// Lays the weights out for `level`; what a SIMD kernel does not take, the scalar one does.
    pub fn new(level: Level, weights: &Weights) -> Self {
        #[cfg(target_arch = "x86_64")]
        if level >= Level::Avx512
            && let Some(proof) = avx512::Avx512::new()
            && let Some(kernel) = avx512::Vertical::new(proof, weights)
        {
            return Self::Avx512(kernel);
        }
        #[cfg(target_arch = "x86_64")]
        if level >= Level::Avx2
            && let Some(proof) = avx2::Avx2::new()
            && let Some(kernel) = avx2::Vertical::new(proof, weights)
        {
            return Self::Avx2(kernel);
        }
        let _ = level;
        Self::Scalar(weights.clone())
    }

    /// The first `len` bytes of output row `y` from its source rows; all rows are [`stride`] long.
    pub fn run(&self, y: usize, rows: &[&[u8]], out: &mut [u8], len: usize) {
        match self {
            Self::Scalar(weights) => scalar::vertical(weights.get(y).1, rows, &mut out[..len]),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(kernel) => kernel.run(y, rows, out, len),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(kernel) => kernel.run(y, rows, out, len),
        }
    }
}

/// Bytes between rows of `bytes` bytes: room for the stores past a row's end, whole registers to load.
pub(crate) fn stride(bytes: usize) -> usize {
    (bytes + ALIGN).next_multiple_of(ALIGN)
}
