//! The class `clipprep.Preprocess`.

use std::num::NonZeroUsize;
use std::sync::Mutex;

use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyMemoryView, PyString, PyTuple, PyType};

use super::errors::{Fault, batch_error, shape as tuple, value_error};
use super::options::{self, Limits, hash};
use super::output::{self, Dtype, Number, with_number};
use super::source::{Done, Item, Source, name};
use crate::{
    Element, Fill, Filter, Orientation, PassOrder, Profile, ResizeMode, TensorLayout, Truncated, batch,
};

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
    core: crate::Preprocess,
    /// The model's name, where one was given.
    model: Option<String>,
    dtype: Dtype,
}

#[pymethods]
impl Preprocess {
    #[new]
    #[pyo3(
        signature = (
            model, *, profile = "openai", pillow = "13", mean = None, std = None, interpolation = "bicubic",
            dtype = "float32", layout = "NCHW",
            resize_mode = "shortest", resize_size = None, fill_color = Fill::Level(0), convert_rgb = true,
            rescale_factor = Some(1.0 / 255.0), normalize = true, limits = None, truncated = "error", exif = false,
            formats = None
        ),
        text_signature = "(model, *, profile='openai', pillow='13', mean=None, std=None, \
            interpolation='bicubic', dtype='float32', layout='NCHW', resize_mode='shortest', resize_size=None, fill_color=0, convert_rgb=True, \
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
        let options = options.cloned().unwrap_or_else(|| PyDict::new(py));
        py.import("clipprep._hf")?.getattr("preprocess")?.call1((config, backend, options))
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
        let options = options.cloned().unwrap_or_else(|| PyDict::new(py));
        py.import("clipprep._open_clip")?.getattr("preprocess")?.call1((config, options))
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
        let options = options.cloned().unwrap_or_else(|| PyDict::new(py));
        py.import("clipprep._timm")?.getattr("preprocess")?.call1((config, options))
    }

    /// One source to one array of shape (3, n, n), or (n, n, 3) with `layout="NHWC"`, of the type `dtype`; channels
    /// R, G, B.
    ///
    /// A source is a path, encoded bytes (any contiguous buffer, or a 1-D uint8 array), a binary
    /// file, a PIL image, or a uint8 array (H, W), (H, W, 1), (H, W, 2), (H, W, 3) or (H, W, 4): L,
    /// L, LA, RGB, RGBA, any strides. `out` is a C-contiguous, writeable array of that shape and type to write to;
    /// what it holds after an error is unspecified.
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
        threads(num_threads)?;
        let from = self.source(source)?;
        with_number!(self.dtype, N => {
            let array = output::array::<N>(py, out, &self.shape())?;
            let mut borrowed = output::borrow::<N>(&array)?;
            self.run_one(source, from, N::of(borrowed.as_slice_mut().expect("checked to be contiguous")))?;
            Ok(array.into_any())
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
        let threads = threads(num_threads)?.unwrap_or_else(batch::default_threads);
        let objects = list(sources)?;
        let mut sources = Vec::with_capacity(objects.len());
        for (index, object) in objects.iter().enumerate() {
            sources.push(self.source(object).map_err(|error| at_index(py, index, error))?);
        }
        let [a, b, c] = self.shape();
        let shape = [objects.len(), a, b, c];
        let (array, mut faults) = with_number!(self.dtype, N => {
            let array = output::array::<N>(py, out, &shape)?;
            let mut borrowed = output::borrow::<N>(&array)?;
            let pixels = N::of(borrowed.as_slice_mut().expect("checked to be contiguous"));
            let items: Vec<_> = sources.iter_mut().map(Source::item).collect();
            let faults = py.detach(|| run_all(&self.core, items, pixels, threads));
            (array.into_any(), faults)
        });
        faults.sort_by_key(|(index, _)| *index);
        let others = faults.len().saturating_sub(1);
        match faults.into_iter().next() {
            None => Ok(array),
            Some((index, fault)) => {
                let cause = fault.into_pyerr(py, &name(&objects[index]));
                Err(batch_error(py, index, objects[index].clone(), cause, others))
            }
        }
    }

    /// How a source is read and resized, as an `Explanation`: runs it, and says what was done.
    ///
    /// Raises what calling the instance raises.
    fn explain<'py>(&self, py: Python<'py>, source: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let Done { report, pillow } =
            self.run_one(source, self.source(source)?, &mut vec![0_u8; self.core.output_len()])?;
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
        name_of(self.core.spec().profile, &Profile::ALL)
    }

    /// The Pillow whose order of passes is followed: "13" or "12".
    #[getter]
    fn pillow(&self) -> &'static str {
        match self.core.spec().pass_order {
            PassOrder::Pillow12 => "12",
            PassOrder::Pillow13 => "13",
        }
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
        name_of(self.dtype, &Dtype::ALL)
    }

    /// The order of the tensors' axes.
    #[getter]
    fn layout(&self) -> &'static str {
        name_of(self.core.spec().layout, &TensorLayout::ALL)
    }

    /// What an image becomes before the crop.
    #[getter]
    fn resize_mode(&self) -> &'static str {
        let mode = self.core.spec().resize_mode;
        ResizeMode::ALL.iter().find(|(_, known)| *known == mode).expect("every mode is listed").0
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

    /// Bounds on what one image may cost.
    #[getter]
    fn limits(&self) -> Limits {
        Limits(self.core.spec().limits)
    }

    /// What becomes of files that are cut short: "error" or "pad".
    #[getter]
    fn truncated(&self) -> &'static str {
        name_of(self.core.spec().truncated, &Truncated::ALL)
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
        let tensor = (self.dtype, spec.layout, numbers);
        hash((spec.profile, spec.pass_order, geometry, levels, reading, tensor))
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
    fn shape(&self) -> [usize; 3] {
        let (height, width) = self.core.spec().size;
        match self.core.spec().layout {
            TensorLayout::Nchw => [3, height, width],
            TensorLayout::Nhwc => [height, width, 3],
        }
    }

    fn source<'py>(&self, object: &Bound<'py, PyAny>) -> PyResult<Source<'py>> {
        Source::of(object, self.core.spec())
    }

    /// Runs the source that was made of `object`.
    fn run_one<T: Element>(
        &self,
        object: &Bound<'_, PyAny>,
        mut source: Source<'_>,
        out: &mut [T],
    ) -> PyResult<Done> {
        let py = object.py();
        let done = match source.item() {
            Ok(item) => py.detach(|| item.run(&self.core, out)),
            Err(fault) => Err(fault),
        };
        done.map_err(|fault| fault.into_pyerr(py, &name(object)))
    }
}

