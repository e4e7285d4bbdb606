//! The orientation of a stored image, and turning it upright as it is read.

use std::ops::Range;

use ndarray::{ArrayView1, ArrayViewMut2, Axis, s};

use crate::error::{Error, Result};
use crate::pixels::{BLOCK_ROWS, Header, Image, Rows, Whole, Window};

/// How an upright image is taken from the stored one: EXIF's orientations, as Pillow's
/// `exif_transpose` applies them. The default leaves the image as it is.
///
/// ```
/// use clipprep::Orientation;
///
/// let mirrored = Orientation { mirror_columns: true, ..Orientation::default() };
/// assert_eq!(Orientation::from_exif(2), mirrored);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orientation {
    /// The stored image's rows are the upright one's columns.
    pub swap: bool,
    /// The stored columns are taken from the right.
    pub mirror_columns: bool,
    /// The stored rows are taken from below.
    pub mirror_rows: bool,
}

impl Orientation {
    /// The meaning of EXIF's tag 274; a value other than 1 to 8 changes nothing.
    ///
    /// ```
    /// use clipprep::Orientation;
    ///
    /// let rotated = Orientation::from_exif(6);
    /// assert!(rotated.swap && rotated.mirror_rows && !rotated.mirror_columns);
    /// assert_eq!(Orientation::from_exif(9), Orientation::default());
    /// ```
    pub fn from_exif(value: u64) -> Self {
        Self {
            swap: matches!(value, 5..=8),
            mirror_columns: matches!(value, 2 | 3 | 7 | 8),
            mirror_rows: matches!(value, 3 | 4 | 6 | 7),
        }
    }

    /// The window of the stored image that has the pixels of `window` of the upright one; `stored` is the stored
    /// size.
    fn window(self, window: &Window, stored: (usize, usize)) -> Window {
        let mirror = |range: Range<usize>, len: usize, mirror: bool| {
            if mirror { len - range.end..len - range.start } else { range }
        };
        let (columns, rows) = if self.swap {
            (window.rows.clone(), window.columns.clone())
        } else {
            (window.columns.clone(), window.rows.clone())
        };
        Window {
            columns: mirror(columns, stored.0, self.mirror_columns),
            rows: mirror(rows, stored.1, self.mirror_rows),
        }
    }
}

/// `image` turned upright.
///
/// ```
/// use clipprep::pixels::{Header, Image, Layout, Whole};
/// use clipprep::{Orientation, apply_orientation};
///
/// let header = Header { width: 3, height: 2, layout: Layout::L, palette: None };
/// let stored = Whole { header, data: vec![0; 6] };
/// let upright = apply_orientation(Box::new(stored), Orientation::from_exif(6));
/// assert_eq!((upright.header().width, upright.header().height), (2, 3));
/// ```
pub fn apply_orientation<'a>(image: Box<dyn Image + 'a>, orientation: Orientation) -> Box<dyn Image + 'a> {
    if orientation == Orientation::default() {
        return image;
    }
    let mut header = image.header().clone();
    if orientation.swap {
        (header.width, header.height) = (header.height, header.width);
    }
    Box::new(Turned { stored: image, orientation, header, upright: None })
}

/// An image turned upright. Its pixels are collected before the first row is handed out.
struct Turned<'a> {
    stored: Box<dyn Image + 'a>,
    orientation: Orientation,
    header: Header,
    upright: Option<Whole>,
}

impl Image for Turned<'_> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn memory(&self) -> u64 {
        self.stored.memory() + (self.header.width * self.header.height * self.header.layout.bytes()) as u64
    }

    fn reduction(&self) -> usize {
        self.stored.reduction()
    }

    fn stand_in(&self) -> Option<(&'static str, &'static str)> {
        self.stored.stand_in()
    }

    fn rows<'s>(&'s mut self, window: &Window) -> Result<Box<dyn Rows + 's>> {
        let reduction = self.stored.reduction();
        let stored = self.stored.header();
        let stored = (stored.width.div_ceil(reduction), stored.height.div_ceil(reduction));
        let from = self.orientation.window(window, stored);
        let (width, height) = (window.columns.len(), window.rows.len());
        let bytes = self.header.layout.bytes();
        let mut data = Vec::new();
        data.try_reserve_exact(width * height * bytes)
            .map_err(|_| Error::out_of_memory("turning an image", (width * height * bytes) as u64))?;
        data.resize(width * height * bytes, 0);
        let collect = match bytes {
            1 => collect::<1>,
            2 => collect::<2>,
            3 => collect::<3>,
            4 => collect::<4>,
            n => unreachable!("a pixel of {n} bytes"),
        };
        self.stored.with_rows(&from, &mut |rows| {
            collect(rows, from.rows.len(), self.orientation, width, &mut data)
        })?;
        let header = Header { width, height, ..self.header.clone() };
        self.upright.insert(Whole { header, data }).rows(&Window { columns: 0..width, rows: 0..height })
    }
}

/// Writes `count` stored rows of pixels of `N` bytes to where they are in the upright image, which is
/// `width` pixels wide.
fn collect<const N: usize>(
    rows: &mut dyn Rows,
    count: usize,
    orientation: Orientation,
    width: usize,
    upright: &mut [u8],
) -> Result<()> {
    let pixels = upright.as_chunks_mut::<N>().0;
    let shape = (pixels.len() / width, width);
    let mut stored = ArrayViewMut2::from_shape(shape, pixels).expect("whole rows");
    if orientation.swap {
        stored.swap_axes(0, 1);
    }
    if orientation.mirror_rows {
        stored.invert_axis(Axis(0));
    }
    if orientation.mirror_columns {
        stored.invert_axis(Axis(1));
    }
    for y in (0..count).step_by(BLOCK_ROWS) {
        let count = BLOCK_ROWS.min(count - y);
        let block = rows.next(count)?.map(|row| row.as_chunks::<N>().0);
        let mut stored = stored.slice_mut(s![y..y + count, ..]);
        if orientation.swap {
            // A block's rows lie beside each other now: all of them at once, column by column.
            for (x, mut column) in stored.columns_mut().into_iter().enumerate() {
                column.iter_mut().zip(block).for_each(|(pixel, row)| *pixel = row[x]);
            }
        } else {
            for (mut stored, row) in stored.rows_mut().into_iter().zip(block) {
                stored.assign(&ArrayView1::from(row));
            }
        }
    }
    Ok(())
}
