//! The geometry and the weights of one image, decided from its header alone.

mod cache;
mod geometry;
mod method;
mod padding;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::pixels::{Header, Layout, Palette, Window};
use crate::resample::Order;
use crate::simd::Level;
use crate::spec::{ResizeMode, Spec};
pub(crate) use cache::cached_plan;
pub(crate) use geometry::resized_size;
use geometry::{Geometry, first_step};
pub(crate) use method::Method;
use method::{check_size, weights_memory};
pub(crate) use padding::Padding;

/// The geometry of one image, and how its pixels are resized.
///
/// ```
/// use clipprep::pixels::{Header, Layout};
/// use clipprep::{Level, Spec, plan::Plan};
///
/// let header = Header { width: 640, height: 480, layout: Layout::Rgb, palette: None };
/// let plan = Plan::new(&Spec::openai(224), &header, Level::active())?;
/// assert_eq!((plan.resized, plan.crop), ((298, 224), (37, 0)));
/// # Ok::<(), clipprep::Error>(())
/// ```
#[derive(Debug)]
pub struct Plan {
    /// Width and height after resizing, before the crop.
    pub resized: (usize, usize),
    /// Left and top of the crop in the resized image; negative where the crop is the larger one.
    pub crop: (isize, isize),
    /// Whether the pixels stay as they are.
    unchanged: bool,
    /// The downscale factor that the decoder has applied already.
    pub reduction: usize,
    /// The source pixels that the output needs.
    pub window: Window,
    /// The layout that is resized: RGB where the profile converts first.
    pub(crate) source: Layout,
    /// The layout of the resized rows.
    pub(crate) layout: Layout,
    pub(crate) method: Method,
    /// The padding, where the image does not fill the crop.
    pub(crate) padding: Option<Padding>,
    /// About the bytes that the weights hold.
    weights: u64,
    /// The first of two steps, which makes the image that the others are about.
    pub(crate) before: Option<Box<Plan>>,
}

impl Plan {
    /// The plan for an image of that header.
    ///
    /// ```
    /// use clipprep::pixels::{Header, Layout};
    /// use clipprep::{Level, Spec, plan::Plan};
    ///
    /// let header = Header { width: 640, height: 480, layout: Layout::Rgb, palette: None };
    /// let plan = Plan::new(&Spec::openai(224), &header, Level::active())?;
    /// assert_eq!(plan.window.rows, 0..480);
    /// # Ok::<(), clipprep::Error>(())
    /// ```
    pub fn new(spec: &Spec, header: &Header, level: Level) -> Result<Self> {
        Self::reduced(spec, header, 1, level)
    }

    /// The plan for an image of that header whose decoder hands out one pixel for every `reduction` x `reduction`.
    pub(crate) fn reduced(spec: &Spec, header: &Header, reduction: usize, level: Level) -> Result<Self> {
        let Some((width, height)) = first_step(spec, (header.width, header.height))? else {
            return Self::of_a_step(spec, header, reduction, level);
        };
        if !spec.profile.rgb_first || !spec.profile.resampler.takes_bytes() {
            return Err(Error::unsupported(format!(
                "expected a profile that resizes bytes of RGB with resize_mode {:?}, found {:?}",
                spec.resize_mode.name(),
                spec.profile.name
            )));
        }
        let size = (height, width);
        let first = Spec { size, resize_size: size, resize_mode: ResizeMode::Squash, ..spec.clone() };
        let first = Self::of_a_step(&first, header, reduction, level)?;
        let between = Header { width, height, layout: first.layout, palette: None };
        let last = Self::of_a_step(spec, &between, 1, level)?;
        Ok(Self { before: Some(Box::new(first)), ..last })
    }

    /// The plan of one step of resizing.
    fn of_a_step(spec: &Spec, header: &Header, reduction: usize, level: Level) -> Result<Self> {
        let geometry = Geometry::new(spec, (header.width, header.height))?;
        let source = match header.layout {
            // Nothing is to be converted: its fourth byte is passed over.
            Layout::Rgbx if spec.profile.resampler.takes_bytes() => Layout::Rgbx,
            _ if spec.profile.rgb_first => Layout::Rgb,
            layout => layout,
        };
        let (weights, while_made) = weights_memory(spec, source, &geometry);
        spec.limits.check_memory(while_made)?;
        Limits::check_room("the weights of resizing", while_made)?;
        check_size(spec, &geometry)?;
        let (mut window, method) = match reduction {
            1 => Method::new(spec, source, level, &geometry),
            _ => Method::reduced(spec, source, level, &geometry, reduction),
        };
        let layout = match (&method, source) {
            (Method::TwoPass(_), Layout::Rgbx) => Layout::Rgb,
            _ => source,
        };
        let mut padding = Padding::new(spec, &geometry, layout)?;
        if let Some(padding) = &mut padding {
            padding.empty = match &method {
                Method::Floats(passes) => passes.floats(&padding.empty),
                Method::Blur(blur) => blur.floats(&padding.empty),
                _ => std::mem::take(&mut padding.empty),
            };
            if method.makes_floats() {
                padding.left *= size_of::<f32>();
            }
        }
        let Geometry { origin, from, to: resized, crop, .. } = geometry;
        window.shift(origin);
        Ok(Self {
            unchanged: from == resized && !matches!(method, Method::Blur(_)),
            resized,
            crop,
            reduction,
            window,
            source,
            layout,
            method,
            padding,
            weights,
            before: None,
        })
    }

    /// The palette after resizing. Pillow's convolution leaves PA with a new one, in which every colour
    /// is black.
    pub(crate) fn palette<'a>(&self, header: &'a Header) -> Option<&'a Palette> {
        match self.method {
            Method::TwoPass(_) => None,
            _ => header.palette.as_deref(),
        }
    }

    /// An upper estimate of the bytes that resizing holds.
    pub(crate) fn memory(&self) -> u64 {
        let rows = match &self.method {
            Method::Pick { .. } => 0,
            Method::TwoPass(passes) => passes.memory(),
            Method::Wide(passes) => passes.memory(),
            Method::Floats(passes) => passes.memory(),
            Method::Blur(blur) => blur.memory(),
        };
        let before = self.before.as_ref().map_or(0, |first| first.memory() + first.image_memory());
        rows + self.weights + before
    }

    /// The bytes of the resized image.
    fn image_memory(&self) -> u64 {
        self.resized.0 as u64 * self.resized.1 as u64 * self.layout.bytes() as u64
    }

    /// The order of the passes, or "nearest" or "none" where there are none.
    ///
    /// ```
    /// use clipprep::pixels::{Header, Layout};
    /// use clipprep::{Level, Spec, plan::Plan};
    ///
    /// let header = Header { width: 224, height: 224, layout: Layout::Rgb, palette: None };
    /// let plan = Plan::new(&Spec::openai(224), &header, Level::active())?;
    /// assert_eq!(plan.order(), "none");
    /// # Ok::<(), clipprep::Error>(())
    /// ```
    pub fn order(&self) -> &'static str {
        let order = match &self.method {
            _ if self.unchanged => return "none",
            Method::Pick { .. } => return "nearest",
            Method::TwoPass(passes) => passes.order(),
            Method::Wide(passes) => passes.order(),
            Method::Floats(_) => Order::HorizontalFirst,
            Method::Blur(_) => Order::VerticalFirst,
        };
        match order {
            Order::HorizontalFirst => "horizontal-first",
            Order::VerticalFirst => "vertical-first",
        }
    }
}
