//! One horizontal and one vertical pass, by the best kernels that the processor has.

mod kernel;
pub(super) mod scalar;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod lanes;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod limbs;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "aarch64")]
mod neon_dot;

use super::weights::Weights;
use crate::pixels::{BLOCK_ROWS, RowBlock};
use crate::simd::{Level, best};
pub(crate) use kernel::Pixel;
pub(super) use kernel::stride;
use kernel::{HorizontalKernel, VerticalKernel};

fn horizontal(level: Level, weights: &Weights, pixel: Pixel) -> Box<dyn HorizontalKernel> {
    best! { level;
        "x86_64" Avx512 => |proof| avx512::horizontal(proof, weights, pixel),
        "x86_64" Avx2 => |proof| avx2::horizontal(proof, weights, pixel),
        "aarch64" NeonI8mm => |proof| neon_dot::horizontal(proof, weights, pixel),
        "aarch64" NeonDotprod => |proof| neon_dot::horizontal(proof, weights, pixel),
        "aarch64" Neon => |proof| neon::horizontal(proof, weights, pixel),
        _ => scalar::horizontal(weights, pixel),
    }
}

fn vertical(level: Level, weights: &Weights) -> Box<dyn VerticalKernel> {
    best! { level;
        "x86_64" Avx512 => |proof| avx512::vertical(proof, weights),
        "x86_64" Avx2 => |proof| avx2::vertical(proof, weights),
        "aarch64" Neon => |proof| neon::vertical(proof, weights),
        _ => scalar::vertical(weights),
    }
}

/// The horizontal pass over rows that are already cut to the weights' inputs.
#[derive(Debug)]
pub(crate) struct HorizontalPass {
    kernel: Box<dyn HorizontalKernel>,
    row_bytes: usize,
    out_bytes: usize,
}

impl HorizontalPass {
    /// Lays the weights out for the best kernel of `level` that takes them.
    pub fn new(level: Level, weights: &Weights, pixel: Pixel) -> Self {
        Self {
            kernel: horizontal(level, weights, pixel),
            row_bytes: weights.inputs().len() * pixel.bytes,
            out_bytes: weights.len() * pixel.channels,
        }
    }

    /// Bytes between finished rows: their pixels and the padding that the kernels may overwrite.
    pub fn stride(&self) -> usize {
        stride(self.out_bytes)
    }

    /// Up to four rows to as many rows of `out`, [`Self::stride`] apart; `out` holds four, and what
    /// the unused ones then hold is unspecified.
    pub fn run(&self, rows: &RowBlock<'_>, count: usize, out: &mut [u8]) {
        assert!((1..=BLOCK_ROWS).contains(&count), "one to four rows");
        assert!(rows[..count].iter().all(|row| row.len() == self.row_bytes), "rows fit the weights");
        // In place of missing rows, the last one again.
        let rows = std::array::from_fn(|i| rows[i.min(count - 1)]);
        self.kernel.run(&rows, out, self.stride());
    }
}

/// The vertical pass.
#[derive(Debug)]
pub(crate) struct VerticalPass(Box<dyn VerticalKernel>);

impl VerticalPass {
    /// Lays the weights out for the best kernel of `level` that takes them.
    pub fn new(level: Level, weights: &Weights) -> Self {
        Self(vertical(level, weights))
    }

    /// The first `len` bytes of output row `y` from its source rows; all rows are [`stride`] long.
    pub fn run(&self, y: usize, rows: &[&[u8]], out: &mut [u8], len: usize) {
        self.0.run(y, rows, out, len);
    }
}
