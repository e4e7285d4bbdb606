//! One source through the whole pipeline, or a batch of them: from a path, bytes or pixels to a tensor.

mod image;
mod rows;

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use crate::array::Array;
use crate::batch;
use crate::decode::{self, Decoder, Format, Input, Rules};
use crate::error::{Error, Result};
use crate::file::EncodedFile;
use crate::interrupt::Interrupt;
use crate::normalise::{Element, Normalise};
use crate::orientation::{Orientation, apply_orientation};
use crate::pixels::{Header, Image};
use crate::plan::{Plan, resized_size};
use crate::simd::Level;
use crate::source::Source;
use crate::spec::{Precision, Resampler, Spec, TensorLayout, Truncated};

/// A specification made ready to run; immutable, shared by all threads.
///
/// ```
/// use clipprep::{Preprocess, Spec};
///
/// let preprocess = Preprocess::new(Spec::openai(224));
/// let mut tensor = vec![0.0_f32; preprocess.output_len()];
/// preprocess.process_bytes(b"P5 2 1 255 \x00\x80", &mut tensor)?;
/// # Ok::<(), clipprep::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Preprocess {
    spec: Spec,
    normalise: Normalise,
    level: Level,
    /// The threads that one image may have.
    threads: NonZeroUsize,
}

/// A report of one image: how it was read and resized.
///
/// ```
/// use clipprep::{Preprocess, Spec};
///
/// let preprocess = Preprocess::new(Spec::openai(1));
/// let report = preprocess.process_bytes(b"P5 4 2 255 \x00\x01\x02\x03\x04\x05\x06\x07", &mut [0_u8; 3])?;
/// assert_eq!((report.header.width, report.plan.resized), (4, (2, 1)));
/// # Ok::<(), clipprep::Error>(())
/// ```
#[derive(Debug)]
pub struct Report {
    /// The file's format; `None` for pixels that were in memory.
    pub format: Option<&'static Format>,
    /// How the stored image was turned.
    pub orientation: Orientation,
    /// The header of the turned image, known before its pixels are read.
    pub header: Header,
    /// The plan made from it.
    pub plan: Arc<Plan>,
    /// The decoder that made the pixels in place of the format's own, and why.
    pub stand_in: Option<(&'static str, &'static str)>,
}

/// A file whose header is read.
///
/// ```
/// use clipprep::{Preprocess, Spec, decode::Input};
///
/// let opened = Preprocess::new(Spec::openai(224)).open(&Input::new(b"P5 2 1 255 \x00\x80"))?;
/// assert_eq!((opened.format.name(), opened.image.header().width), ("PPM", 2));
/// # Ok::<(), clipprep::Error>(())
/// ```
pub struct Opened<'a> {
    /// The file's format.
    pub format: &'static Format,
    /// How it is turned; as it is stored unless the specification asks for EXIF.
    pub orientation: Orientation,
    /// Its pixels, turned.
    pub image: Box<dyn Image + 'a>,
}

/// Pixels of an image from which on a second thread is worth starting.
const LARGE: usize = 1 << 20;

/// Bytes at the beginning of a long file that are read first.
const HEAD: usize = 1 << 20;

/// A file that no decoder here reads.
///
/// ```
/// use clipprep::{Error, Preprocess, Report, Source, Spec};
///
/// let preprocess = Preprocess::new(Spec::openai(1));
/// preprocess.process_or(&Source::Bytes(b"no image"), &mut [0_u8; 3], |refused, _| {
///     println!("{} bytes: {}", refused.bytes.len(), refused.error);
///     Ok::<Option<Report>, Error>(None)
/// })?;
/// # Ok::<(), clipprep::Error>(())
/// ```
pub struct Refused<'a> {
    /// All of its bytes.
    pub bytes: Cow<'a, [u8]>,
    /// Why it was refused.
    pub error: Error,
}

impl Preprocess {
    /// Prepares `spec` for the best instruction set of this processor.
    ///
    /// ```
    /// assert_eq!(clipprep::Preprocess::new(clipprep::Spec::openai(336)).output_len(), 3 * 336 * 336);
    /// ```
    pub fn new(spec: Spec) -> Self {
        let level = Level::active();
        Self { normalise: Normalise::new(&spec, level), spec, level, threads: NonZeroUsize::MIN }
    }

    /// The same with another instruction set, to the same bits. What the processor lacks is left to the next lower level.
    ///
    /// ```
    /// use clipprep::{Level, Preprocess, Spec};
    ///
    /// let plain = Preprocess::new(Spec::openai(1)).with_level(Level::Scalar);
    /// let mut pixel = [0_u8; 3];
    /// plain.process_bytes(b"P6 1 1 255 \x01\x02\x03", &mut pixel)?;
    /// assert_eq!(pixel, [1, 2, 3]);
    /// # Ok::<(), clipprep::Error>(())
    /// ```
    pub fn with_level(self, level: Level) -> Self {
        Self { normalise: Normalise::new(&self.spec, level), level, ..self }
    }