/// Runs every item and returns what failed.
fn run_all<T: Element>(
    core: &crate::Preprocess,
    items: Vec<Result<Item<'_>, Fault>>,
    out: &mut [T],
    threads: NonZeroUsize,
) -> Vec<(usize, Fault)> {
    let mut faults = Vec::new();
    let items: Vec<_> = items
        .into_iter()
        .enumerate()
        .map(|(index, item)| item.map_err(|fault| faults.push((index, fault))).ok())
        .collect();
    let faults = Mutex::new(faults);
    batch::for_each(out, core.output_len(), threads, |index, out| {
        if let Some(Err(fault)) = items[index].as_ref().map(|item| item.run(core, out)) {
            faults.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push((index, fault));
        }
    });
    faults.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The sources of a batch; a single source is a mistake.
fn list<'py>(sources: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    if let Ok(array) = sources.cast::<PyUntypedArray>()
        && array.ndim() != 4
    {
        return Err(value_error(
            "a batch of shape (N, H, W, 1 to 4)",
            format_args!("shape {}", tuple(array.shape())),
        ));
    }
    let single = sources.is_instance_of::<PyString>()
        || sources.is_instance_of::<PyBytes>()
        || sources.is_instance_of::<PyByteArray>()
        || sources.is_instance_of::<PyMemoryView>()
        || sources.hasattr("__fspath__")?
        || sources.hasattr("read")?;
    let iterator = if single { None } else { sources.try_iter().ok() };
    let Some(iterator) = iterator else {
        return Err(PyTypeError::new_err(format!(
            "expected an iterable of sources, found {}: call the instance itself for one source",
            sources.get_type().name()?
        )));
    };
    iterator.collect()
}

/// The name of a choice.
fn name_of<T: Copy + PartialEq>(value: T, choices: &[(&'static str, T)]) -> &'static str {
    choices.iter().find(|(_, known)| *known == value).expect("every choice is listed").0
}

/// Says which source a caller's mistake is about.
fn at_index(py: Python<'_>, index: usize, error: PyErr) -> PyErr {
    PyErr::from_type(error.get_type(py), format!("source {index}: {}", error.value(py)))
}

fn threads(num_threads: Option<isize>) -> PyResult<Option<NonZeroUsize>> {
    let Some(count) = num_threads else { return Ok(None) };
    match usize::try_from(count).ok().and_then(NonZeroUsize::new) {
        None => Err(value_error("num_threads= a number from 1, or None", count)),
        threads => Ok(threads),
    }
}
