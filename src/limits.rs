//! Bounds on what one image may cost, checked from its header before anything is allocated.

use crate::error::{Error, LimitKind, Result};

/// Upper bounds for one image; `None` lifts a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Width times height. The default is where Pillow raises `DecompressionBombError`.
    pub max_pixels: Option<u64>,
    /// Length of the encoded file in bytes.
    pub max_bytes: Option<u64>,
    /// Bytes that decoding and resizing take besides the encoded file and the output, by an upper
    /// estimate from the header.
    pub max_memory: Option<u64>,
    /// Scans of a JPEG file. Each costs time for the whole image however few bytes it has, so that
    /// thousands of empty ones keep a decoder busy for hours.
    pub max_scans: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pixels: Some(178_956_970),
            max_bytes: Some(1 << 30),
            max_memory: Some(2 << 30),
            max_scans: Some(500),
        }
    }
}

impl Limits {
    /// Refuses an image of more pixels than allowed.
    pub fn check_pixels(&self, width: usize, height: usize) -> Result<()> {
        let (width, height) = (width as u64, height as u64);
        check(LimitKind::Pixels { width, height }, self.max_pixels, width.saturating_mul(height))
    }

    /// Refuses a file of more bytes than allowed.
    pub fn check_bytes(&self, bytes: u64) -> Result<()> {
        check(LimitKind::Bytes, self.max_bytes, bytes)
    }

    /// Refuses an image that takes more memory than allowed.
    pub fn check_memory(&self, bytes: u64) -> Result<()> {
        check(LimitKind::Memory, self.max_memory, bytes)
    }

    /// Refuses a JPEG file of more scans than allowed.
    pub fn check_scans(&self, scans: u64) -> Result<()> {
        check(LimitKind::Scans, self.max_scans, scans)
    }
}

fn check(kind: LimitKind, allowed: Option<u64>, found: u64) -> Result<()> {
    match allowed {
        Some(allowed) if found > allowed => Err(Error::limit(kind, allowed, found)),
        _ => Ok(()),
    }
}
