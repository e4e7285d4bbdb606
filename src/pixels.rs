//! How decoded pixels are laid out, and how rows of them are handed on.

mod layout;

use std::ops::Range;

use crate::error::{Error, Result};
pub use layout::Layout;
pub(crate) use layout::Sample;

/// Rows are handed on in blocks of up to this many: a kernel loads its weights once for all of them.
///
/// ```
/// use clipprep::pixels::{BLOCK_ROWS, RowBlock};
///
/// let row = [1, 2, 3];
/// let block: RowBlock<'_> = [&row; BLOCK_ROWS];
/// assert_eq!(block[BLOCK_ROWS - 1], row);
/// ```
pub const BLOCK_ROWS: usize = 4;

/// Up to [`BLOCK_ROWS`] rows; those past the requested count are empty.
///
/// ```
/// let block = clipprep::pixels::RowBlock::default();
/// assert!(block[0].is_empty());
/// ```
pub type RowBlock<'a> = [&'a [u8]; BLOCK_ROWS];

/// 256 RGB colours; entries that a file leaves out are black, as in Pillow.
///
/// ```
/// let greys: clipprep::pixels::Palette = std::array::from_fn(|level| [level as u8; 3]);
/// assert_eq!(greys[7], [7, 7, 7]);
/// ```
pub type Palette = [[u8; 3]; 256];

/// The palette of a file with fewer than 256 entries, filled up as Pillow does.
///
/// ```
/// use clipprep::pixels::palette_from;
///
/// let palette = palette_from(&[255, 0, 0, 0, 255, 0]);
/// assert_eq!(palette[..3], [[255, 0, 0], [0, 255, 0], [0, 0, 0]]);
/// ```
pub fn palette_from(entries: &[u8]) -> Box<Palette> {
    let mut palette = Box::new([[0; 3]; 256]);
    for (slot, rgb) in palette.iter_mut().zip(entries.chunks_exact(3)) {
        slot.copy_from_slice(rgb);
    }
    palette
}

/// The size and the layout of an image, known before its pixels.
///
/// ```
/// use clipprep::pixels::{Header, Layout};
///
/// let header = Header { width: 640, height: 480, layout: Layout::Rgb, palette: None };
/// assert_eq!(header.width * header.layout.bytes(), 1920);
/// ```
#[derive(Clone, Debug)]
pub struct Header {
    /// Width in pixels, at least 1.
    pub width: usize,
    /// Height in pixels, at least 1.
    pub height: usize,
    /// The bytes of one pixel.
    pub layout: Layout,
    /// The colours of [`Layout::P`] and [`Layout::IndexAlpha`].
    pub palette: Option<Box<Palette>>,
}

/// A rectangle of source pixels: those that the output depends on.
///
/// ```
/// use clipprep::pixels::Window;
///
/// let window = Window { columns: 80..560, rows: 0..480 };
/// assert_eq!(window.columns.len(), window.rows.len());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Source columns.
    pub columns: Range<usize>,
    /// Source rows.
    pub rows: Range<usize>,
}

impl Window {
    /// Moves it right and down.
    pub(crate) fn shift(&mut self, (columns, rows): (usize, usize)) {
        self.columns = self.columns.start + columns..self.columns.end + columns;
        self.rows = self.rows.start + rows..self.rows.end + rows;
    }
}