    /// The same, but one large image is worked on in up to `threads` threads, to the same bits. A batch has its threads
    /// for its images: there each of them has one.
    ///
    /// ```
    /// use clipprep::{Preprocess, Spec};
    ///
    /// let two = std::num::NonZeroUsize::new(2).unwrap();
    /// let preprocess = Preprocess::new(Spec::openai(224)).with_threads(two);
    /// assert_eq!(preprocess.output_shape(), [3, 224, 224]);
    /// ```
    pub fn with_threads(self, threads: NonZeroUsize) -> Self {
        Self { threads, ..self }
    }

    /// The specification that this was made from.
    ///
    /// ```
    /// use clipprep::{Preprocess, Spec};
    ///
    /// let preprocess = Preprocess::new(Spec::openai(224));
    /// let another = Preprocess::new(Spec { exif: true, ..preprocess.spec().clone() });
    /// assert!(another.spec().exif);
    /// ```
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Number of values of one output: 3 x height x width.
    ///
    /// ```
    /// assert_eq!(clipprep::Preprocess::new(clipprep::Spec::openai(2)).output_len(), 12);
    /// ```
    pub fn output_len(&self) -> usize {
        3 * self.spec.size.0 * self.spec.size.1
    }

    /// The shape of one output, in the order of its axes.
    ///
    /// ```
    /// use clipprep::{Preprocess, Spec};
    ///
    /// assert_eq!(Preprocess::new(Spec::openai(224)).output_shape(), [3, 224, 224]);
    /// ```
    pub fn output_shape(&self) -> [usize; 3] {
        let (height, width) = self.spec.size;
        match self.spec.layout {
            TensorLayout::Nchw => [3, height, width],
            TensorLayout::Nhwc => [height, width, 3],
        }
    }

    /// Writes the tensor of one source to `out`, whose type of number decides the tensor's. What `out` holds
    /// after an error is unspecified.
    ///
    /// ```
    /// use clipprep::{Preprocess, Source, Spec};
    ///
    /// let preprocess = Preprocess::new(Spec::openai(2));
    /// let mut pixels = vec![0_u8; preprocess.output_len()];
    /// preprocess.process(&Source::Bytes(b"P5 2 2 255 \x01\x02\x03\x04"), &mut pixels)?;
    /// assert_eq!(pixels[..4], [1, 2, 3, 4]);
    /// # Ok::<(), clipprep::Error>(())
    /// ```
    ///
    /// # Panics
    /// As all that follow, when `out` does not have [`Self::output_len`] entries.
    pub fn process<T: Element>(&self, source: &Source<'_>, out: &mut [T]) -> Result<Report> {
        self.process_or(source, out, |refused, _| Err(refused.error))
    }

