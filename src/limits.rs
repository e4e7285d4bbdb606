//! Bounds on what one image may cost, checked from its header before anything is allocated.

use crate::error::{Error, Result};

/// Upper bounds for one image; `None` lifts a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Width times height. The default is where Pillow raises `DecompressionBombError`.
    pub max_pixels: Option<u64>,
    /// Length of the encoded file in bytes.
    pub max_bytes: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_pixels: Some(178_956_970), max_bytes: Some(1 << 30) }
    }
}

impl Limits {
    /// Refuses an image of more pixels than allowed.
    pub fn check_pixels(&self, width: usize, height: usize) -> Result<()> {
        let pixels = width as u64 * height as u64;
        match self.max_pixels {
            Some(max) if pixels > max => Err(Error::Limit(format!(
                "expected at most {max} pixels (max_pixels), found {width} x {height} = {pixels}"
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses a file of more bytes than allowed.
    pub fn check_bytes(&self, bytes: u64) -> Result<()> {
        match self.max_bytes {
            Some(max) if bytes > max => {
                Err(Error::Limit(format!("expected at most {max} encoded bytes (max_bytes), found {bytes}")))
            }
            _ => Ok(()),
        }
    }
}
