//! How decoded pixels are laid out, and how rows of them are handed on.

use std::ops::Range;

use crate::error::Result;

/// Rows are handed on in blocks of up to this many: a kernel loads its weights once for all of them.
pub const BLOCK: usize = 4;

/// Up to [`BLOCK`] rows; those past the requested count are empty.
pub type RowBlock<'a> = [&'a [u8]; BLOCK];

/// The bytes of one pixel, by Pillow's mode names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Mode "1": one byte, 0 or 255.
    One,
    /// Mode "L".
    L,
    /// Mode "LA".
    La,
    /// Mode "P": one byte, an index into a [`Palette`].
    P,
    /// Mode "RGB".
    Rgb,
    /// Mode "RGB" with a fourth byte that means nothing, as Pillow stores it.
    Rgbx,
    /// Mode "RGBA".
    Rgba,
    /// Mode "LA" as Pillow stores it: L, L, L, A.
    Llla,
    /// Mode "CMYK", 0 = no ink.
    Cmyk,
}

impl Layout {
    /// Bytes per pixel.
    pub fn bytes(self) -> usize {
        match self {
            Self::One | Self::L | Self::P => 1,
            Self::La => 2,
            Self::Rgb => 3,
            Self::Rgbx | Self::Rgba | Self::Llla | Self::Cmyk => 4,
        }
    }

    /// Pillow's name of the mode.
    pub fn mode(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::L => "L",
            Self::La | Self::Llla => "LA",
            Self::P => "P",
            Self::Rgb | Self::Rgbx => "RGB",
            Self::Rgba => "RGBA",
            Self::Cmyk => "CMYK",
        }
    }

    /// Whether Pillow multiplies the colours by alpha before it resamples.
    pub fn has_alpha(self) -> bool {
        matches!(self, Self::La | Self::Rgba | Self::Llla)
    }

    /// Whether Pillow resizes this mode by nearest neighbour whatever filter is asked for.
    pub fn nearest_only(self) -> bool {
        matches!(self, Self::One | Self::P)
    }
}

/// 256 RGB colours; entries that a file leaves out are black, as in Pillow.
pub type Palette = [[u8; 3]; 256];

/// The palette of a file with fewer than 256 entries, filled up as Pillow does.
pub fn palette_from(entries: &[u8]) -> Box<Palette> {
    let mut palette = Box::new([[0; 3]; 256]);
    for (slot, rgb) in palette.iter_mut().zip(entries.chunks_exact(3)) {
        slot.copy_from_slice(rgb);
    }
    palette
}

/// What is known of an image before its pixels are.
#[derive(Clone, Debug)]
pub struct Header {
    /// Width in pixels, at least 1.
    pub width: usize,
    /// Height in pixels, at least 1.
    pub height: usize,
    /// The bytes of one pixel.
    pub layout: Layout,
    /// The colours of [`Layout::P`].
    pub palette: Option<Box<Palette>>,
}

/// The rectangle of source pixels that the surviving output pixels depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Source columns.
    pub columns: Range<usize>,
    /// Source rows.
    pub rows: Range<usize>,
}

/// An image whose header is known and whose pixels can be read once.
pub trait Image {
    /// Size and layout.
    fn header(&self) -> &Header;
    /// Hands out the rows of `window`, top to bottom, each cut to its columns.
    fn rows<'a>(&'a mut self, window: &Window) -> Result<Box<dyn Rows + 'a>>;
}

/// A stream of rows, top to bottom.
pub trait Rows {
    /// The next `count` rows (1 to [`BLOCK`]), each of `columns * layout.bytes()` bytes.
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>>;
}

/// A decoded image held whole, rows without padding.
pub struct Whole {
    /// Size and layout.
    pub header: Header,
    /// `height * width * layout.bytes()` bytes.
    pub data: Vec<u8>,
}

impl Image for Whole {
    fn header(&self) -> &Header {
        &self.header
    }

    fn rows<'a>(&'a mut self, window: &Window) -> Result<Box<dyn Rows + 'a>> {
        let bytes = self.header.layout.bytes();
        Ok(Box::new(WholeRows {
            rows: self.data.chunks_exact(self.header.width * bytes),
            skip: window.rows.start,
            bytes: window.columns.start * bytes..window.columns.end * bytes,
        }))
    }
}

struct WholeRows<'a> {
    rows: std::slice::ChunksExact<'a, u8>,
    skip: usize,
    bytes: Range<usize>,
}

impl Rows for WholeRows<'_> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        let mut block = [&[][..]; BLOCK];
        for slot in &mut block[..count] {
            let row = self.rows.nth(std::mem::take(&mut self.skip)).expect("rows inside the window");
            *slot = &row[self.bytes.clone()];
        }
        Ok(block)
    }
}