    /// The same, but a file that no decoder here reads is handed to `fallback`, with `out`.
    ///
    /// ```
    /// use clipprep::{Error, Preprocess, Report, Source, Spec};
    ///
    /// let preprocess = Preprocess::new(Spec::openai(2));
    /// let mut tensor = vec![1.0_f32; preprocess.output_len()];
    /// let report = preprocess.process_or(&Source::Bytes(b"no image"), &mut tensor, |refused, out| {
    ///     assert_eq!(*refused.bytes, *b"no image");
    ///     out.fill(0.0);
    ///     Ok::<Option<Report>, Error>(None)
    /// })?;
    /// assert!(report.is_none() && tensor[0] == 0.0);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn process_or<T: Element, R: From<Report>, E: From<Error>>(
        &self,
        source: &Source<'_>,
        out: &mut [T],
        fallback: impl FnOnce(Refused<'_>, &mut [T]) -> Result<R, E>,
    ) -> Result<R, E> {
        let bytes = match *source {
            Source::Pixels(ref pixels, layout) => {
                let mut array = Array::new(pixels.view(), layout, None)?;
                return Ok(self.process_image(&mut array, out)?.into());
            }
            Source::Bytes(bytes) => Cow::Borrowed(bytes),
            Source::Path(path) => {
                let file = EncodedFile::open(path, &self.spec.limits)?;
                // Two threads need all of its bytes: one reads further on than the other.
                if file.is_long()
                    && self.threads == NonZeroUsize::MIN
                    && let Some(report) = self.process_file(&file.file, out)?
                {
                    return Ok(report.into());
                }
                Cow::Owned(file.read(&self.spec.limits)?)
            }
        };
        match self.process_bytes(&bytes, out) {
            Ok(report) => Ok(report.into()),
            Err(error) if error.is_refusal() => fallback(Refused { bytes, error }, out),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the tensor of an encoded file to `out`.
    ///
    /// ```
    /// use clipprep::{Preprocess, Spec};
    ///
    /// let mut pixel = [0_u8; 3];
    /// Preprocess::new(Spec::openai(1)).process_bytes(b"P6 1 1 255 \x01\x02\x03", &mut pixel)?;
    /// assert_eq!(pixel, [1, 2, 3]);
    /// # Ok::<(), clipprep::Error>(())
    /// ```
    pub fn process_bytes<T: Element>(&self, bytes: &[u8], out: &mut [T]) -> Result<Report> {
        self.process_input(&Input::new(bytes), out)
    }

    /// Writes the tensor of a file on disk to `out`. On one thread, a long JPEG is read a piece at a time.
    ///
    /// ```no_run
    /// use clipprep::{Preprocess, Spec};
    ///
    /// let preprocess = Preprocess::new(Spec::openai(224));
    /// let mut tensor = vec![0.0_f32; preprocess.output_len()];
    /// let report = preprocess.process_path("cat.jpg".as_ref(), &mut tensor)?;
    /// println!("{} x {}", report.header.width, report.header.height);
    /// # Ok::<(), clipprep::Error>(())
    /// ```
    pub fn process_path<T: Element>(&self, path: &Path, out: &mut [T]) -> Result<Report> {
        self.process(&Source::Path(path), out)
    }

    /// Writes the tensors of many sources to `out`, one after the other, in `threads` threads at the most
    /// and until `interrupt` is raised. Returns the errors by index; those tensors are zero.
    ///
    /// ```
    /// use std::num::NonZeroUsize;
    ///
    /// use clipprep::{Preprocess, Source, Spec};
    ///
    /// let preprocess = Preprocess::new(Spec::openai(2));
    /// let sources = [Source::Bytes(b"P5 2 2 255 \x01\x02\x03\x04"), Source::Bytes(b"no image")];
    /// let mut pixels = vec![9_u8; 2 * preprocess.output_len()];
    /// let two = NonZeroUsize::new(2).unwrap();
    /// let errors = preprocess.process_batch(&sources, &mut pixels, two, &Default::default());
    /// assert_eq!(errors[0].0, 1);
    /// assert_eq!((pixels[3], pixels[12]), (4, 0));
    /// ```
    pub fn process_batch<T: Element>(
        &self,
        sources: &[Source<'_>],
        out: &mut [T],
        threads: NonZeroUsize,
        interrupt: &Arc<Interrupt>,
    ) -> Vec<(usize, Error)> {
        let each = self.clone().with_threads(NonZeroUsize::MIN);
        let work = |source: &Source<'_>, row: &mut [T]| each.process(source, row).map(drop);
        let sources = sources.iter().collect();
        batch::try_each(sources, out, self.output_len(), threads, interrupt, |source| source.cost(), work)
    }

    /// The same as [`Self::process_path`] for a long file that stands at its beginning; `None` where it has to
    /// be read whole first.
    fn process_file<T: Element>(&self, mut file: &File, out: &mut [T]) -> Result<Option<Report>> {
        let mut head = vec![0; HEAD];
        if file.read_exact(&mut head).is_err() {
            return Ok(None);
        }
        match self.process_input(&Input::streamed(&head, file), out) {
            Err(error) if !error.is_refusal() => Err(error),
            report => Ok(report.ok()),
        }
    }

    fn process_input<T: Element>(&self, input: &Input<'_>, out: &mut [T]) -> Result<Report> {
        contained(|| {
            let Opened { format, orientation, mut image } = self.open(input)?;
            let report = self.process_image(image.as_mut(), out)?;
            Ok(Report { format: Some(format), orientation, stand_in: image.stand_in(), ..report })
        })
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
            level: self.level,
        };
        let (format, mut decoder) = decode::open(input, &rules)?;
        let orientation = if spec.exif { decoder.metadata()?.orientation()? } else { Orientation::default() };
        let reducible = !spec.filter.is_nearest()
            && spec.resize_mode.takes_reduced()
            && spec.profile.resampler != Resampler::Scipy;
        if spec.precision == Precision::Fast && reducible {
            self.set_fast(decoder.as_mut(), orientation)?;
        }
        if self.threads > NonZeroUsize::MIN && decoder.header().width * decoder.header().height >= LARGE {
            decoder.set_threads(batch::for_one_image(self.threads));
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
}

/// Runs `work`; a decoder that panics on hostile bytes costs one image, not the process.
fn contained<R>(work: impl FnOnce() -> Result<R>) -> Result<R> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::decode("image", "bytes that its decoder does not survive")))
}
