//! Pillow's resizing, to the last bit.

pub(crate) mod blur;
mod filter;
pub(crate) mod floats;
mod kernels;
mod nearest;
pub(crate) mod torch;
mod two_pass;
mod weights;
mod wide;

#[cfg(test)]
mod tests;

pub use filter::Filter;
pub(crate) use filter::Products;
pub(crate) use kernels::Pixel;
pub(crate) use nearest::{indices as nearest_indices, indices_16_bit as nearest_indices_16_bit};
pub(crate) use two_pass::{Order, Scratch, TwoPass};
pub(crate) use weights::{Tap, Weights};
pub(crate) use wide::Wide;
