//! EXIF and XMP of a file, and the orientation in them, as Pillow's `getexif` finds it: tag 274 of the first
//! directory of EXIF, or else the attribute of XMP.

use std::borrow::Cow;

use super::exif;
use crate::error::{Error, Result};
use crate::orientation::Orientation;

/// EXIF and XMP of a file.
///
/// ```
/// use clipprep::decode::{Input, Rules, open};
///
/// let (_, image) = open(&Input::new(b"P5 1 1 255 \x80"), &Rules::default())?;
/// assert!(image.metadata()?.exif.is_none());
/// # Ok::<(), clipprep::Error>(())
/// ```
#[derive(Default)]
pub struct Metadata<'a> {
    /// The EXIF block, with or without its prefix.
    pub exif: Option<Cow<'a, [u8]>>,
    /// The XMP packet.
    pub xmp: Option<Cow<'a, [u8]>>,
}

impl Metadata<'_> {
    /// The orientation that the file asks for: EXIF's, or else the one of XMP.
    ///
    /// ```
    /// use clipprep::decode::Metadata;
    ///
    /// let xmp = b"<x tiff:Orientation=\"6\"/>";
    /// let metadata = Metadata { exif: None, xmp: Some(xmp.into()) };
    /// assert!(metadata.orientation()?.swap);
    /// # Ok::<(), clipprep::Error>(())
    /// ```
    pub fn orientation(&self) -> Result<Orientation> {
        let tag = self.exif.as_deref().map_or(Ok(None), exif::orientation)?;
        let xmp = || self.xmp.as_deref().and_then(from_xmp);
        Ok(Orientation::from_exif(tag.or_else(xmp).unwrap_or(1)))
    }
}

/// Pieces of metadata as one block; none where there is no piece.
pub(super) fn joined<'a>(pieces: impl Iterator<Item = &'a [u8]> + Clone) -> Result<Option<Cow<'a, [u8]>>> {
    let mut rest = pieces.clone();
    let Some(first) = rest.next() else { return Ok(None) };
    if rest.next().is_none() {
        return Ok(Some(first.into()));
    }
    let len = pieces.clone().map(<[u8]>::len).sum();
    let mut block = Vec::new();
    block.try_reserve_exact(len).map_err(|_| Error::out_of_memory("pieces of EXIF", len as u64))?;
    pieces.for_each(|piece| block.extend_from_slice(piece));
    Ok(Some(block.into()))
}

/// The digit after the first `tiff:Orientation` that has one.
fn from_xmp(xmp: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"tiff:Orientation";
    memchr::memmem::find_iter(xmp, NAME).find_map(|at| {
        let rest = &xmp[at + NAME.len()..];
        let digit = rest.strip_prefix(b"=\"").or_else(|| rest.strip_prefix(b">"))?.first()?;
        digit.is_ascii_digit().then(|| u64::from(digit - b'0'))
    })
}
