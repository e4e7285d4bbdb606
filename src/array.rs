//! Pixels that are in memory already: arrays of any strides.

use ndarray::{ArrayView3, Axis, Slice};

use crate::error::{Error, Result};
use crate::pixels::{Header, Image, Layout, Palette, RowBlock, Rows, Window};

/// A borrowed array of shape (H, W, C).
///
/// ```
/// use clipprep::pixels::Layout;
/// use clipprep::{Array, Preprocess, Spec};
/// use ndarray::Array3;
///
/// let pixels = Array3::<u8>::zeros((480, 640, 3));
/// let preprocess = Preprocess::new(Spec::openai(224));
/// let mut tensor = vec![0.0_f32; preprocess.output_len()];
/// let mut array = Array::new(pixels.view(), Layout::Rgb, None)?;
/// preprocess.process_image(&mut array, &mut tensor)?;
/// # Ok::<(), clipprep::Error>(())
/// ```
pub struct Array<'a> {
    header: Header,
    pixels: ArrayView3<'a, u8>,
    of_image: bool,
    held: u64,
}

impl<'a> Array<'a> {
    /// An array whose last axis has `layout.bytes()` entries.
    ///
    /// ```
    /// use clipprep::{Array, pixels::Layout};
    /// use ndarray::arr3;
    ///
    /// assert!(Array::new(arr3(&[[[1, 2, 3]]]).view(), Layout::Rgb, None).is_ok());
    /// assert!(Array::new(arr3(&[[[1, 2]]]).view(), Layout::Rgb, None).is_err());
    /// ```
    pub fn new(pixels: ArrayView3<'a, u8>, layout: Layout, palette: Option<Box<Palette>>) -> Result<Self> {
        let (height, width, channels) = pixels.dim();
        if height == 0 || width == 0 || channels != layout.bytes() {
            return Err(Error::unsupported(format!(
                "expected pixels of shape (H, W, {}) with H and W at least 1, found ({height}, {width}, {channels})",
                layout.bytes()
            )));
        }
        Ok(Self { header: Header { width, height, layout, palette }, pixels, of_image: false, held: 0 })
    }

    /// The same as the pixels of an image, not as an array: see [`Image::is_array`].
    ///
    /// ```
    /// use clipprep::pixels::{Image, Layout};
    /// use ndarray::arr3;
    ///
    /// let pixels = arr3(&[[[1, 2, 3]]]);
    /// let array = clipprep::Array::new(pixels.view(), Layout::Rgb, None)?;
    /// assert!(array.is_array() && !array.of_image().is_array());
    /// # Ok::<(), clipprep::Error>(())
    /// ```
    pub fn of_image(self) -> Self {
        Self { of_image: true, ..self }
    }

    /// The same with `bytes` that were taken to make it, and count for `max_memory` with what resizing takes.
    ///
    /// ```
    /// use clipprep::pixels::{Image, Layout};
    /// use ndarray::arr3;
    ///
    /// let pixels = arr3(&[[[1, 2, 3]]]);
    /// let array = clipprep::Array::new(pixels.view(), Layout::Rgb, None)?;
    /// assert_eq!(array.holding(3).memory(), 3);
    /// # Ok::<(), clipprep::Error>(())
    /// ```
    pub fn holding(self, bytes: u64) -> Self {
        Self { held: bytes, ..self }
    }
}

impl Image for Array<'_> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn is_array(&self) -> bool {
        !self.of_image
    }

    fn memory(&self) -> u64 {
        self.held
    }

    fn rows<'s>(&'s mut self, window: &Window) -> Result<Box<dyn Rows + 's>> {
        let mut pixels = self.pixels.view();
        pixels.slice_axis_inplace(Axis(0), Slice::from(window.rows.clone()));
        pixels.slice_axis_inplace(Axis(1), Slice::from(window.columns.clone()));
        let row_bytes = window.columns.len() * self.header.layout.bytes();
        let contiguous = pixels.index_axis(Axis(0), 0).is_standard_layout();
        Ok(Box::new(ArrayRows { pixels, contiguous, next: 0, buffer: Vec::new(), row_bytes }))
    }
}

struct ArrayRows<'s> {
    pixels: ArrayView3<'s, u8>,
    /// Whether the bytes of a row follow each other in memory.
    contiguous: bool,
    next: usize,
    /// Rows whose bytes are apart are gathered here.
    buffer: Vec<u8>,
    row_bytes: usize,
}

impl Rows for ArrayRows<'_> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        let rows = self.next..self.next + count;
        self.next += count;
        if self.contiguous {
            let mut block = RowBlock::default();
            for (slot, y) in block.iter_mut().zip(rows) {
                let row = self.pixels.index_axis(Axis(0), y);
                *slot = row.to_slice().expect("a row of standard layout");
            }
            return Ok(block);
        }
        self.buffer.clear();
        self.buffer.extend(self.pixels.slice_axis(Axis(0), Slice::from(rows)).iter());
        let mut rows = self.buffer.chunks_exact(self.row_bytes);
        Ok(std::array::from_fn(|_| rows.next().unwrap_or_default()))
    }
}
