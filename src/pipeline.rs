//! One image through the whole pipeline: rows in, numbers out.

use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::colour::{Alpha, check_convertible, premultiply, to_rgb, to_rgb_over_white, unpremultiply};
use crate::decode::{self, Decoder, Format, Input, Rules};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::normalise::{Element, Normalise};
use crate::orientation::{Orientation, apply_orientation};
use crate::pixels::{Header, Image, Layout, Palette, RowBlock, RowBuffer, Rows, Window};
use crate::plan::{Frame, Method, Plan, resized_size};
use crate::plan_cache;
use crate::resample::{Filter, Scratch};
use crate::simd::Level;
use crate::spec::{ArrayAlpha, Precision, Spec, Truncated};

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
    pub format: Option<&'static Format>,
    /// How the stored image was turned.
    pub orientation: Orientation,
    /// What was known before the pixels were read, of the turned image.
    pub header: Header,
    /// What was decided from it.
    pub plan: Arc<Plan>,
    /// What else is worth knowing of how the pixels were decoded.
    pub note: Option<String>,
}

/// A file whose header is read.
pub struct Opened<'a> {
    /// The file's format.
    pub format: &'static Format,
    /// How it is turned; as it is stored unless the specification asks for EXIF.
    pub orientation: Orientation,
    /// Its pixels, turned.
    pub image: Box<dyn Image + 'a>,
}

