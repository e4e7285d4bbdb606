//! CLIP image preprocessing, equal to OpenAI's transform on Pillow to the last bit.
//!
//! An image's journey is the order of the modules: [`decode`] turns bytes into rows, a [`plan`]
//! made from the header says which of them matter, `resample` resizes them with Pillow's
//! arithmetic, `colour` makes them RGB, `normalise` makes them floats, and
//! [`Preprocess`] leads through all of it.
//!
//! ```no_run
//! use clipprep::{Preprocess, Spec};
//!
//! let preprocess = Preprocess::new(Spec::openai(224));
//! let mut tensor = vec![0.0_f32; preprocess.output_len()];
//! preprocess.process_path("photos/cat.jpg".as_ref(), &mut tensor)?;
//! # Ok::<(), clipprep::Error>(())
//! ```

mod ahead;
mod array;
pub mod batch;
mod colour;
pub mod decode;
mod error;
mod file;
pub mod interrupt;
mod limits;
mod named;
mod normalise;
mod orientation;
mod pipeline;
pub mod pixels;
pub mod plan;
mod resample;
mod simd;
mod source;
mod spec;

#[cfg(feature = "image")]
mod dynamic_image;
#[cfg(feature = "python")]
mod python;

pub use array::Array;
pub use error::{Error, LimitKind, Result};
pub use limits::Limits;
pub use normalise::Element;
pub use orientation::{Orientation, apply_orientation};
pub use pipeline::{Opened, Preprocess, Refused, Report};
pub use resample::Filter;
pub use simd::Level;
pub use source::Source;
pub use spec::{
    ArrayAlpha, ChannelOrder, Channels, Fill, FloatSteps, InputLayout, MEAN, MODELS, PillowBuild, Position,
    Precision, Profile, Resampler, ResizeMode, Rounding, STD, Spec, TensorLayout, Truncated, model_size,
};
