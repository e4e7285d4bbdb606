//! The pixels of one image: resized, cropped, converted, normalised.

use std::cell::Cell;

use super::rows::{Polled, collected, in_rgb, padded, run};
use super::{Preprocess, Report};
use crate::colour::{Alpha, check_convertible};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::normalise::Element;
use crate::orientation::Orientation;
use crate::pixels::{BLOCK_ROWS, Header, Image, Layout, Palette, Rows};
use crate::plan::cached_plan;
use crate::resample::Scratch;
use crate::spec::{ArrayAlpha, Fill};

/// Buffers that a thread keeps from image to image.
#[derive(Default)]
struct Buffers {
    scratch: Scratch,
    rgb: Vec<u8>,
}

thread_local! {
    static BUFFERS: Cell<Option<Buffers>> = const { Cell::new(None) };
}

/// Runs `work` with this thread's buffers. They are taken out meanwhile: work polls its interrupt, and what
/// is asked then may process an image in this thread itself.
fn with_buffers<R>(work: impl FnOnce(&mut Buffers) -> R) -> R {
    let mut buffers = BUFFERS.take().unwrap_or_default();
    let result = work(&mut buffers);
    BUFFERS.set(Some(buffers));
    result
}

/// A row that is resized and cropped.
enum Row<'a> {
    /// Pixels of a layout.
    Bytes(Layout, Option<&'a Palette>, &'a [u8]),
    /// Three float32 a pixel.
    Floats(&'a [u8]),
}

impl Preprocess {
    /// Writes the tensor of an image to `out`: of an [`Array`](crate::Array), or of a type of your own.
    ///
    /// ```
    /// use clipprep::pixels::{Header, Layout, Whole};
    /// use clipprep::{Preprocess, Spec};
    ///
    /// let preprocess = Preprocess::new(Spec::openai(2));
    /// let header = Header { width: 2, height: 2, layout: Layout::L, palette: None };
    /// let mut pixels = vec![0_u8; preprocess.output_len()];
    /// preprocess.process_image(&mut Whole { header, data: vec![1, 2, 3, 4] }, &mut pixels)?;
    /// assert_eq!(pixels[..4], [1, 2, 3, 4]);
    /// # Ok::<(), clipprep::Error>(())
    /// ```
    pub fn process_image<T: Element>(&self, image: &mut dyn Image, out: &mut [T]) -> Result<Report> {
        assert_eq!(out.len(), self.output_len(), "the output has room for one tensor");
        let Header { width, height, layout, .. } = *image.header();
        self.spec.limits.check_pixels(width, height)?;
        check_convertible(layout)?;
        with_buffers(|Buffers { scratch, rgb }| {
            let output = size_of_val(out) as u64;
            let report = self.resize(image, scratch, output, |row, y| match row {
                Row::Bytes(layout, palette, row) => self.normalise.write(layout, palette, row, y, out, rgb),
                Row::Floats(row) => self.normalise.write_floats(row, y, out),
            })?;
            if let (Fill::Zero, Some(padding)) = (self.spec.fill, &report.plan.padding) {
                self.normalise.clear(padding, self.spec.size, out);
            }
            Ok(report)
        })
    }

