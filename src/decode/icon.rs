//! Icons, which only Pillow decodes. It decodes the pictures inside as it opens them, or finds out their
//! sizes when it does: what they announce is checked before.

use crate::error::Result;
use crate::limits::Limits;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Refuses an ICO or ICNS in which a PNG has more pixels than allowed.
pub fn check_icon(bytes: &[u8], limits: &Limits) -> Result<()> {
    if !bytes.starts_with(b"\0\0\x01\0") && !bytes.starts_with(b"icns") {
        return Ok(());
    }
    for at in memchr::memmem::find_iter(bytes, PNG) {
        let side = |at: usize| bytes.get(at..)?.first_chunk().map(|side| u32::from_be_bytes(*side) as usize);
        if let (Some(width), Some(height)) = (side(at + 16), side(at + 20)) {
            limits.check_pixels(width, height)?;
        }
    }
    Ok(())
}
