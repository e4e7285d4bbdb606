//! Options that are one of several named choices, and the objects of other libraries that name one.

use numpy::{PyArrayDescr, PyArrayDescrMethods};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use super::value::{Value, Wrong};
use crate::named::Named;
use crate::python::errors::value_error;
use crate::python::fallback::Fallback;
use crate::python::output::Dtype;
use crate::{
    ChannelOrder, Filter, InputLayout, PillowBuild, Position, Precision, Profile, ResizeMode, TensorLayout,
    Truncated,
};

/// Named choices: how each type is read, what may be said besides its names, and which objects may be given.
macro_rules! choices {
    ($($kind:ty = $read:expr $(, or $more:literal: $meaning:literal)? $(, also $also:literal)?;)+) => {$(
        impl Value for $kind {
            const KIND: &'static str = "choice";

            fn read(given: &Bound<'_, PyAny>) -> Result<Self, Wrong> {
                $read(given)
            }

            fn show<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                Named::name(*self).into_bound_py_any(py)
            }

            fn annotation() -> String {
                [Self::shown() $(, $also.to_owned())?].join(" | ")
            }

            fn shown() -> String {
                format!("Literal[{}]", names(&<Self as Value>::choices()))
            }

            fn expected() -> String {
                format!("one of {}", names(&<Self as Value>::choices()))
            }

            fn choices() -> Vec<(&'static str, &'static str)> {
                let choices = Named::all().into_iter();
                choices.map(|(name, meaning, _): (_, _, Self)| (name, meaning)).chain([$(($more, $meaning))?]).collect()
            }
        }
    )+};
}
choices! {
    &'static Profile = named;
    PillowBuild = pillow_build, or "installed": "The Pillow that is installed, on this machine.";
    Filter = filter, also "Resampling";
    Dtype = dtype, also "type[np.generic] | np.dtype[Any]";
    TensorLayout = named;
    InputLayout = named;
    ChannelOrder = named;
    Precision = named;
    ResizeMode = named;
    Position = named;
    Truncated = named;
    Fallback = fallback;
}

/// The names of choices, quoted.
fn names(choices: &[(&str, &str)]) -> String {
    let names: Vec<_> = choices.iter().map(|(name, _)| format!("{name:?}")).collect();
    names.join(", ")
}

fn named<T: Named>(given: &Bound<'_, PyAny>) -> Result<T, Wrong> {
    by_name(&text(given)?)
}

fn pillow_build(given: &Bound<'_, PyAny>) -> Result<PillowBuild, Wrong> {
    let name = text(given)?;
    if name != "installed" {
        return by_name(&name);
    }
    let major = given
        .py()
        .import("clipprep._pillow")
        .and_then(|pillow| pillow.getattr("major_version")?.call0()?.extract::<u32>());
    let is_new = major.map_err(Wrong::Ours)? >= 13;
    // GCC and Clang fuse products by default, MSVC does not.
    let is_fused = cfg!(all(target_arch = "aarch64", not(windows)));
    Ok(match (is_new, is_fused) {
        (true, false) => PillowBuild::Pillow13,
        (false, false) => PillowBuild::Pillow12,
        (true, true) => PillowBuild::Pillow13Arm,
        (false, true) => PillowBuild::Pillow12Arm,
    })
}

/// A filter's name, Pillow's constant, or torchvision's.
fn filter(given: &Bound<'_, PyAny>) -> Result<Filter, Wrong> {
    let py = given.py();
    let class = given.get_type().fully_qualified_name();
    if class.is_ok_and(|name| name == "torchvision.transforms.functional.InterpolationMode") {
        return filter_of_torchvision(given);
    }
    let resampling = py.import("PIL.Image").and_then(|image| image.getattr("Resampling"));
    let name = match resampling.and_then(|class| given.is_instance(&class)).map_err(Wrong::Raised)? {
        true => given.getattr("name").and_then(|name| name.extract::<String>()).map_err(Wrong::Raised)?,
        false => return named(given),
    };
    by_name(&name.to_lowercase())
}

/// The filter of a member of torchvision's `InterpolationMode`, by its value.
fn filter_of_torchvision(mode: &Bound<'_, PyAny>) -> Result<Filter, Wrong> {
    match &*text(&mode.getattr("value").map_err(Wrong::Raised)?)? {
        "nearest-exact" => by_name("nearest"),
        // Two filters: of images and of tensors.
        "nearest" => Err(Wrong::Ours(value_error(
            "interpolation= \"nearest\" for what torchvision does to PIL images, or \"nearest-floor\" for what it does to tensors",
            "InterpolationMode.NEAREST, which is either",
        ))),
        name => by_name(name),
    }
}

/// A type's name, NumPy's type or dtype, or torch's dtype.
fn dtype(given: &Bound<'_, PyAny>) -> Result<Dtype, Wrong> {
    let py = given.py();
    if given.is_instance_of::<PyType>() || given.is_instance_of::<PyArrayDescr>() {
        let descr = PyArrayDescr::new(py, given).map_err(|error| Wrong::of(py, error))?;
        let name = descr.getattr("name").and_then(|name| name.extract::<String>()).map_err(Wrong::Raised)?;
        return if descr.is_native_byteorder() == Some(false) { Err(Wrong::Value) } else { by_name(&name) };
    }
    match given.get_type().fully_qualified_name() {
        Ok(name) if name == "torch.dtype" => {
            let name = given.str().map_err(Wrong::Raised)?.to_string();
            by_name(name.trim_start_matches("torch."))
        }
        _ => named(given),
    }
}

/// A name; helpers are refused where none can be started.
fn fallback(given: &Bound<'_, PyAny>) -> Result<Fallback, Wrong> {
    let fallback = named(given)?;
    if fallback == Fallback::Process {
        let helper = given.py().import("clipprep._helper");
        helper.and_then(|helper| helper.call_method0("check_available")).map_err(Wrong::Ours)?;
    }
    Ok(fallback)
}

/// An option's text.
fn text(given: &Bound<'_, PyAny>) -> Result<String, Wrong> {
    let text = given.cast::<PyString>().map_err(|_| Wrong::Type)?;
    text.to_str().map(str::to_owned).map_err(|error| Wrong::of(given.py(), error))
}

fn by_name<T: Named>(name: &str) -> Result<T, Wrong> {
    T::all().into_iter().find(|(known, ..)| *known == name).map(|(.., choice)| choice).ok_or(Wrong::Value)
}