    /// The pixels of an image resized and cropped, but not converted: in its own layout, or in RGB where
    /// that is its mode or the profile converts first.
    ///
    /// ```
    /// use clipprep::pixels::{Header, Layout, Whole};
    /// use clipprep::{Preprocess, Spec};
    ///
    /// let header = Header { width: 2, height: 2, layout: Layout::L, palette: None };
    /// let mut image = Whole { header, data: vec![1, 2, 3, 4] };
    /// let (_, pixels) = Preprocess::new(Spec::openai(2)).cropped(&mut image)?;
    /// assert_eq!(pixels, [1, 2, 3, 4]);
    /// # Ok::<(), clipprep::Error>(())
    /// ```
    pub fn cropped(&self, image: &mut dyn Image) -> Result<(Report, Vec<u8>)> {
        // No layout has more bytes per pixel.
        let len = self.output_len() / 3 * 4;
        let mut pixels = Vec::new();
        pixels.try_reserve_exact(len).map_err(|_| Error::out_of_memory("the cropped pixels", len as u64))?;
        let report = with_buffers(|Buffers { scratch, .. }| {
            self.resize(image, scratch, len as u64, |row, y| {
                // The rows are read anew where reading them in another way has failed.
                if y == 0 {
                    pixels.clear();
                }
                match row {
                    Row::Bytes(Layout::Rgbx, _, row) => {
                        pixels.extend(row.as_chunks::<4>().0.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]));
                    }
                    Row::Bytes(_, _, row) => pixels.extend_from_slice(row),
                    Row::Floats(row) => pixels.extend(self.normalise.bytes(row)),
                }
            })
        })?;
        Ok((report, pixels))
    }

    /// Writes the tensor of RGB pixels that are resized and cropped already.
    ///
    /// ```
    /// use clipprep::{Preprocess, Spec};
    ///
    /// let preprocess = Preprocess::new(Spec::openai(1));
    /// let mut tensor = [0_u8; 3];
    /// preprocess.normalise_rgb(&[7, 8, 9], &mut tensor);
    /// assert_eq!(tensor, [7, 8, 9]);
    /// ```
    ///
    /// # Panics
    /// When there are not as many as the output has.
    pub fn normalise_rgb<T: Element>(&self, pixels: &[u8], out: &mut [T]) {
        assert_eq!((pixels.len(), out.len()), (self.output_len(), self.output_len()), "one output's pixels");
        with_buffers(|Buffers { rgb, .. }| {
            for (y, row) in pixels.chunks_exact(3 * self.spec.size.1).enumerate() {
                self.normalise.write(Layout::Rgb, None, row, y, out, rgb);
            }
        });
    }

    fn resize(
        &self,
        image: &mut dyn Image,
        scratch: &mut Scratch,
        output: u64,
        mut finish: impl FnMut(Row<'_>, usize),
    ) -> Result<Report> {
        let header = image.header().clone();
        if !self.spec.convert_rgb && !matches!(header.layout, Layout::Rgb | Layout::Rgbx) {
            return Err(Error::ruled_out(format!(
                "expected mode \"RGB\", since convert_rgb is False, found {:?}: convert_rgb=True converts it",
                header.layout.mode()
            )));
        }
        let plan = cached_plan(&self.spec, &header, image.reduction(), self.level)?;
        let first = plan.before.as_deref().unwrap_or(&plan);
        let convert = first.source != header.layout;
        // Rows are changed in buffers of their own: to RGB, and to premultiplied alpha.
        let changed = usize::from(convert) * 3 + usize::from(plan.source.has_alpha()) * plan.source.bytes();
        let changed = (BLOCK_ROWS * changed) as u64 * first.window.columns.len() as u64;
        let held = plan.memory() + changed;
        self.spec.limits.check_memory(image.memory().saturating_add(held).saturating_add(output))?;
        Limits::check_room("resizing", held)?;
        if convert {
            check_convertible(header.layout)?;
        }
        let over_white = self.over_white(image);
        let palette = plan.palette(&header);
        let layout = plan.layout;
        let is_float = plan.method.makes_floats();
        let mut finish = |y: usize, row: &[u8]| match is_float {
            true => finish(Row::Floats(row), y),
            false => finish(Row::Bytes(layout, palette, row), y),
        };
        image.with_rows(&first.window, &mut |rows| {
            let source: Box<dyn Rows + '_> = Box::new(Polled(rows));
            let source = if convert { in_rgb(source, &header, &first.window, over_white)? } else { source };
            let mut between;
            let mut rows;
            let source = match &plan.before {
                None => source,
                Some(first) => {
                    between = collected(first, self.level, source, scratch)?;
                    rows = between.rows(&plan.window)?;
                    Box::new(Polled(rows.as_mut()))
                }
            };
            match &plan.padding {
                None => run(&plan, self.level, source, scratch, &mut finish),
                Some(padding) => {
                    padded(padding, &mut finish, |finish| run(&plan, self.level, source, scratch, finish))
                }
            }
        })?;
        Ok(Report { format: None, orientation: Orientation::default(), header, plan, stand_in: None })
    }

    /// How transparency shows white, where the profile has it so.
    fn over_white(&self, image: &dyn Image) -> Option<Alpha> {
        self.spec.over_white().then(|| match (image.is_array(), self.spec.profile.array_alpha) {
            (false, _) => Alpha::Pillow,
            (true, ArrayAlpha::Torch) => Alpha::Torch,
            (true, ArrayAlpha::Numpy) => Alpha::Numpy,
        })
    }
}
