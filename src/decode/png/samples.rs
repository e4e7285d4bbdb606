//! How samples are packed in a line, and the layout that Pillow unpacks them to.

use std::ops::Range;

use crate::pixels::Layout;

/// The colour type and bit depth of a PNG.
#[derive(Clone, Copy, Debug)]
pub(super) struct Samples {
    /// Pillow's mode.
    pub layout: Layout,
    /// Bits of a pixel in the file.
    pub bits_per_pixel: usize,
    packing: Packing,
}

#[derive(Clone, Copy, Debug)]
enum Packing {
    /// Bytes, as they are.
    Bytes,
    /// Several pixels in a byte, leftmost highest: bits per pixel, and the factor that scales them.
    Bits(usize, u8),
    /// Big-endian pairs that become little-endian ones.
    Pairs,
    /// Big-endian pairs of which the high byte counts.
    HighBytes,
    /// Such pairs of grey and alpha, which Pillow opens as RGBA.
    GreyAlphaHighBytes,
}

impl Samples {
    /// The kind of samples of a header's colour type and bit depth; none for those that PNG does not have.
    pub fn of(colour: u8, depth: u8) -> Option<Self> {
        let (layout, channels, packing) = match (colour, depth) {
            (0, 1) => (Layout::One, 1, Packing::Bits(1, 255)),
            (0, 2) => (Layout::L, 1, Packing::Bits(2, 0x55)),
            (0, 4) => (Layout::L, 1, Packing::Bits(4, 0x11)),
            (0, 8) => (Layout::L, 1, Packing::Bytes),
            (0, 16) => (Layout::I16, 1, Packing::Pairs),
            (2, 8) => (Layout::Rgb, 3, Packing::Bytes),
            (2, 16) => (Layout::Rgb, 3, Packing::HighBytes),
            (3, 1 | 2 | 4) => (Layout::P, 1, Packing::Bits(depth.into(), 1)),
            (3, 8) => (Layout::P, 1, Packing::Bytes),
            (4, 8) => (Layout::GreyAlpha, 2, Packing::Bytes),
            (4, 16) => (Layout::Rgba, 2, Packing::GreyAlphaHighBytes),
            (6, 8) => (Layout::Rgba, 4, Packing::Bytes),
            (6, 16) => (Layout::Rgba, 4, Packing::HighBytes),
            _ => return None,
        };
        Some(Self { layout, bits_per_pixel: channels * usize::from(depth), packing })
    }

    /// Bytes of a line of `width` pixels; none where Pillow has no memory for one.
    pub fn line_bytes(&self, width: usize) -> Option<usize> {
        let most = i32::MAX as usize / self.bits_per_pixel - 7;
        (width <= most).then(|| (width * self.bits_per_pixel).div_ceil(8))
    }

    /// The bytes that filters take for a pixel.
    pub fn pixel_bytes(&self) -> usize {
        self.bits_per_pixel.div_ceil(8)
    }

    /// The bytes of `columns` in a line, where they are pixels already.
    pub fn as_they_are(&self, columns: &Range<usize>) -> Option<Range<usize>> {
        let bytes = self.layout.bytes();
        matches!(self.packing, Packing::Bytes).then(|| columns.start * bytes..columns.end * bytes)
    }

    /// Unpacks the pixels in `columns` of a line to pixels of `out` at a fixed distance, from its beginning on.
    pub fn unpack(&self, line: &[u8], columns: Range<usize>, out: &mut [u8], every: usize) {
        let bytes = self.layout.bytes();
        if every == 1
            && let Some(range) = self.as_they_are(&columns)
        {
            return out.copy_from_slice(&line[range]);
        }
        let out = out.chunks_mut(every * bytes);
        match self.packing {
            Packing::Bytes => {
                let pixels = line[columns.start * bytes..columns.end * bytes].chunks_exact(bytes);
                out.zip(pixels).for_each(|(out, pixel)| out[..bytes].copy_from_slice(pixel));
            }
            Packing::Bits(bits, scale) => {
                let mask = (1 << bits) - 1;
                for (out, x) in out.zip(columns) {
                    let shift = 8 - bits - (x * bits) % 8;
                    out[0] = ((line[x * bits / 8] >> shift) & mask) * scale;
                }
            }
            Packing::Pairs => {
                let pairs = line[2 * columns.start..2 * columns.end].as_chunks::<2>().0;
                out.zip(pairs).for_each(|(out, &[high, low])| out[..2].copy_from_slice(&[low, high]));
            }
            Packing::HighBytes => {
                let pixels = line[2 * columns.start * bytes..2 * columns.end * bytes].chunks_exact(2 * bytes);
                for (out, pixel) in out.zip(pixels) {
                    out.iter_mut().zip(pixel.as_chunks::<2>().0).for_each(|(out, &[high, _])| *out = high);
                }
            }
            Packing::GreyAlphaHighBytes => {
                let pixels = &line[4 * columns.start..4 * columns.end];
                for (out, &[grey, _, alpha, _]) in out.zip(pixels.as_chunks::<4>().0) {
                    out[..4].copy_from_slice(&[grey, grey, grey, alpha]);
                }
            }
        }
    }
}
