//! One image through the whole pipeline: rows in, numbers out.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::colour::{check_convertible, premultiply, to_rgb, unpremultiply};
use crate::decode::{self, Format, Opened};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::normalise::{Element, Normalise};
use crate::orientation::Orientation;
use crate::pixels::{BLOCK, Header, Image, Layout, Palette, RowBlock, Rows, Window};
use crate::plan::{Method, Plan};
use crate::plan_cache;
use crate::resample::{Level, Scratch, torch_resize};
use crate::spec::Spec;

/// A specification made ready to run; immutable, shared by all threads.
#[derive(Clone, Debug)]
pub struct Preprocess {
    spec: Spec,
    normalise: Normalise,
    level: Level,
}

/// What was done with one image.
#[derive(Debug)]
pub struct Report {
    /// The file's format; `None` for pixels that were in memory.
    pub format: Option<Format>,
    /// How the stored image was turned.
    pub orientation: Orientation,
    /// What was known before the pixels were read, of the turned image.
    pub header: Header,
    /// What was decided from it.
    pub plan: Arc<Plan>,
}

thread_local! {
    static SCRATCH: RefCell<(Scratch, Vec<u8>)> = RefCell::default();
}

impl Preprocess {
    /// Prepares `spec` for the best instruction set of this processor.
    pub fn new(spec: Spec) -> Self {
        let level = Level::active();
        Self { normalise: Normalise::new(&spec, level), spec, level }
    }

    /// What was asked for.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Number of values of one output: 3 x n x n.
    pub fn output_len(&self) -> usize {
        3 * self.spec.size * self.spec.size
    }

    /// Decodes a file's bytes and writes its tensor to `out`, whose type of number decides the tensor's;
    /// what `out` holds after an error is unspecified.
    pub fn encoded<T: Element>(&self, bytes: &[u8], out: &mut [T]) -> Result<Report> {
        let run = AssertUnwindSafe(|| {
            let Opened { format, orientation, mut image } = decode::open(bytes, &self.spec)?;
            let report = self.image(image.as_mut(), out)?;
            Ok(Report { format: Some(format), orientation, ..report })
        });
        // A decoder that panics on hostile bytes costs one image, not the process.
        catch_unwind(run)
            .unwrap_or_else(|_| Err(Error::decode("image", "bytes that its decoder does not survive")))
    }

    /// Writes an image's tensor to `out`.
    ///
    /// # Panics
    /// When `out` does not have [`Self::output_len`] entries.
    pub fn image<T: Element>(&self, image: &mut dyn Image, out: &mut [T]) -> Result<Report> {
        assert_eq!(out.len(), self.output_len(), "the output has room for one tensor");
        check_convertible(image.header().layout)?;
        SCRATCH.with_borrow_mut(|(scratch, bytes)| {
            self.resize(image, scratch, |layout, palette, y, row| {
                self.normalise.write(layout, palette, row, y, out, bytes);
            })
        })
    }

    /// The pixels of an image resized and cropped, but not converted: in its own layout, or in RGB where
    /// the profile converts first.
    pub fn cropped(&self, image: &mut dyn Image) -> Result<(Report, Vec<u8>)> {
        let mut pixels = Vec::new();
        let report = SCRATCH.with_borrow_mut(|(scratch, _)| {
            self.resize(image, scratch, |_, _, _, row| pixels.extend_from_slice(row))
        })?;
        Ok((report, pixels))
    }

    fn resize(
        &self,
        image: &mut dyn Image,
        scratch: &mut Scratch,
        mut finish: impl FnMut(Layout, Option<&Palette>, usize, &[u8]),
    ) -> Result<Report> {
        let header = image.header().clone();
        let plan = plan_cache::plan(&self.spec, &header, self.level)?;
        self.spec.limits.check_memory(image.memory() + plan.memory())?;
        let convert = plan.layout != header.layout;
        if convert {
            check_convertible(header.layout)?;
        }
        let source: Box<dyn Rows + '_> = Box::new(Polled(image.rows(&plan.window)?));
        let source = if convert { in_rgb(source, &header, &plan.window) } else { source };
        let palette = plan.palette(&header);
        run(&plan, source, &header, scratch, &mut |layout, y, row| finish(layout, palette, y, row))?;
        Ok(Report { format: None, orientation: Orientation::default(), header, plan })
    }
}

