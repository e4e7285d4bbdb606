//! The class `clipprep.Preprocess`.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use super::batch::{self, Each, Rows};
use super::errors::value_error;
use super::fork::Visit;
use super::options::{self, Limits, hash};
use super::output::{self, Dtype, Number, with_number};
use super::source::{Done, Source};
use super::stop::{Cancel, Stop};
use crate::{Element, Fill, Filter, Orientation, ResizeMode, TensorLayout};

/// Turns images into the tensors that CLIP models take, to the last bit what the chosen
/// profile's reference gives. Immutable; safe to use from many threads at once.
///
/// `model` is one of `available_models()`, the side n of the output in pixels, or its (height, width).
/// `from_hf`, `from_open_clip` and `from_timm` read it and all options from a model's config. Keyword options:
///
/// - `profile`: "openai" (clip._transform and open_clip's, on Pillow), "timm" (timm's, on Pillow), "hf-pil" or
///   "hf-torchvision" (the two backends of transformers' image processors).
/// - `pillow`: whose rule decides the order of the two passes, "13", "12" or "installed".
/// - `mean`, `std`: three numbers each; CLIP's own by default.
/// - `interpolation`: "nearest", "box", "bilinear", "hamming", "bicubic" or "lanczos", as Pillow's; in
///   "hf-torchvision" torch's own "nearest" (exact), "bilinear", "bicubic" or "lanczos".
/// - `dtype`: "float32"; "float16" or "bfloat16", the float32 values rounded to nearest, ties to even (bfloat16 as its
///   bits in uint16, since NumPy has none: `torch.from_numpy(x).view(torch.bfloat16)`); or "uint8", the pixels as
///   they are before the float part.
/// - `layout`: "NCHW", channels first, or "NHWC", channels last.
/// - `precision`: "exact" gives the reference's bits. "fast" decodes JPEG files by shorter arithmetic, and where they
///   are large, at a half, a quarter or an eighth of their size, which keeps at least twice the size that they are
///   resized to; values differ a little (docs/benchmarks.md has by how much). Other sources are exact either way.
/// - `resize_mode`: what the image becomes before the centre is cropped: "shortest" covers the size and keeps
///   its shape, "longest" fits into it and is padded, "squash" is stretched to it, "none" stays as it is.
/// - `resize_size`: the size in pixels, or (height, width), that `resize_mode` is about; by default the output's.
/// - `fill_color`: a level of 0 to 255 for every band, or three for an image of three bands, put where the
///   crop is larger than the image, before normalisation.
/// - `convert_rgb`: False refuses images of any other mode than RGB, with `UnsupportedError`.
/// - `rescale_factor`: what a byte is multiplied by, None for nothing; "openai" and "timm" divide by 255.
/// - `normalize`: False leaves out mean and standard deviation.
/// - `limits`: a `Limits`, which bounds what one image may cost.
/// - `truncated`: "error" raises `TruncatedError` for a file that ends before its image does, as Pillow
///   does; "pad" gives what Pillow gives with `ImageFile.LOAD_TRUNCATED_IMAGES`, which is neither set
///   nor read. A PIL image is loaded as Pillow loads it.
/// - `exif`: True turns each image as its EXIF orientation says before anything else is done, as
///   `PIL.ImageOps.exif_transpose` does (but for writing EXIF anew, which can fail); False, the default, leaves it as the reference does.
/// - `formats`: Pillow's names of the formats to read, such as `["JPEG", "PNG"]`; others raise
///   `UnsupportedError`. None, the default, reads all but those for which Pillow runs other programs
///   (EPS, WMF and the like), which have to be named.
///
/// Raises ValueError for an unknown name or value, TypeError for an unknown option.
#[pyclass(frozen, module = "clipprep")]
pub(super) struct Preprocess {
    pub core: crate::Preprocess,
    /// The model's name, where one was given.
    model: Option<String>,
    pub dtype: Dtype,
}

