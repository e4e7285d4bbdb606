//! The shape that every decoder has: it reads an [`Input`], follows [`Rules`], and is a [`Decoder`].

use std::fs::File;

use super::metadata::Metadata;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::pixels::{Header, Image, Rows, Whole, Window};
use crate::simd::Level;

/// An encoded file, held in memory or only its beginning.
///
/// ```
/// use clipprep::decode::{Input, Rules, open};
///
/// let input = Input::new(b"P5 1 1 255 \x80");
/// assert_eq!(open(&input, &Rules::default())?.0.name(), "PPM");
/// # Ok::<(), clipprep::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Input<'a> {
    bytes: &'a [u8],
    rest: Option<&'a File>,
}

impl<'a> Input<'a> {
    /// A file whose bytes are all in memory.
    ///
    /// ```
    /// assert!(clipprep::decode::open(&clipprep::decode::Input::new(b"no image"), &Default::default()).is_err());
    /// ```
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, rest: None }
    }

    /// A file of which `head` is the beginning; `rest` is read from where it stands, which is where `head` ends. A decoder
    /// that needs all bytes refuses it.
    ///
    /// ```
    /// use std::io::{Read, Write, Seek};
    /// use clipprep::decode::{Input, Rules, open};
    ///
    /// let mut file = tempfile::tempfile()?;
    /// file.write_all(&std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/photos/cat.jpg"))?)?;
    /// file.rewind()?;
    /// let mut head = [0; 4096];
    /// file.read_exact(&mut head)?;
    /// let (format, image) = open(&Input::streamed(&head, &file), &Rules::default())?;
    /// assert_eq!(format.name(), "JPEG");
    /// # Ok::<(), clipprep::Error>(())
    /// ```
    pub fn streamed(head: &'a [u8], rest: &'a File) -> Self {
        Self { bytes: head, rest: Some(rest) }
    }

    /// The bytes that are in memory: all of them, or the beginning.
    pub(crate) fn head(&self) -> &'a [u8] {
        self.bytes
    }

    /// The file that the bytes after [`head`](Self::head) are read from, if they are not all in memory.
    pub(crate) fn rest(&self) -> Option<&'a File> {
        self.rest
    }

    /// All bytes, for a decoder that cannot read them piece by piece.
    pub(super) fn whole(&self) -> Result<&'a [u8]> {
        match self.rest {
            None => Ok(self.bytes),
            Some(_) => Err(Error::unsupported("expected a file that is in memory, found only its beginning")),
        }
    }
}

/// The options that decoders follow.
///
/// ```
/// use clipprep::Limits;
/// use clipprep::decode::{Input, Rules, open};
///
/// let limits = Limits { max_pixels: Some(100), ..Limits::default() };
/// let rules = Rules { limits, ..Rules::default() };
/// assert!(open(&Input::new(b"P5 1000 1000 255 "), &rules).is_err());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules<'r> {
    /// Bounds on what one image may cost.
    pub limits: Limits,
    /// Whether a truncated file is filled up; else it is an error.
    pub pad: bool,
    /// Whether a transparent colour, which no layout holds, would have to show white; else it is dropped.
    pub over_white: bool,
    /// Pillow's names of the formats that are read; all of them where there is no list.
    pub formats: Option<&'r [String]>,
    /// The instruction set to decode with; the bits are the same with each.
    pub level: Level,
}

/// An image whose pixels come from a file.
///
/// ```
/// use clipprep::decode::{Decoder, Input, Rules, open};
///
/// let (_, mut image) = open(&Input::new(b"P5 1 1 255 \x80"), &Rules::default())?;
/// image.set_fast((1, 1), (false, false));
/// assert_eq!(image.metadata()?.orientation()?, Default::default());
/// # Ok::<(), clipprep::Error>(())
/// ```
pub trait Decoder: Image {
    /// EXIF and XMP of the file, as far as Pillow finds them; none in formats that have none.
    fn metadata(&self) -> Result<Metadata<'_>> {
        Ok(Metadata::default())
    }

    /// Allows the decoder to save time at the cost of exact pixels. The image will be resized to `_resized`
    /// (width, height), and each axis that is `_mirrored` (columns, rows) will be read from its end. Called
    /// before the rows are asked for; does nothing in a decoder that has no faster way.
    fn set_fast(&mut self, _resized: (usize, usize), _mirrored: (bool, bool)) {}

    /// Allows the decoder to work in that many threads, of which the one that asks for rows is one. Called before the rows are asked
    /// for; does nothing in a decoder whose work cannot be divided.
    fn set_threads(&mut self, _threads: usize) {}
}

/// How a decoder reads a file's header, and checks it against the limits.
pub(super) type Open = for<'a> fn(&Input<'a>, &Rules<'_>) -> Result<Box<dyn Decoder + 'a>>;

impl Decoder for Whole {}

/// An image that is decoded as it is opened, from a file that may have metadata.
pub(super) struct Decoded<'a> {
    pub whole: Whole,
    /// The file, and how its metadata are found when they are asked for.
    pub bytes: &'a [u8],
    pub metadata: fn(&[u8]) -> Result<Metadata<'_>>,
}

impl Image for Decoded<'_> {
    fn header(&self) -> &Header {
        self.whole.header()
    }

    fn memory(&self) -> u64 {
        self.whole.memory()
    }

    fn rows<'s>(&'s mut self, window: &Window) -> Result<Box<dyn Rows + 's>> {
        self.whole.rows(window)
    }
}

impl Decoder for Decoded<'_> {
    fn metadata(&self) -> Result<Metadata<'_>> {
        (self.metadata)(self.bytes)
    }
}
