//! How a file's components are laid out in MCUs, and how pixels are made of them.

use crate::decode::jpeg::header::{Colours, FrameHeader, Header};
use crate::decode::ycc::Sampling;

/// How the pixels of a row are made of the components' samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::decode::jpeg) enum Pixels {
    /// One byte, as it is.
    Grey,
    /// Three bytes of YCbCr.
    Ycc(Sampling),
    /// Three bytes, as they are.
    Rgb,
    /// Four bytes, inverted, as Pillow takes them to be.
    Cmyk,
    /// Four bytes, the first three of YCbCr, the last one inverted and sampled as luma is.
    Ycck(Sampling),
}

impl Pixels {
    pub fn bytes(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Ycc(_) | Self::Rgb => 3,
            Self::Cmyk | Self::Ycck(_) => 4,
        }
    }

    pub fn sampling(self) -> Sampling {
        match self {
            Self::Ycc(sampling) | Self::Ycck(sampling) => sampling,
            Self::Grey | Self::Rgb | Self::Cmyk => Sampling::Full,
        }
    }

    /// The components that are sampled less often, where any are.
    pub fn is_chroma(self, component: usize) -> bool {
        matches!(self, Self::Ycc(_) | Self::Ycck(_)) && matches!(component, 1 | 2)
    }
}

/// How a file is laid out, if the back half takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::decode::jpeg) struct Geometry {
    pub pixels: Pixels,
    components: usize,
    /// Blocks of the first component in an MCU, across and down.
    most: (usize, usize),
    /// MCUs in a row, and rows of them.
    pub mcus: (usize, usize),
    /// Columns and rows of the image as it is made.
    pub size: (usize, usize),
    /// The downscale factor: the image is that many times smaller than its header says.
    reduction: usize,
}

impl Geometry {
    /// `Err` says why not.
    pub fn of(header: &Header) -> Result<Self, &'static str> {
        const RARE: &str = "its components are sampled in a rare way";
        let frame = &header.frame;
        let factors: Vec<_> = frame.components.iter().map(|component| component.factors).collect();
        let sampling = |luma| Sampling::of(luma).ok_or(RARE);
        let pixels = match (header.colours(), factors.as_slice()) {
            (Colours::Grey, _) => Pixels::Grey,
            (Colours::YCbCr, &[luma, (1, 1), (1, 1)]) => Pixels::Ycc(sampling(luma)?),
            (Colours::Ycck, &[luma, (1, 1), (1, 1), black]) if black == luma => Pixels::Ycck(sampling(luma)?),
            (Colours::Rgb, [(1, 1), (1, 1), (1, 1)]) => Pixels::Rgb,
            (Colours::Cmyk, [(1, 1), (1, 1), (1, 1), (1, 1)]) => Pixels::Cmyk,
            _ => return Err(RARE),
        };
        // libjpeg has another way of upsampling for two samples and less.
        if pixels.sampling().columns() == 2 && frame.width <= 4 {
            return Err("it is too narrow");
        }
        let has_table = |number: usize| header.quantisation.get(number).is_some_and(Option::is_some);
        if !frame.components.iter().all(|component| has_table(component.quantisation)) {
            return Err("a quantisation table is missing");
        }
        // The MCU of a single component is a block.
        let most = if pixels == Pixels::Grey { (1, 1) } else { factors[0] };
        let mcus = (frame.width.div_ceil(8 * most.0), frame.height.div_ceil(8 * most.1));
        let size = (frame.width, frame.height);
        Ok(Self { pixels, components: factors.len(), most, mcus, size, reduction: 1 })
    }

    /// The same with an image that is 1, 2, 4 or 8 times smaller per side. Chroma that is sampled less often in both
    /// directions is reduced less instead of upsampled.
    pub fn reduced(&self, frame: &FrameHeader, reduction: usize) -> Self {
        let full = |sampling| if sampling == Sampling::Quarter { Sampling::Full } else { sampling };
        let pixels = match self.pixels {
            Pixels::Ycc(sampling) if reduction > 1 => Pixels::Ycc(full(sampling)),
            Pixels::Ycck(sampling) if reduction > 1 => Pixels::Ycck(full(sampling)),
            pixels => pixels,
        };
        let size = (frame.width.div_ceil(reduction), frame.height.div_ceil(reduction));
        Self { pixels, size, reduction, ..*self }
    }

    /// Components of the image.
    pub fn components(&self) -> usize {
        self.components
    }

    /// Blocks of a component in an MCU, across and down.
    pub fn blocks(&self, component: usize) -> (usize, usize) {
        if self.is_chroma(component) { (1, 1) } else { self.most }
    }

    fn is_chroma(&self, component: usize) -> bool {
        self.pixels.is_chroma(component)
    }

    /// Samples of a block per side.
    pub fn side(&self, component: usize) -> usize {
        let doubled =
            self.is_chroma(component) && self.most == (2, 2) && self.pixels.sampling() == Sampling::Full;
        8 / self.reduction * if doubled { 2 } else { 1 }
    }

    /// Whether a component is made of DC alone.
    pub fn is_flat(&self, component: usize) -> bool {
        self.side(component) == 1
    }

    /// Columns and rows of an MCU.
    pub fn mcu(&self) -> (usize, usize) {
        (self.side(0) * self.most.0, self.side(0) * self.most.1)
    }

    /// Columns and rows of a component's samples.
    pub fn samples(&self, frame: &FrameHeader, component: usize) -> (usize, usize) {
        let (blocks, side) = (self.blocks(component), self.side(component));
        let share = |len: usize, blocks: usize, most: usize| (len * blocks * side).div_ceil(8 * most);
        (share(frame.width, blocks.0, self.most.0), share(frame.height, blocks.1, self.most.1))
    }

    /// Blocks that a component has, across and down, which may not fill the last MCUs.
    pub fn blocks_of_component(&self, frame: &FrameHeader, component: usize) -> (usize, usize) {
        let (across, down) = self.blocks(component);
        let share = |len: usize, blocks: usize, most: usize| (len * blocks).div_ceil(8 * most);
        (share(frame.width, across, self.most.0), share(frame.height, down, self.most.1))
    }

    /// MCUs of a scan of these components, across and down: of a single one they are its blocks.
    pub fn mcus_of_scan(&self, frame: &FrameHeader, components: &[usize]) -> (usize, usize) {
        match components {
            [one] => self.blocks_of_component(frame, *one),
            _ => self.mcus,
        }
    }
}