/// Resizes as planned and hands out each finished row.
fn run(
    plan: &Plan,
    mut source: Box<dyn Rows + '_>,
    header: &Header,
    scratch: &mut Scratch,
    finish: &mut dyn FnMut(Layout, usize, &[u8]),
) -> Result<()> {
    let layout = plan.layout;
    match &plan.method {
        Method::Pick { columns, rows } => pick(columns, rows, layout.bytes(), source.as_mut(), |y, row| {
            finish(layout, y, row);
        }),
        Method::TwoPass(passes) if layout.has_alpha() => {
            let row_bytes = plan.window.columns.len() * layout.bytes();
            let mut source = Mapped::new(source, row_bytes, |row, out| premultiply(layout, row, out));
            passes.run(&mut source, scratch, |y, row| {
                unpremultiply(layout, row);
                finish(layout, y, row);
            })
        }
        Method::TwoPass(passes) => passes.run(source.as_mut(), scratch, |y, row| finish(layout, y, row)),
        Method::Wide(passes) => passes.run(source.as_mut(), |y, row| finish(layout, y, row)),
        Method::Torch => {
            let size = (header.width, header.height);
            let mut pixels = Vec::with_capacity(size.0 * size.1 * 3);
            for y in (0..size.1).step_by(BLOCK) {
                let block = source.next(BLOCK.min(size.1 - y))?;
                block.iter().for_each(|row| pixels.extend_from_slice(row));
            }
            let resized = torch_resize(pixels, size, plan.resized)?;
            let n = plan.size;
            for (y, row) in resized.chunks_exact(plan.resized.0 * 3).skip(plan.crop.1).take(n).enumerate() {
                finish(layout, y, &row[plan.crop.0 * 3..][..n * 3]);
            }
            Ok(())
        }
    }
}

/// Copies the picked columns of the picked rows.
fn pick(
    columns: &[usize],
    rows: &[usize],
    bytes: usize,
    source: &mut dyn Rows,
    mut finish: impl FnMut(usize, &[u8]),
) -> Result<()> {
    let contiguous = columns.windows(2).all(|two| two[1] == two[0] + 1);
    let mut line = vec![0; columns.len() * bytes];
    let mut next = 0;
    for (y, &row) in rows.iter().enumerate() {
        while next <= row {
            let block = source.next(1)?;
            if next == row {
                if contiguous {
                    line.copy_from_slice(&block[0][..columns.len() * bytes]);
                } else {
                    for (pixel, &column) in line.chunks_exact_mut(bytes).zip(columns) {
                        pixel.copy_from_slice(&block[0][column * bytes..][..bytes]);
                    }
                }
            }
            next += 1;
        }
        finish(y, &line);
    }
    Ok(())
}

/// Rows between which the work can be interrupted.
struct Polled<'a>(Box<dyn Rows + 'a>);

impl Rows for Polled<'_> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        interrupt::check()?;
        self.0.next(count)
    }
}

/// Rows converted to RGB as they pass.
fn in_rgb<'a>(rows: Box<dyn Rows + 'a>, header: &'a Header, window: &Window) -> Box<dyn Rows + 'a> {
    let (layout, palette) = (header.layout, header.palette.as_deref());
    Box::new(Mapped::new(rows, window.columns.len() * 3, move |row, out| to_rgb(layout, palette, row, out)))
}

/// Rows changed by `map` as they pass.
struct Mapped<'a, F> {
    rows: Box<dyn Rows + 'a>,
    map: F,
    buffer: Vec<u8>,
    row_bytes: usize,
}

impl<'a, F: Fn(&[u8], &mut [u8])> Mapped<'a, F> {
    fn new(rows: Box<dyn Rows + 'a>, row_bytes: usize, map: F) -> Self {
        Self { rows, map, buffer: vec![0; BLOCK * row_bytes], row_bytes }
    }
}

impl<F: Fn(&[u8], &mut [u8])> Rows for Mapped<'_, F> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        let block = self.rows.next(count)?;
        for (row, out) in block[..count].iter().zip(self.buffer.chunks_exact_mut(self.row_bytes)) {
            (self.map)(row, out);
        }
        let mut rows = self.buffer.chunks_exact(self.row_bytes);
        Ok(std::array::from_fn(|i| if i < count { rows.next().unwrap_or_default() } else { &[] }))
    }
}
