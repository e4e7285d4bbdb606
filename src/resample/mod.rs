//! Pillow's resizing, to the last bit.

mod filter;
pub(crate) mod floats;
mod kernel;
mod nearest;
mod passes;
mod scalar;
pub(crate) mod torch;
mod two_pass;
mod weights;
mod wide;

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
#[cfg(test)]
mod tests;

pub use filter::Filter;
pub(crate) use filter::Products;
pub(crate) use nearest::{indices as nearest_indices, indices_16_bit as nearest_indices_16_bit};
pub(crate) use two_pass::{Order, Scratch, TwoPass};
pub(crate) use weights::{Tap, Weights};
pub(crate) use wide::Wide;
