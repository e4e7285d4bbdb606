//! Checks and buffers that decoders share.

use crate::error::{Error, Result};
use crate::limits::Limits;

/// The sides of an image, checked against the limits; none is zero, or more than C's `int` holds.
pub(super) fn dimensions(format: &str, width: u64, height: u64, limits: &Limits) -> Result<(usize, usize)> {
    let side = |side: u64| i32::try_from(side).ok().filter(|&side| side > 0).map(|side| side as usize);
    let (Some(width), Some(height)) = (side(width), side(height)) else {
        return Err(Error::decode(format, format_args!("a size of {width} x {height}")));
    };
    limits.check_pixels(width, height)?;
    Ok((width, height))
}

/// A zeroed buffer for a whole image; memory that is not there is an error, not an abort.
pub(super) fn allocate(format: &str, len: usize) -> Result<Vec<u8>> {
    let mut data = reserve(format, len)?;
    data.resize(len, 0);
    Ok(data)
}

/// An empty list with room for `len` values.
pub(super) fn reserve<T>(format: &str, len: usize) -> Result<Vec<T>> {
    let mut data = Vec::new();
    let bytes = len.saturating_mul(size_of::<T>()) as u64;
    data.try_reserve_exact(len).map_err(|_| Error::out_of_memory(format_args!("a {format}"), bytes))?;
    Ok(data)
}