/// An image with a known header, and pixels that can be read once.
///
/// ```
/// use clipprep::pixels::{Header, Image, Layout, RowBlock, Rows, Window};
/// use clipprep::{Preprocess, Result, Spec};
///
/// /// An image of one grey.
/// struct Grey(Header);
///
/// struct GreyRows(Vec<u8>);
///
/// impl Image for Grey {
///     fn header(&self) -> &Header {
///         &self.0
///     }
///
///     fn rows<'a>(&'a mut self, window: &Window) -> Result<Box<dyn Rows + 'a>> {
///         Ok(Box::new(GreyRows(vec![128; window.columns.len()])))
///     }
/// }
///
/// impl Rows for GreyRows {
///     fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
///         Ok(std::array::from_fn(|i| if i < count { &self.0[..] } else { &[] }))
///     }
/// }
///
/// let preprocess = Preprocess::new(Spec::openai(224));
/// let mut tensor = vec![0.0_f32; preprocess.output_len()];
/// let mut image = Grey(Header { width: 640, height: 480, layout: Layout::L, palette: None });
/// preprocess.process_image(&mut image, &mut tensor)?;
/// # Ok::<(), clipprep::Error>(())
/// ```
pub trait Image {
    /// Size and layout.
    fn header(&self) -> &Header;
    /// Whether this is an array of the caller's, which transformers composites by other arithmetic than an image.
    fn is_array(&self) -> bool {
        false
    }
    /// An upper estimate of the bytes that decoding holds besides the encoded file and single rows.
    fn memory(&self) -> u64 {
        0
    }
    /// The downscale factor that the decoder has applied already: the image has that many times fewer columns
    /// and rows, rounded up, than its header says.
    fn reduction(&self) -> usize {
        1
    }
    /// The decoder that made the pixels in place of the format's own, and why; to be asked for after they were made.
    fn stand_in(&self) -> Option<(&'static str, &'static str)> {
        None
    }
    /// Hands out the rows of `window`, top to bottom, each cut to its columns.
    fn rows<'a>(&'a mut self, window: &Window) -> Result<Box<dyn Rows + 'a>>;
    /// Has `read` take the rows of `window` as [`rows`](Self::rows) hands them out, while other threads may work on those
    /// that come. Where this fails, it may be called again, for all rows, and what it returns then is what counts.
    fn with_rows(
        &mut self,
        window: &Window,
        read: &mut dyn FnMut(&mut dyn Rows) -> Result<()>,
    ) -> Result<()> {
        read(self.rows(window)?.as_mut())
    }
}

/// A stream of rows, top to bottom.
///
/// ```
/// use clipprep::pixels::{Header, Image, Layout, Rows, Whole, Window};
///
/// let header = Header { width: 1, height: 6, layout: Layout::L, palette: None };
/// let mut image = Whole { header, data: vec![0, 1, 2, 3, 4, 5] };
/// let mut rows = image.rows(&Window { columns: 0..1, rows: 0..6 })?;
/// assert_eq!(rows.next(4)?, [[0], [1], [2], [3]]);
/// assert_eq!(rows.next(2)?[1], [5]);
/// # Ok::<(), clipprep::Error>(())
/// ```
pub trait Rows {
    /// The next `count` rows (1 to [`BLOCK_ROWS`]), each of `columns * layout.bytes()` bytes.
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>>;
}

/// A buffer for the block of rows that a stream makes and hands on.
pub(crate) struct RowBuffer {
    bytes: Vec<u8>,
    row_bytes: usize,
}

impl RowBuffer {
    /// A buffer for rows of `row_bytes` bytes; memory that is not there is an error, not an abort.
    pub fn new(row_bytes: usize) -> Result<Self> {
        let len = BLOCK_ROWS.saturating_mul(row_bytes);
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(len).map_err(|_| Error::out_of_memory("rows of pixels", len as u64))?;
        bytes.resize(len, 0);
        Ok(Self { bytes, row_bytes })
    }

    /// The bytes that a buffer takes for rows of an image of that header, at most.
    pub fn memory(header: &Header) -> u64 {
        (BLOCK_ROWS * header.layout.bytes() * header.width) as u64
    }

    /// The first `count` rows, to be written.
    pub fn rows_mut(&mut self, count: usize) -> impl Iterator<Item = &mut [u8]> {
        self.bytes.chunks_exact_mut(self.row_bytes).take(count)
    }

    /// The first `count` rows.
    pub fn block(&self, count: usize) -> RowBlock<'_> {
        let mut rows = self.bytes.chunks_exact(self.row_bytes).take(count);
        std::array::from_fn(|_| rows.next().unwrap_or_default())
    }
}

/// A decoded image held whole, rows without padding.
///
/// ```
/// use clipprep::pixels::{Header, Image, Layout, Whole, Window};
///
/// let header = Header { width: 2, height: 2, layout: Layout::L, palette: None };
/// let mut image = Whole { header, data: vec![1, 2, 3, 4] };
/// let mut rows = image.rows(&Window { columns: 1..2, rows: 0..2 })?;
/// assert_eq!(rows.next(2)?[..2], [[2], [4]]);
/// # Ok::<(), clipprep::Error>(())
/// ```
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

    fn memory(&self) -> u64 {
        self.data.len() as u64
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
        let mut block = [&[][..]; BLOCK_ROWS];
        for slot in &mut block[..count] {
            let row = self.rows.nth(std::mem::take(&mut self.skip)).expect("rows inside the window");
            *slot = &row[self.bytes.clone()];
        }
        Ok(block)
    }
}