/// Bytes at the beginning of a long file that are read first.
const HEAD: usize = 1 << 20;

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

    /// Number of values of one output: 3 x height x width.
    pub fn output_len(&self) -> usize {
        3 * self.spec.size.0 * self.spec.size.1
    }

    /// Decodes a file's bytes and writes its tensor to `out`, whose type of number decides the tensor's;
    /// what `out` holds after an error is unspecified.
    pub fn encoded<T: Element>(&self, bytes: &[u8], out: &mut [T]) -> Result<Report> {
        self.opened(&Input::new(bytes), out)
    }

    /// The same for a long file that is read from its beginning on; `None` where it has to be read whole first.
    pub fn streamed<T: Element>(&self, mut file: &File, out: &mut [T]) -> Result<Option<Report>> {
        let mut head = vec![0; HEAD];
        if file.read_exact(&mut head).is_err() {
            return Ok(None);
        }
        match self.opened(&Input::streamed(&head, file), out) {
            Err(error @ (Error::Limit { .. } | Error::OutOfMemory { .. } | Error::Interrupted)) => Err(error),
            report => Ok(report.ok()),
        }
    }

    fn opened<T: Element>(&self, input: &Input<'_>, out: &mut [T]) -> Result<Report> {
        let run = AssertUnwindSafe(|| {
            let Opened { format, orientation, mut image } = self.open(input)?;
            let report = self.image(image.as_mut(), out)?;
            Ok(Report { format: Some(format), orientation, note: image.note(), ..report })
        });
        // A decoder that panics on hostile bytes costs one image, not the process.
        catch_unwind(run)
            .unwrap_or_else(|_| Err(Error::decode("image", "bytes that its decoder does not survive")))
    }

    /// Reads a file's header, and makes ready to decode its pixels.
    ///
    /// ```
    /// use clipprep::decode::Input;
    /// use clipprep::{Preprocess, Spec};
    ///
    /// let preprocess = Preprocess::new(Spec::openai(224));
    /// let opened = preprocess.open(&Input::new(b"P5 2 1 255 \x00\x80"))?;
    /// assert_eq!(opened.format.name(), "PPM");
    /// assert_eq!(opened.image.header().width, 2);
    /// # Ok::<(), clipprep::Error>(())
    /// ```
    pub fn open<'a>(&self, input: &Input<'a>) -> Result<Opened<'a>> {
        let spec = &self.spec;
        let rules = Rules {
            limits: spec.limits,
            pad: spec.truncated == Truncated::Pad,
            over_white: spec.over_white(),
            formats: spec.formats.as_deref(),
        };
        let (format, mut decoder) = decode::open(input, &rules)?;
        let orientation = if spec.exif { decoder.metadata()?.orientation()? } else { Orientation::default() };
        if spec.precision == Precision::Fast && spec.filter != Filter::Nearest {
            self.set_fast(decoder.as_mut(), orientation)?;
        }
        Ok(Opened { format, orientation, image: apply_orientation(decoder, orientation) })
    }

    /// Tells the decoder the size that its image is resized to.
    fn set_fast(&self, decoder: &mut dyn Decoder, orientation: Orientation) -> Result<()> {
        let turn = |(a, b)| if orientation.swap { (b, a) } else { (a, b) };
        let Header { width, height, .. } = *decoder.header();
        let resized = turn(resized_size(&self.spec, turn((width, height)))?);
        decoder.set_fast(resized, (orientation.mirror_columns, orientation.mirror_rows));
        Ok(())
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

    /// Writes the tensor of RGB pixels that are resized and cropped already.
    ///
    /// # Panics
    /// When there are not as many as the output has.
    pub fn finish<T: Element>(&self, pixels: &[u8], out: &mut [T]) {
        assert_eq!((pixels.len(), out.len()), (self.output_len(), self.output_len()), "one output's pixels");
        SCRATCH.with_borrow_mut(|(_, rgb)| {
            for (y, row) in pixels.chunks_exact(3 * self.spec.size.1).enumerate() {
                self.normalise.write(Layout::Rgb, None, row, y, out, rgb);
            }
        });
    }

    fn resize(
        &self,
        image: &mut dyn Image,
        scratch: &mut Scratch,
        mut finish: impl FnMut(Layout, Option<&Palette>, usize, &[u8]),
    ) -> Result<Report> {
        let header = image.header().clone();
        if !self.spec.convert_rgb && !matches!(header.layout, Layout::Rgb | Layout::Rgbx) {
            return Err(Error::unsupported(format!(
                "expected mode \"RGB\", since convert_rgb is False, found {:?}",
                header.layout.mode()
            )));
        }
        let plan = plan_cache::plan(&self.spec, &header, image.reduction(), self.level)?;
        self.spec.limits.check_memory(image.memory() + plan.memory())?;
        let convert = plan.layout != header.layout;
        if convert {
            check_convertible(header.layout)?;
        }
        let over_white = self.over_white(image);
        let source: Box<dyn Rows + '_> = Box::new(Polled(image.rows(&plan.window)?));
        let source = if convert { in_rgb(source, &header, &plan.window, over_white)? } else { source };
        let palette = plan.palette(&header);
        let layout = plan.layout;
        match &plan.frame {
            None => run(&plan, source, scratch, &mut |y, row| finish(layout, palette, y, row))?,
            Some(frame) => framed(
                frame,
                |y, row| finish(layout, palette, y, row),
                |finish| run(&plan, source, scratch, finish),
            )?,
        }
        Ok(Report { format: None, orientation: Orientation::default(), header, plan, note: None })
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

/// Puts `frame` around the rows that `run` hands out.
fn framed(
    frame: &Frame,
    mut finish: impl FnMut(usize, &[u8]),
    run: impl FnOnce(&mut dyn FnMut(usize, &[u8])) -> Result<()>,
) -> Result<()> {
    for y in 0..frame.top {
        finish(y, &frame.empty);
    }
    let mut line = frame.empty.clone();
    let mut next = frame.top;
    run(&mut |y, row| {
        line[frame.left..frame.left + row.len()].copy_from_slice(row);
        next = frame.top + y + 1;
        finish(frame.top + y, &line);
    })?;
    for y in next..next + frame.bottom {
        finish(y, &frame.empty);
    }
    Ok(())
}

/// Resizes as planned and hands out each finished row.
fn run(
    plan: &Plan,
    mut source: Box<dyn Rows + '_>,
    scratch: &mut Scratch,
    finish: &mut dyn FnMut(usize, &[u8]),
) -> Result<()> {
    let layout = plan.layout;
    match &plan.method {
        Method::Pick { columns, rows } => pick(columns, rows, layout.bytes(), source.as_mut(), finish),
        Method::TwoPass(passes) if layout.has_alpha() => {
            let row_bytes = plan.window.columns.len() * layout.bytes();
            let mut source = Mapped::new(source, row_bytes, |row, out| premultiply(layout, row, out))?;
            passes.run(&mut source, scratch, |y, row| {
                unpremultiply(layout, row);
                finish(y, row);
            })
        }
        Method::TwoPass(passes) => passes.run(source.as_mut(), scratch, |y, row| finish(y, row)),
        Method::Wide(passes) => passes.run(source.as_mut(), finish),
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
fn in_rgb<'a>(
    rows: Box<dyn Rows + 'a>,
    header: &'a Header,
    window: &Window,
    over_white: Option<Alpha>,
) -> Result<Box<dyn Rows + 'a>> {
    let (layout, palette) = (header.layout, header.palette.as_deref());
    let map = move |row: &[u8], out: &mut [u8]| match over_white {
        Some(alpha) => to_rgb_over_white(alpha, layout, palette, row, out),
        None => to_rgb(layout, palette, row, out),
    };
    Ok(Box::new(Mapped::new(rows, window.columns.len() * 3, map)?))
}

/// Rows changed by `map` as they pass.
struct Mapped<'a, F> {
    rows: Box<dyn Rows + 'a>,
    map: F,
    buffer: RowBuffer,
}

impl<'a, F: Fn(&[u8], &mut [u8])> Mapped<'a, F> {
    fn new(rows: Box<dyn Rows + 'a>, row_bytes: usize, map: F) -> Result<Self> {
        Ok(Self { rows, map, buffer: RowBuffer::new(row_bytes)? })
    }
}

impl<F: Fn(&[u8], &mut [u8])> Rows for Mapped<'_, F> {
    fn next(&mut self, count: usize) -> Result<RowBlock<'_>> {
        let block = self.rows.next(count)?;
        for (row, out) in block[..count].iter().zip(self.buffer.rows_mut(count)) {
            (self.map)(row, out);
        }
        Ok(self.buffer.block(count))
    }
}