#[pymethods]
impl Preprocess {
    #[new]
    #[pyo3(
        signature = (
            model, *, profile = "openai", pillow = "13", mean = None, std = None, interpolation = "bicubic",
            dtype = "float32", layout = "NCHW", precision = "exact",
            resize_mode = "shortest", resize_size = None, fill_color = Fill::Level(0), convert_rgb = true,
            rescale_factor = Some(1.0 / 255.0), normalize = true, limits = None, truncated = "error", exif = false,
            formats = None
        ),
        text_signature = "(model, *, profile='openai', pillow='13', mean=None, std=None, \
            interpolation='bicubic', dtype='float32', layout='NCHW', precision='exact', resize_mode='shortest', resize_size=None, fill_color=0, convert_rgb=True, \
            rescale_factor=0.00392156862745098, normalize=True, limits=None, truncated='error', exif=False, \
            formats=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are the keywords of the class")]
    fn new(
        py: Python<'_>,
        model: &Bound<'_, PyAny>,
        profile: &str,
        pillow: &str,
        mean: Option<[f64; 3]>,
        std: Option<[f64; 3]>,
        interpolation: &str,
        dtype: &str,
        layout: &str,
        precision: &str,
        resize_mode: &str,
        resize_size: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = options::fill)] fill_color: Fill,
        convert_rgb: bool,
        rescale_factor: Option<f64>,
        normalize: bool,
        limits: Option<PyRef<'_, Limits>>,
        truncated: &str,
        exif: bool,
        formats: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let _visit = Visit::new(py);
        let size = options::model(model)?;
        let limits = limits.as_deref();
        let spec = options::spec(
            py,
            size,
            profile,
            pillow,
            mean,
            std,
            interpolation,
            layout,
            precision,
            resize_mode,
            resize_size,
            fill_color,
            convert_rgb,
            rescale_factor,
            normalize,
            limits,
            truncated,
            exif,
            formats,
        )?;
        let dtype = options::choice("dtype", dtype, &Dtype::ALL)?;
        Ok(Self { core: crate::Preprocess::new(spec), model: model.extract().ok(), dtype })
    }

    /// What a Hugging Face image processor does, bit for bit, by its config: a folder, the path of a
    /// `preprocessor_config.json`, or a dict. `backend` is "torchvision", which transformers 5 prefers, or
    /// "pil"; `options` are those of the class that say nothing about the numbers, such as `dtype` or `limits`, and
    /// `convert_rgb`, for images of other modes where the config has them not converted.
    ///
    /// The processors of CLIP, SigLIP, SigLIP 2 of fixed size, ViT, DeiT, BLIP, ConvNeXt, DINOv2,
    /// Chinese-CLIP, AltCLIP, CLIPSeg, X-CLIP (each frame is an image) and OWL-ViT are known.
    ///
    /// Raises ValueError for a field that is unknown or cannot be honoured, TypeError for an option that the
    /// config decides, OSError for files.
    #[classmethod]
    #[pyo3(signature = (config, *, backend = "torchvision", **options))]
    fn from_hf<'py>(
        cls: &Bound<'py, PyType>,
        config: &Bound<'py, PyAny>,
        backend: &str,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = cls.py();
        let _visit = Visit::new(py);
        let options = options.cloned().unwrap_or_else(|| PyDict::new(py));
        py.import("clipprep.configs.hf")?.getattr("preprocess")?.call1((config, backend, options))
    }

    /// What open_clip's transform for evaluation does, by its `preprocess_cfg`: a dict, a `PreprocessCfg`,
    /// an `open_clip_config.json`, or a folder with one. `options` as in `from_hf`.
    ///
    /// Raises ValueError for a field that is unknown or cannot be honoured, TypeError for an option that the
    /// config decides, OSError for files.
    #[classmethod]
    #[pyo3(signature = (config, **options))]
    fn from_open_clip<'py>(
        cls: &Bound<'py, PyType>,
        config: &Bound<'py, PyAny>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = cls.py();
        let _visit = Visit::new(py);
        let options = options.cloned().unwrap_or_else(|| PyDict::new(py));
        py.import("clipprep.configs.open_clip")?.getattr("preprocess")?.call1((config, options))
    }

    /// What timm's transform for evaluation does to an image in RGB, by a data config: the dict that
    /// `timm.data.resolve_data_config` returns, a `pretrained_cfg`, a `config.json`, or a folder with one.
    /// `options` as in `from_hf`.
    ///
    /// Raises ValueError for a field that is unknown or cannot be honoured, TypeError for an option that the
    /// config decides, OSError for files.
    #[classmethod]
    #[pyo3(signature = (config, **options))]
    fn from_timm<'py>(
        cls: &Bound<'py, PyType>,
        config: &Bound<'py, PyAny>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = cls.py();
        let _visit = Visit::new(py);
        let options = options.cloned().unwrap_or_else(|| PyDict::new(py));
        py.import("clipprep.configs.timm")?.getattr("preprocess")?.call1((config, options))
    }

    /// One source to one array of shape (3, n, n), or (n, n, 3) with `layout="NHWC"`, of the type `dtype`; channels
    /// R, G, B.
    ///
    /// A source is a path, encoded bytes (any contiguous buffer, or a 1-D uint8 array), a binary
    /// file, a PIL image, or a uint8 array (H, W), (H, W, 1), (H, W, 2), (H, W, 3) or (H, W, 4): L,
    /// L, LA, RGB, RGBA, any strides. The `hf-` profiles read (1, H, W), (3, H, W) and (4, H, W) as channels first, as
    /// transformers does, also where the last axis could hold the channels. `out` is a C-contiguous, writeable array of that shape and type to write to, or anything
    /// else that lends such memory of the host (a buffer, DLPack, `__array_interface__`: a tensor of torch, pinned or
    /// not), and is what is returned; what it holds after an error is unspecified.
    ///
    /// Raises ImageError (DecodeError, TruncatedError, UnsupportedError, LimitError) or OSError for
    /// the image, TypeError or ValueError for what is no source or does not fit as `out`.
    #[pyo3(signature = (source, *, out = None, num_threads = None))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        source: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
        num_threads: Option<isize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        // One image is one thread's work, so that any number is kept to.
        if num_threads.is_some() {
            batch::threads(num_threads)?;
        }
        let visit = Visit::new(py);
        let from = self.source(source)?;
        with_number!(self.dtype, N => {
            let array = output::array::<N>(py, out, &self.shape())?;
            let mut borrowed = output::borrow::<N>(&array)?;
            let row = N::of(borrowed.as_slice_mut().expect("checked to be contiguous"));
            self.run_one(&visit, source, from, row)?;
            Ok(out.cloned().unwrap_or(array.into_any()))
        })
    }

    /// Many sources to one array of shape (N, 3, n, n), or (N, n, n, 3), of the type `dtype`, in `num_threads` threads at the
    /// most (default: as many as this process may use).
    ///
    /// `sources` is an iterable of sources, or a uint8 array (N, H, W, C). Python's threads go on
    /// meanwhile.
    ///
    /// Raises BatchError for the first source by index that fails, with its own error as the cause;
    /// TypeError or ValueError before any work for a caller's mistake.
    #[pyo3(signature = (sources, *, out = None, num_threads = None))]
    fn batch<'py>(
        &self,
        py: Python<'py>,
        sources: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
        num_threads: Option<isize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.rows(sources, out, num_threads, false, &Stop::by_signals())?.all(py)
    }

    /// Like `batch`, but a source that fails costs its own row: a `BatchResult` with `.pixels`, `.ok`, a
    /// bool array (N,), and `.errors`, an ImageError or OSError for each row that is not ok. Those rows
    /// are zero, in `out` too.
    ///
    /// Raises TypeError or ValueError before any work for a caller's mistake.
    #[pyo3(signature = (sources, *, out = None, num_threads = None))]
    fn try_batch<'py>(
        &self,
        py: Python<'py>,
        sources: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
        num_threads: Option<isize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut rows = self.rows(sources, out, num_threads, false, &Stop::by_signals())?;
        py.import("clipprep.results")?.getattr("BatchResult")?.call1(rows.each(py)?)
    }

    /// Sources without end in memory that is bounded: an iterator of `StreamBatch`, each with `.start`,
    /// `.pixels`, `.ok` and `.errors` of the next `batch_size` sources, fewer in the last.
    ///
    /// `sources` is an iterable of sources; it is read by a thread of its own, at most two batches ahead
    /// of the one that is computed, and that is at most one ahead of the one that the consumer has. What the
    /// iterable raises is raised behind the rows before it, and so are TypeError and ValueError for an
    /// object that is no source. Closing the iterator, or dropping it, stops the work.
    #[pyo3(signature = (sources, *, batch_size = 256, num_threads = None))]
    fn stream<'py>(
        slf: &Bound<'py, Self>,
        sources: &Bound<'py, PyAny>,
        batch_size: isize,
        num_threads: Option<isize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _visit = Visit::new(slf.py());
        batch::threads(num_threads)?;
        if batch_size < 1 {
            return Err(value_error("batch_size= a number from 1", batch_size));
        }
        let arguments = (slf, batch::iterator(sources)?, batch_size, num_threads);
        slf.py().import("clipprep._stream")?.getattr("stream")?.call1(arguments)
    }

    /// `batch` for a running asyncio loop: `await pre.abatch(sources)`. The loop goes on meanwhile, and
    /// cancelling the task stops the work before it returns, so that `out` is not written to any more.
    #[pyo3(signature = (sources, *, out = None, num_threads = None))]
    fn abatch<'py>(
        slf: &Bound<'py, Self>,
        sources: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
        num_threads: Option<isize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _visit = Visit::new(slf.py());
        batch::threads(num_threads)?;
        let arguments = (slf, batch::list(sources)?, out, num_threads);
        slf.py().import("clipprep._async")?.getattr("abatch")?.call1(arguments)
    }

    /// What `batch` gives, until `cancel` stops it with CancelledError.
    #[pyo3(signature = (sources, *, out = None, num_threads = None, cancel))]
    fn _batch<'py>(
        &self,
        py: Python<'py>,
        sources: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
        num_threads: Option<isize>,
        cancel: &Cancel,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.rows(sources, out, num_threads, false, &Stop::by(cancel))?.all(py)
    }

    /// What `try_batch` gives, until `cancel` stops it with CancelledError. With `partial`, an object that
    /// is no source ends the batch, and the last value is what it raised.
    #[pyo3(signature = (sources, *, num_threads = None, cancel, partial = false))]
    fn _rows<'py>(
        &self,
        py: Python<'py>,
        sources: &Bound<'py, PyAny>,
        num_threads: Option<isize>,
        cancel: &Cancel,
        partial: bool,
    ) -> PyResult<(Each<'py>, Option<PyErr>)> {
        let mut rows = self.rows(sources, None, num_threads, partial, &Stop::by(cancel))?;
        let mistake = rows.mistake.take();
        Ok((rows.each(py)?, mistake))
    }

    /// How a source is read and resized, as an `Explanation`: runs it, and says what was done.
    ///
    /// Raises what calling the instance raises.
    fn explain<'py>(&self, py: Python<'py>, source: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let visit = Visit::new(py);
        let mut out = vec![0_u8; self.core.output_len()];
        let Done { report, pillow } = self.run_one(&visit, source, self.source(source)?, &mut out)?;
        let (height, width) = self.core.spec().size;
        let (height, width) = (height as isize, width as isize);
        let (left, top) = report.plan.crop;
        let (format, decoder, mut notes) = match (&report.format, pillow) {
            (Some(format), _) => (Some(format.name().to_owned()), format.decoder(), vec![]),
            (None, Some((format, why))) => (format, "pillow", vec![format!("left to Pillow: {why}")]),
            (None, None) => (None, "none", vec![]),
        };
        if report.orientation != Orientation::default() {
            notes.push("turned as its EXIF orientation says; size is that of the turned image".into());
        }
        if report.plan.reduction > 1 {
            notes.push(format!("decoded at 1/{} of its size", report.plan.reduction));
        }
        let order = report.plan.order(&report.header);
        let arguments = (
            format,
            report.header.layout.mode(),
            (report.header.width, report.header.height),
            report.plan.resized,
            (left, top, left + width, top + height),
            decoder,
            order,
            PyTuple::new(py, notes)?,
        );
        py.import("clipprep.explanation")?.getattr("Explanation")?.call1(arguments)
    }

    /// The side of the output in pixels; (height, width) where they differ.
    #[getter]
    fn size<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        options::show_size(py, self.core.spec().size)
    }

    /// Whose bits are reproduced.
    #[getter]
    fn profile(&self) -> &'static str {
        self.core.spec().profile.name
    }

    /// The Pillow whose order of passes is followed: "13" or "12".
    #[getter]
    fn pillow(&self) -> &'static str {
        self.core.spec().pass_order.name()
    }

    /// Subtracted per channel.
    #[getter]
    fn mean(&self) -> (f64, f64, f64) {
        self.core.spec().mean.into()
    }

    /// Divided by per channel.
    #[getter]
    fn std(&self) -> (f64, f64, f64) {
        self.core.spec().std.into()
    }

    /// The resampling filter.
    #[getter]
    fn interpolation(&self) -> &'static str {
        self.core.spec().filter.name()
    }

    /// The type of number of the tensors.
    #[getter]
    fn dtype(&self) -> &'static str {
        self.dtype.name()
    }

    /// The order of the tensors' axes.
    #[getter]
    fn layout(&self) -> &'static str {
        self.core.spec().layout.name()
    }

    /// What an image becomes before the crop.
    #[getter]
    fn resize_mode(&self) -> &'static str {
        self.core.spec().resize_mode.name()
    }

    /// The size that `resize_mode` is about in pixels; (height, width) where they differ.
    #[getter]
    fn resize_size<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        options::show_size(py, self.core.spec().resize_size)
    }

    /// What is put where the crop is larger than the image.
    #[getter]
    fn fill_color<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        options::show_fill(py, self.core.spec().fill)
    }

    /// Whether images of other modes become RGB; else they are refused.
    #[getter]
    fn convert_rgb(&self) -> bool {
        self.core.spec().convert_rgb
    }

    /// What a byte is multiplied by, if it is.
    #[getter]
    fn rescale_factor(&self) -> Option<f64> {
        self.core.spec().rescale_factor
    }

    /// Whether mean and standard deviation are applied.
    #[getter]
    fn normalize(&self) -> bool {
        self.core.spec().normalize
    }

    /// Whether every bit counts: "exact" or "fast".
    #[getter]
    fn precision(&self) -> &'static str {
        self.core.spec().precision.name()
    }

    /// Bounds on what one image may cost.
    #[getter]
    fn limits(&self) -> Limits {
        Limits(self.core.spec().limits)
    }

    /// What becomes of files that are cut short: "error" or "pad".
    #[getter]
    fn truncated(&self) -> &'static str {
        self.core.spec().truncated.name()
    }

    /// Whether images are turned as their EXIF orientation says.
    #[getter]
    fn exif(&self) -> bool {
        self.core.spec().exif
    }

    /// Pillow's names of the formats that are read, sorted; None for all that run no other program.
    #[getter]
    fn formats<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        self.core.spec().formats.as_ref().map(|formats| PyTuple::new(py, formats)).transpose()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (model, options) = self.__getnewargs_ex__(py)?;
        let mut parts = vec![model.0.bind(py).repr()?.to_string()];
        for (name, value) in options {
            parts.push(format!("{name}={}", value.repr()?));
        }
        Ok(format!("Preprocess({})", parts.join(", ")))
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.core.spec() == other.core.spec() && self.dtype == other.dtype
    }

    fn __hash__(&self) -> u64 {
        let spec = self.core.spec();
        let bits = |values: [f64; 3]| values.map(|value| (value + 0.0).to_bits());
        let numbers = (bits(spec.mean), bits(spec.std));
        let geometry = (spec.size, spec.resize_mode, spec.resize_size, spec.fill, spec.filter);
        let levels = (spec.convert_rgb, spec.rescale_factor.map(f64::to_bits), spec.normalize);
        let reading = (spec.limits, spec.truncated, spec.exif, &spec.formats);
        let tensor = (self.dtype, spec.layout, spec.precision, numbers);
        hash((spec.profile.name, spec.pass_order, geometry, levels, reading, tensor))
    }

    /// The arguments that make an equal instance: the model and the options that are not defaults.
    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((Py<PyAny>,), Bound<'py, PyDict>)> {
        let (spec, default) = (self.core.spec(), crate::Spec::openai(1));
        let model = match &self.model {
            Some(name) => name.into_pyobject(py)?.into_any().unbind(),
            None => self.size(py)?.unbind(),
        };
        let options = PyDict::new(py);
        if spec.profile != default.profile {
            options.set_item("profile", self.profile())?;
        }
        if spec.pass_order != default.pass_order {
            options.set_item("pillow", self.pillow())?;
        }
        if spec.mean != default.mean {
            options.set_item("mean", self.mean())?;
        }
        if spec.std != default.std {
            options.set_item("std", self.std())?;
        }
        if spec.filter != Filter::Bicubic {
            options.set_item("interpolation", self.interpolation())?;
        }
        if self.dtype != Dtype::Float32 {
            options.set_item("dtype", self.dtype())?;
        }
        if spec.layout != default.layout {
            options.set_item("layout", self.layout())?;
        }
        if spec.precision != default.precision {
            options.set_item("precision", self.precision())?;
        }
        if spec.resize_mode != default.resize_mode {
            options.set_item("resize_mode", self.resize_mode())?;
        }
        if spec.resize_size != spec.size && spec.resize_mode != ResizeMode::Keep {
            options.set_item("resize_size", self.resize_size(py)?)?;
        }
        if spec.fill != default.fill {
            options.set_item("fill_color", self.fill_color(py)?)?;
        }
        if !spec.convert_rgb {
            options.set_item("convert_rgb", false)?;
        }
        if spec.rescale_factor != default.rescale_factor {
            options.set_item("rescale_factor", spec.rescale_factor)?;
        }
        if !spec.normalize {
            options.set_item("normalize", false)?;
        }
        if spec.limits != default.limits {
            options.set_item("limits", self.limits())?;
        }
        if spec.truncated != default.truncated {
            options.set_item("truncated", self.truncated())?;
        }
        if spec.exif != default.exif {
            options.set_item("exif", self.exif())?;
        }
        if spec.formats != default.formats {
            options.set_item("formats", self.formats(py)?)?;
        }
        Ok(((model,), options))
    }
}

