//! GIF by the `gif` crate, first frame, indexed: the palette mode decides the filter.

use gif::{ColorOutput, DecodeOptions, DecodingError, MemoryLimit};

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::pixels::{Header, Layout, Whole, palette_from};

/// Decodes the first frame where it covers the canvas; frames with an offset are Pillow's.
pub(super) fn open(bytes: &[u8], limits: &Limits) -> Result<Whole> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(MemoryLimit::Unlimited);
    let mut decoder = options.read_info(bytes).map_err(fault)?;
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    limits.check_pixels(width, height)?;
    let global = decoder.global_palette().map(<[u8]>::to_vec);
    let frame = decoder.next_frame_info().map_err(fault)?.ok_or_else(|| Error::decode("GIF", "no frame"))?;
    if (frame.left, frame.top) != (0, 0)
        || (usize::from(frame.width), usize::from(frame.height)) != (width, height)
        || frame.width == 0
        || frame.height == 0
    {
        return Err(Error::unsupported(
            "expected a GIF whose first frame covers its canvas, found one that does not",
        ));
    }
    // A palette that is the grey ramp is no palette to Pillow: such a frame is of mode "L".
    let needed = |palette: &&Vec<u8>| palette.chunks_exact(3).enumerate().any(|(i, rgb)| rgb != [i as u8; 3]);
    let local = frame.palette.as_ref();
    let palette = local.or(global.as_ref()).filter(needed);
    if palette.is_none() && local.is_some() && global.as_ref().is_some_and(|global| needed(&global)) {
        return Err(Error::unsupported("expected a palette, found a grey ramp beside a global palette"));
    }
    let header = Header {
        width,
        height,
        layout: if palette.is_some() { Layout::P } else { Layout::L },
        palette: palette.map(|entries| palette_from(entries)),
    };
    let mut data = super::allocate("GIF", width * height)?;
    decoder.read_into_buffer(&mut data).map_err(fault)?;
    // All pixels may be there while the frame's last block is not.
    decoder.next_frame_info().map_err(fault)?;
    Ok(Whole { header, data })
}

fn fault(error: DecodingError) -> Error {
    match error {
        DecodingError::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Error::truncated("GIF", error)
        }
        error => Error::decode("GIF", error),
    }
}
