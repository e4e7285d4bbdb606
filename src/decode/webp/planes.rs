//! The samples of a lossy image, of which pixels are made a row at a time, in the processor's cache.

use libwebp_sys as sys;

use crate::decode::rows::allocate;
use crate::decode::ycc::{Chroma, Kernel, SLACK, Sampling, Sums, YccRow, kernel};
use crate::error::Result;
use crate::pixels::{BLOCK_ROWS, RowBlock, Rows, Window};
use crate::simd::Level;

const RGB: usize = 3;

/// Luma, and chroma of two columns and two rows.
pub(super) struct Planes {
    /// Columns and rows of luma.
    size: (usize, usize),
    luma: Vec<u8>,
    /// Blue's and red's. A row has one more sample at either end, which repeats the first and the last one.
    chroma: [Vec<u8>; 2],
}

impl Planes {
    pub fn new((width, height): (usize, usize)) -> Result<Self> {
        let chroma = || allocate("WebP", (width.div_ceil(2) + 2) * height.div_ceil(2) + SLACK);
        Ok(Self {
            size: (width, height),
            luma: allocate("WebP", width * height + SLACK)?,
            chroma: [chroma()?, chroma()?],
        })
    }

    /// The number of samples of a row of chroma, with those at its ends.
    fn chroma_stride(&self) -> usize {
        self.size.0.div_ceil(2) + 2
    }

    /// Where libwebp writes the samples; it lives as long as these planes, which stay where they are.
    pub fn buffer(&mut self) -> sys::WebPYUVABuffer {
        let stride = self.chroma_stride() as i32;
        let [blue, red] = &mut self.chroma;
        let (blue, red) = (&mut blue[1..], &mut red[1..]);
        sys::WebPYUVABuffer {
            y: self.luma.as_mut_ptr(),
            y_stride: self.size.0 as i32,
            y_size: self.luma.len(),
            u: blue.as_mut_ptr(),
            u_stride: stride,
            u_size: blue.len(),
            v: red.as_mut_ptr(),
            v_stride: stride,
            v_size: red.len(),
            a: std::ptr::null_mut(),
            a_stride: 0,
            a_size: 0,
        }
    }

    /// Repeats the samples at the ends of the rows, once all are there.
    pub fn finish(&mut self) {
        let stride = self.chroma_stride();
        for row in self.chroma.iter_mut().flat_map(|plane| plane.chunks_exact_mut(stride)) {
            row[0] = row[1];
            row[stride - 1] = row[stride - 2];
        }
    }

    /// The pixels of a window.
    pub fn rows(&self, window: &Window, level: Level) -> Result<PixelRows<'_>> {
        // Columns that share chroma are made together.
        let first = window.columns.start / 2 * 2;
        let width = window.columns.end - first;
        Ok(PixelRows {
            planes: self,
            kernel: kernel(level),
            first,
            width,
            from: RGB * (window.columns.start - first),
            row: window.rows.start,
            sums: std::array::from_fn(|_| vec![0; width / 2 + SLACK]),
            pixels: allocate("WebP", RGB * width * BLOCK_ROWS + SLACK)?,
        })
    }

    /// The samples of a row from an even column on.
    fn samples(&self, row: usize, column: usize, width: usize) -> YccRow<'_> {
        let last = self.size.1.div_ceil(2) - 1;
        let near = row / 2;
        let far = if row % 2 == 1 { (near + 1).min(last) } else { near.saturating_sub(1) };
        let chroma = |plane: usize| {
            let from = |row: usize| &self.chroma[plane][row * self.chroma_stride() + column / 2..];
            Chroma { near: from(near), far: from(far) }
        };
        YccRow {
            sampling: Sampling::QuarterOfLibwebp,
            far_is_below: row % 2 == 1,
            luma: &self.luma[row * self.size.0 + column..],
            blue: chroma(0),
            red: chroma(1),
            width,
        }
    }
}

/// Rows of pixels.
pub(super) struct PixelRows<'a> {
    planes: &'a Planes,
    kernel: Box<dyn Kernel>,
    /// The even column that rows are made from, and how many columns.
    first: usize,
    width: usize,
    /// Bytes of a row before the window.
    from: usize,
    row: usize,
    sums: Sums,
    pixels: Vec<u8>,
}

impl Rows for PixelRows<'_> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        let bytes = RGB * self.width;
        for i in 0..count {
            let row = self.planes.samples(self.row + i, self.first, self.width);
            // What is written after a row's last pixel makes way for the next row.
            self.kernel.rgb_row(&row, &mut self.sums, &mut self.pixels[i * bytes..]);
        }
        self.row += count;
        Ok(std::array::from_fn(|i| match i < count {
            true => &self.pixels[i * bytes + self.from..(i + 1) * bytes],
            false => &[],
        }))
    }
}