impl Preprocess {
    pub fn shape(&self) -> [usize; 3] {
        let (height, width) = self.core.spec().size;
        match self.core.spec().layout {
            TensorLayout::Nchw => [3, height, width],
            TensorLayout::Nhwc => [height, width, 3],
        }
    }

    pub fn source<'py>(&self, object: &Bound<'py, PyAny>) -> PyResult<Source<'py>> {
        Source::of(object, self.core.spec())
    }

    /// Runs the source that was made of `object`.
    fn run_one<T: Element>(
        &self,
        visit: &Visit,
        object: &Bound<'_, PyAny>,
        mut source: Source<'_>,
        out: &mut [T],
    ) -> PyResult<Done> {
        let py = object.py();
        let stop = Stop::by_signals();
        let done = match source.item() {
            Ok(item) => visit.away(py, || stop.interrupt.during_watched(|| item.run(&self.core, out))),
            Err(fault) => Err(fault),
        };
        stop.check(py)?;
        done.map_err(|fault| fault.into_pyerr(object))
    }

    fn rows<'py>(
        &self,
        sources: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
        num_threads: Option<isize>,
        partial: bool,
        stop: &Stop,
    ) -> PyResult<Rows<'py>> {
        batch::run(self, sources, out, batch::threads(num_threads)?, partial, stop)
    }
}
